/** Where a target, a name or a value ends, and whether a line does. */
import type { Assembler } from "./assembler.ts";
import { AT } from "./http_head_table.ts";
import { at, bytes, CONSTANTS, end, last, one, table, three, two, WIDTH } from "./http_head_registers.ts";
import { byte, ptr, word } from "./memory.ts";
import type { Label } from "./places.ts";
import { cl, eax, rax, rcx } from "./registers.ts";

export const CRLF = 0x0a0d;
const [SPACES, DELETES, HASHES, CONTROLS, LETTERS_FROM, LETTERS, DIGITS_FROM, DIGITS, DASHES] = CONSTANTS;

/** Bits in eax for the bytes that no target may hold. */
export function outsideTarget(a: Assembler): void {
  a.movdqa(one, bytes);
  a.pcmpgtb(one, SPACES);
  a.movdqa(two, bytes);
  a.pcmpeqb(two, DELETES);
  a.pcmpeqb(bytes, HASHES);
  a.por(bytes, two);
  a.pandn(bytes, one);
  a.pmovmskb(eax, bytes);
  a.xor(eax, 0xffff);
}

/** For those that no value may hold, and for tabs. */
export function outsideValue(a: Assembler): void {
  a.movdqa(one, bytes);
  a.pminub(one, CONTROLS);
  a.pcmpeqb(one, bytes);
  a.pcmpeqb(bytes, DELETES);
  a.por(one, bytes);
  a.pmovmskb(eax, one);
}

/** For all but letters, digits and `-`, which are what most names are made of. */
export function outsideName(a: Assembler): void {
  a.movdqa(one, bytes);
  a.por(one, SPACES);
  a.psubb(one, LETTERS_FROM);
  a.movdqa(two, one);
  a.pminub(two, LETTERS);
  a.pcmpeqb(two, one);
  a.movdqa(one, bytes);
  a.psubb(one, DIGITS_FROM);
  a.movdqa(three, one);
  a.pminub(three, DIGITS);
  a.pcmpeqb(three, one);
  a.pcmpeqb(bytes, DASHES);
  a.por(two, three);
  a.por(two, bytes);
  a.pmovmskb(eax, two);
  a.xor(eax, 0xffff);
}

/** Moves `at` to the first byte from there on that is `outside`, or goes to `fail` where none is. */
export function find(a: Assembler, outside: (a: Assembler) => void, fail: Label): void {
  const [next, rest, found] = [a.label(), a.label(), a.label()];
  a.bind(next);
  a.cmp(at, last);
  a.ja(rest);
  a.movdqu(bytes, ptr(at));
  outside(a);
  a.test(eax, eax);
  a.jnz(found);
  a.add(at, WIDTH);
  a.jmp(next);
  // The last vector that there is, without what was seen of it.
  a.bind(rest);
  a.cmp(at, end);
  a.jae(fail);
  a.movdqu(bytes, ptr(last));
  a.mov(rcx, at);
  a.sub(rcx, last);
  outside(a);
  a.shr(eax, cl);
  a.test(eax, eax);
  a.jz(fail);
  a.bind(found);
  a.bsf(eax, eax);
  a.add(at, rax);
}

/** Moves `at` to the first byte from there on that is in no token. */
export function skipToken(a: Assembler, fail: Label): void {
  const [next, done] = [a.label(), a.label()];
  a.bind(next);
  a.cmp(at, end);
  a.jae(fail);
  a.movzx(eax, byte(at));
  a.cmp(byte(table, rax, AT.tokens), 0);
  a.jz(done);
  a.inc(at);
  a.jmp(next);
  a.bind(done);
}

/** Whether the two bytes at `at` end a line. */
export function expectCrlf(a: Assembler, otherwise: Label, fail: Label): void {
  a.lea(rax, ptr(at, 2));
  a.cmp(rax, end);
  a.ja(fail);
  a.cmp(word(at), CRLF);
  a.jne(otherwise);
}
