/**
 * Machine code from TypeScript: an assembler for x86-64, with no compiler on the machine. It has one method
 * for each mnemonic, made from tables whose lines are those of Intel's manual; the types of the operands come
 * from the same lines, so that `a.vaddps(zmm(0), rax)` does not compile. Jumps get the shortest form that
 * reaches, encodings are those that GNU `as` chooses, and what an instruction asks of the CPU is noted.
 *
 * `load` makes functions of the code: it becomes a shared library in a sealed file in memory, which the host opens
 * as it opens any other. `cpu` says what the CPU can do. Like `/ffi` all this is `unsafe` by itself: wrong code, or
 * a wrong signature, ends the process.
 *
 * Written after Intel's Software Developer's Manual, volume 2.
 *
 * @example The sum of `rsi` floats at `rdi`, four at a time, and its bytes
 * ```ts
 * import { Assembler, ptr, rdi, rsi, xmm } from "@oxbow/oxbow/jit";
 *
 * const a = new Assembler();
 * const loop = a.label();
 * a.vxorps(xmm(0), xmm(0), xmm(0));
 * a.bind(loop);
 * a.vaddps(xmm(0), xmm(0), ptr(rdi));
 * a.add(rdi, 16);
 * a.sub(rsi, 4);
 * a.jnz(loop);
 * a.vhaddps(xmm(0), xmm(0), xmm(0));
 * a.vhaddps(xmm(0), xmm(0), xmm(0));
 * a.ret();
 * const { text, features } = a.finish();
 * console.log(text.length, features); // 27 Set(1) { "avx" }
 * ```
 *
 * @module
 */
export { Assembler } from "./assembler.ts";
export type { Code, Feature, Relocation } from "./code.ts";
export { type Cpu, cpu, type CpuLevel } from "./cpu.ts";
export type { Cache } from "./cpuid.ts";
export type { Operand } from "./encoder.ts";
export { type FunctionAt, functionAt } from "./function_at.ts";
export type { Instructions } from "./instructions/mod.ts";
export type { GprKind, Kind, MemoryKind, OtherKind, VectorKind } from "./kinds.ts";
export {
  type Kernel,
  type KernelTable,
  load,
  type Loadable,
  loadForProcess,
  MissingFeatureError,
  type Signatures,
} from "./load.ts";
export {
  broadcast,
  byte,
  dword,
  Memory,
  ptr,
  qword,
  type Term,
  word,
  xmmword,
  ymmword,
  zmmword,
} from "./memory.ts";
export { rdSae, rnSae, Rounding, ruSae, rzSae, sae, Suppress, Vex, vex } from "./modifiers.ts";
export type { Immediate, Methods, Table } from "./notation.ts";
export { Constant, Label, LibrarySymbol, symbol } from "./places.ts";
export * from "./registers.ts";
export { type GuardedRange, guardRange } from "./sigbus.ts";
export { type SignalName, SignalWatch } from "./signal.ts";
export { type SyscallArgument, UnsafeSyscallBatch } from "./syscall_batch.ts";
export { type SyscallSignature, type SyscallTable, type Unnumbered, unsafeSyscalls } from "./syscalls.ts";
