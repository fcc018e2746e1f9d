/** A head that is remembered as a whole: whether the next one is it, and the copy that makes it so. */
import type { Assembler } from "./assembler.ts";
import { at32, bytes, end, one, start, table, two, WIDTH } from "./http_head_registers.ts";
import { AT, MOST_COPIED, WORD } from "./http_head_table.ts";
import { ptr } from "./memory.ts";
import type { Label } from "./places.ts";
import { eax, ecx, r8, r8d, rax, rbp, rbx, rcx } from "./registers.ts";

/** Adds to `two` what of the bytes at `index` is not as it is remembered. */
function differences(a: Assembler, index: typeof rax | typeof rcx): void {
  a.movdqu(bytes, ptr(start, index));
  a.movdqu(one, ptr(r8, index));
  a.pxor(bytes, one);
  a.por(two, bytes);
}

/** Goes to `same` where the bytes begin with those that are remembered: it looks at all of them in any case. */
export function compareRemembered(a: Assembler, same: Label): void {
  const [next, rest, other] = [a.label(), a.label(), a.label()];
  a.mov(ecx, at32(WORD.rememberedLength));
  a.test(ecx, ecx);
  a.jz(other);
  a.lea(rax, ptr(start, rcx));
  a.cmp(rax, end);
  a.ja(other);
  a.sub(rcx, WIDTH);
  a.mov(r8d, at32(WORD.kept));
  a.lea(r8, ptr(table, r8, AT.heads));
  a.xor(eax, eax);
  a.pxor(two, two);
  a.bind(next);
  a.cmp(rax, rcx);
  a.jae(rest);
  differences(a, rax);
  a.add(rax, WIDTH);
  a.jmp(next);
  a.bind(rest);
  differences(a, rcx);
  a.pxor(one, one);
  a.pcmpeqb(two, one);
  a.pmovmskb(eax, two);
  a.cmp(eax, 0xffff);
  a.je(same);
  a.bind(other);
}

/** Copies the head, whose length is in rax, to where it can be remembered. */
export function copyHead(a: Assembler): void {
  const [next, rest, done] = [a.label(), a.label(), a.label()];
  a.mov(at32(WORD.rememberedLength), 0);
  a.cmp(rax, MOST_COPIED);
  a.ja(done);
  a.mov(ecx, at32(WORD.fields));
  a.mov(at32(WORD.keptLines), ecx);
  a.mov(ecx, at32(WORD.room));
  a.mov(at32(WORD.kept), ecx);
  a.lea(rbp, ptr(table, rcx, AT.heads));
  a.mov(rbx, rax);
  a.sub(rbx, WIDTH);
  a.xor(ecx, ecx);
  a.bind(next);
  a.cmp(rcx, rbx);
  a.jae(rest);
  a.movdqu(bytes, ptr(start, rcx));
  a.movdqu(ptr(rbp, rcx), bytes);
  a.add(rcx, WIDTH);
  a.jmp(next);
  a.bind(rest);
  a.movdqu(bytes, ptr(start, rbx));
  a.movdqu(ptr(rbp, rbx), bytes);
  a.bind(done);
}
