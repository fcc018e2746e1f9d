/** Kernels that make each element of `out` from the one of `x`: `exp`, `gelu`, `axpy`. */
import { type Code, r8, r9, rdi, rdx, rsi, xmm } from "../../jit/mod.ts";
import { computeExp, EXP_CONSTANTS } from "./exp.ts";
import { computeGelu, GELU_SCRATCH, geluConstants } from "./gelu.ts";
import { at, type KernelLevel, Lanes } from "./lanes.ts";
import { pass, prepare, type Span } from "./span.ts";

const span: Span = { length: rdx, whole: r8, index: r9 };

/** `compute` changes register 0 from an element to what comes of it. */
function map(lanes: Lanes, compute: () => void): Code {
  const element = lanes.v(0);
  const [from, to] = [at(rdi, span.index), at(rsi, span.index)];
  prepare(lanes, span);
  pass(lanes, span, () => {
    lanes.load(element, from);
    compute();
    lanes.store(to, element);
  }, () => {
    lanes.loadTail(element, from);
    compute();
    lanes.storeTail(to, element);
  });
  lanes.return();
  return lanes.a.finish();
}

/** `void exp(const float *x, float *out, size_t length)` */
export function expCode(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  const constants = lanes.constants(3, EXP_CONSTANTS);
  return map(lanes, () => computeExp(lanes, constants, [0, 1, 2]));
}

/** `void gelu(const float *x, float *out, size_t length)` */
export function geluCode(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  const constants = lanes.constants(GELU_SCRATCH, geluConstants(level));
  return map(lanes, () => computeGelu(lanes, constants));
}

/** `void axpy(float alpha, const float *x, float *y, size_t length)` */
export function axpyCode(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  const [alpha, x, y] = [lanes.v(0), lanes.v(1), lanes.v(2)];
  const [from, to] = [at(rdi, span.index), at(rsi, span.index)];
  lanes.op("vbroadcastss", alpha, xmm(0));
  prepare(lanes, span);
  pass(lanes, span, () => {
    lanes.load(x, from);
    lanes.op("vfmadd213ps", x, alpha, to);
    lanes.store(to, x);
  }, () => {
    lanes.loadTail(x, from);
    lanes.loadTail(y, to);
    lanes.op("vfmadd213ps", x, alpha, y);
    lanes.storeTail(to, x);
  });
  lanes.return();
  return lanes.a.finish();
}
