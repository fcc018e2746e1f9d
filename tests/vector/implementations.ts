/** Every implementation that this machine can run, whichever it would choose. */
import { it } from "node:test";
import { NativeUnavailableError } from "../../ffi/mod.ts";
import type { Feature } from "../../lib/jit/mod.ts";
import { MissingFeatureError } from "../../lib/jit/load.ts";
import type { Kernels } from "../../lib/vector/kernel.ts";
import type { KernelLevel } from "../../lib/vector/kernels/lanes.ts";
import { loadKernels } from "../../lib/vector/kernels/mod.ts";
import { portable } from "../../lib/vector/portable.ts";
import { skipping } from "../skip.ts";

export interface Implementation {
  readonly name: string;
  readonly kernels: Kernels;
  /** Why it cannot be run here. */
  readonly skip: string | false;
}

function loaded(name: string, level: KernelLevel, features: readonly Feature[]): Implementation {
  try {
    return { name, kernels: loadKernels(level, new Set(features)), skip: false };
  } catch (error) {
    if (!(error instanceof MissingFeatureError || error instanceof NativeUnavailableError)) throw error;
    return { name, kernels: portable, skip: skipping(error.message) };
  }
}

export const inMachineCode: readonly Implementation[] = [
  loaded("avx2", "avx2", []),
  loaded("avx512", "avx512", []),
];

/** With instructions for products of bytes, of which `dotInt8` alone makes use. */
export const withVnni: readonly Implementation[] = [
  loaded("avx2 with VNNI", "avx2", ["avxvnni"]),
  loaded("avx512 with VNNI", "avx512", ["avx512vnni"]),
];

export const implementations: readonly Implementation[] = [
  { name: "portable", kernels: portable, skip: false },
  ...inMachineCode,
];

/** One test for each implementation. */
export function itHolds(
  sentence: string,
  check: (kernels: Kernels) => void,
  of: readonly Implementation[] = implementations,
): void {
  for (const { name, kernels, skip } of of) {
    it(`${sentence}: ${name}`, { skip }, () => check(kernels));
  }
}
