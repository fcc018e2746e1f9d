/** Which kernels run: those of the CPU's level, loaded at the first use, or the twins in TypeScript. */
import { NativeUnavailableError } from "../../ffi/mod.ts";
import { cpu } from "../jit/cpu.ts";
import type { Kernels } from "./kernel.ts";
import { loadKernels } from "./kernels/mod.ts";
import { portable } from "./portable.ts";

/** What the functions run on: AVX-512, AVX2 with FMA, or plain TypeScript. */
export type VectorLevel = "avx512" | "avx2" | "portable";

interface Implementation {
  readonly level: VectorLevel;
  readonly kernels: Kernels;
}

function choose(): Implementation {
  try {
    const { level, features } = cpu();
    if (level === "sse2") return { level: "portable", kernels: portable };
    return { level, kernels: loadKernels(level, features) };
  } catch (error) {
    if (error instanceof NativeUnavailableError) return { level: "portable", kernels: portable };
    throw error;
  }
}

let chosen: Implementation | undefined;

export function implementation(): Implementation {
  return chosen ??= choose();
}

/**
 * What the functions run on, on this machine and under these permissions: `OXBOW_CPU=avx2` in the environment
 * lowers it, `OXBOW_CPU=sse2` and `OXBOW_NATIVE=0` make it `"portable"`.
 */
export function vectorLevel(): VectorLevel {
  return implementation().level;
}
