/** Kernels that measure: the most that this machine loads and multiplies, and a kernel called by machine code. */
import { type Code, ptr, r12, r13, r14, rbx, rcx, rdi, rdx, rsi, rsp, symbol } from "../../lib/jit/mod.ts";
import { type KernelLevel, Lanes } from "../../lib/vector/kernels/lanes.ts";

/** Independent operations in a turn of a loop, more than any CPU has under way on its ports. */
const SIDE_BY_SIDE = 12;

/** Multiply-adds of float32 in a turn of `fmaPeak`. */
export function multiplyAdds(level: KernelLevel): number {
  return SIDE_BY_SIDE * new Lanes(level).count;
}

/** `void fma_peak(size_t turns)`: multiply-adds between registers, each waiting for none but its own. */
export function fmaPeak(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  const { a } = lanes;
  const loop = a.label("loop");
  for (let i = 0; i < SIDE_BY_SIDE + 2; i++) lanes.zero(lanes.v(i));
  a.align(64);
  a.bind(loop);
  for (let i = 0; i < SIDE_BY_SIDE; i++) {
    lanes.op("vfmadd231ps", lanes.v(i), lanes.v(SIDE_BY_SIDE), lanes.v(SIDE_BY_SIDE + 1));
  }
  a.dec(rdi);
  a.jnz(loop);
  lanes.return();
  return a.finish();
}

const LOADS = 8;

/** `void load_peak(const float *x, size_t length)`: loads that nothing waits for, of whole blocks of 1 KiB. */
export function loadPeak(level: KernelLevel): Code {
  const lanes = new Lanes(level);
  const { a } = lanes;
  const loop = a.label("loop");
  a.shr(rsi, Math.log2(LOADS * lanes.count));
  a.align(64);
  a.bind(loop);
  for (let i = 0; i < LOADS; i++) lanes.load(lanes.v(i), ptr(rdi, i * lanes.bytes));
  a.add(rdi, LOADS * lanes.bytes);
  a.dec(rsi);
  a.jnz(loop);
  lanes.return();
  return a.finish();
}

/** `double repeat(const float *x, const float *y, size_t length, size_t turns)`: calls `name` so often. */
export function repeat(level: KernelLevel, name: string, parameters: "x, y" | "x"): Code {
  const { a } = new Lanes(level);
  const loop = a.label("loop");
  const saved = [rbx, r12, r13, r14];
  for (const register of saved) a.push(register);
  a.sub(rsp, 8);
  a.mov(rbx, rdi);
  a.mov(r12, rsi);
  a.mov(r13, rdx);
  a.mov(r14, rcx);
  a.bind(loop);
  a.mov(rdi, rbx);
  a.mov(rsi, parameters === "x" ? r13 : r12);
  a.mov(rdx, r13);
  a.call(symbol(name));
  a.dec(r14);
  a.jnz(loop);
  a.add(rsp, 8);
  for (const register of saved.toReversed()) a.pop(register);
  a.ret();
  return a.finish();
}
