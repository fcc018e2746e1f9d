/** The programs that ask the CPU. */
import { Assembler } from "./assembler.ts";
import type { Code } from "./code.ts";
import { dword } from "./memory.ts";
import { eax, ebx, ecx, edi, edx, esi, r8, rbx, rdx } from "./registers.ts";

/** `void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4])` */
export function cpuidCode(): Code {
  const a = new Assembler();
  a.push(rbx); // The caller's.
  a.mov(r8, rdx);
  a.mov(eax, edi);
  a.mov(ecx, esi);
  a.cpuid();
  for (const [i, register] of [eax, ebx, ecx, edx].entries()) a.mov(dword(r8, 4 * i), register);
  a.pop(rbx);
  a.ret();
  return a.finish();
}

/** `uint32_t xgetbv(void)`: the lower half of XCR0, which has all that there is. */
export function xgetbvCode(): Code {
  const a = new Assembler();
  a.xor(ecx, ecx);
  a.xgetbv();
  a.ret();
  return a.finish();
}
