/** The kernels of a level, assembled and loaded. */
import { loadQuietly } from "../../jit/load.ts";
import type { Feature } from "../../jit/mod.ts";
import type { Kernels } from "../kernel.ts";
import { aboveCode } from "./above.ts";
import { dotInt8Code } from "./dot_int8.ts";
import { axpyCode, expCode, geluCode } from "./elementwise.ts";
import { bf16ToF32Code, f16ToF32Code } from "./half.ts";
import type { KernelLevel } from "./lanes.ts";
import { layerNormCode } from "./layer_norm.ts";
import { maxCode } from "./max.ts";
import { dotCode, sumCode } from "./reduce.ts";
import { softmaxCode } from "./softmax.ts";

/** Those of a level for a CPU with these features, until the process ends. Some five milliseconds, more where nothing was assembled yet. */
export function loadKernels(level: KernelLevel, features: ReadonlySet<Feature>): Kernels {
  return loadQuietly({
    dot: {
      signature: { parameters: ["buffer!", "buffer!", "usize"], result: "f64" },
      code: dotCode(level),
    },
    axpy: {
      signature: { parameters: ["f32", "buffer!", "buffer!", "usize"], result: "void" },
      code: axpyCode(level),
    },
    sum: {
      signature: { parameters: ["buffer!", "usize"], result: "f64" },
      code: sumCode(level),
    },
    max: {
      signature: { parameters: ["buffer!", "usize"], result: "f32" },
      code: maxCode(level),
    },
    exp: {
      signature: { parameters: ["buffer!", "buffer!", "usize"], result: "void" },
      code: expCode(level),
    },
    gelu: {
      signature: { parameters: ["buffer!", "buffer!", "usize"], result: "void" },
      code: geluCode(level),
    },
    softmax: {
      signature: { parameters: ["buffer!", "buffer!", "usize", "usize"], result: "void" },
      code: softmaxCode(level),
    },
    layerNorm: {
      signature: {
        parameters: ["buffer!", "buffer!", "buffer!", "buffer!", "usize", "usize", "f64"],
        result: "void",
      },
      code: layerNormCode(level),
    },
    above: {
      signature: { parameters: ["buffer!", "usize", "usize", "f32", "buffer!"], result: "u32" },
      code: aboveCode(level),
    },
    bf16ToF32: {
      signature: { parameters: ["buffer!", "buffer!", "usize"], result: "void" },
      code: bf16ToF32Code(level),
    },
    f16ToF32: {
      signature: { parameters: ["buffer!", "buffer!", "usize"], result: "void" },
      code: f16ToF32Code(level),
    },
    dotInt8: {
      signature: { parameters: ["buffer!", "buffer!", "usize"], result: "f64" },
      code: dotInt8Code(level, features),
    },
  }).symbols;
}
