/** The program that runs a list of system calls. */
import { Assembler } from "./assembler.ts";
import type { Code } from "./code.ts";
import { FIRST_ERROR } from "./kernel_code.ts";
import { ptr } from "./memory.ts";
import { ebp, edx, esi, r10, r12, r12d, r8, r9, rax, rbp, rbx, rcx, rdi, rdx, rsi } from "./registers.ts";

const ENTRY_BYTES = 64;
/** The word of an entry that has the result. */
const RESULT = 7;

/**
 * `uint32_t run(struct { int64_t number, arguments[6], result; } *list, uint32_t count, uint32_t stop)`
 *
 * Runs the list, puts each result into its entry, and gives how many were run: fewer where `stop` is not 0 and
 * one failed, which is the last that was run.
 */
export function runCode(): Code {
  const a = new Assembler();
  const [next, done] = [a.label("next"), a.label("done")];
  const [entry, end, stop] = [rbx, rbp, r12d];
  // The kernel keeps all registers but rax, rcx and r11.
  for (const register of [rbx, rbp, r12, rdi]) a.push(register);
  a.mov(entry, rdi);
  a.mov(stop, edx);
  a.mov(ebp, esi);
  a.shl(end, 6);
  a.add(end, rdi);
  a.bind(next);
  a.cmp(entry, end);
  a.jae(done);
  for (const [i, register] of [rax, rdi, rsi, rdx, r10, r8, r9].entries()) a.mov(register, ptr(entry, 8 * i));
  a.syscall();
  a.mov(ptr(entry, 8 * RESULT), rax);
  a.add(entry, ENTRY_BYTES);
  a.cmp(rax, FIRST_ERROR);
  a.jb(next);
  a.test(stop, stop);
  a.jz(next);
  a.bind(done);
  a.pop(rcx);
  a.mov(rax, entry);
  a.sub(rax, rcx);
  a.shr(rax, 6);
  for (const register of [r12, rbp, rbx]) a.pop(register);
  a.ret();
  return a.finish();
}
