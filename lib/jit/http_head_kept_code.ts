/**
 * Lines of fields that are kept from the head before: one that comes again in its place is compared, and what was
 * found in it is taken over.
 */
import type { Assembler } from "./assembler.ts";
import { compareHost } from "./http_head_deciding_code.ts";
import {
  at,
  at32,
  bytes,
  end,
  lastKept,
  line,
  one,
  spans,
  start,
  table,
  valueStart,
  WIDTH,
} from "./http_head_registers.ts";
import { AT, HOST, WORD } from "./http_head_table.ts";
import { byte, dword, ptr } from "./memory.ts";
import type { Label } from "./places.ts";
import { cl, eax, ebp, ebx, ecx, rax, rbx, rcx } from "./registers.ts";

/** Moves the kept field's spans to where its line stands now, and `at` behind it: rcx is the line's length. */
function takeKept(a: Assembler, next: Label): void {
  a.mov(rax, at);
  a.sub(rax, start);
  a.sub(eax, dword(spans));
  a.movd(one, eax);
  a.pshufd(one, one, 0);
  a.movdqu(bytes, ptr(spans));
  a.paddd(bytes, one);
  a.movdqu(ptr(spans), bytes);
  a.add(at, rcx);
  a.add(spans, 16);
  a.add(line, 4);
  a.movzx(ecx, byte(line, -4));
  a.test(ecx, ecx);
  a.jz(next);
  a.mov(eax, dword(spans, -8));
  a.mov(dword(table, rcx.times(8), 4 * WORD.values - 8), eax);
  a.mov(eax, dword(spans, -4));
  a.mov(dword(table, rcx.times(8), 4 * WORD.values - 4), eax);
  a.mov(eax, 1);
  a.shl(eax, cl);
  a.shr(eax, 1);
  a.mov(ebx, at32(WORD.seen));
  a.and(ebx, eax);
  a.or(at32(WORD.repeated), ebx);
  a.or(at32(WORD.seen), eax);
  a.cmp(ecx, HOST + 1);
  a.jne(next);
  a.mov(eax, dword(spans, -8));
  a.lea(valueStart, ptr(start, rax));
  a.mov(eax, dword(spans, -4));
  a.add(rax, start);
  compareHost(a);
  a.jmp(next);
}

/** Bits in ebp for the bytes at `index` that are the kept line's as well. */
function equalBytes(a: Assembler, index: typeof rax | typeof rcx): void {
  a.movdqu(bytes, ptr(at, index));
  a.movdqu(one, ptr(rbx, index));
  a.pcmpeqb(bytes, one);
  a.pmovmskb(ebp, bytes);
}

/** Takes the line where it is the kept one, and goes to `next`: its bytes were looked at already. */
export function keptField(a: Assembler, next: Label): void {
  const [vector, tail, short, equal, other] = [a.label(), a.label(), a.label(), a.label(), a.label()];
  a.cmp(spans, lastKept);
  a.jae(other);
  a.mov(eax, dword(spans));
  a.mov(ecx, dword(spans, 16));
  a.sub(ecx, eax);
  a.mov(ebx, at32(WORD.kept));
  a.add(rbx, rax);
  a.lea(rbx, ptr(table, rbx, AT.heads));
  a.lea(rax, ptr(at, rcx));
  a.cmp(rax, end);
  a.ja(other);
  a.sub(rcx, WIDTH);
  a.jl(short);
  a.xor(eax, eax);
  a.bind(vector);
  a.cmp(rax, rcx);
  a.jae(tail);
  equalBytes(a, rax);
  a.cmp(ebp, 0xffff);
  a.jne(other);
  a.add(rax, WIDTH);
  a.jmp(vector);
  // The line's last sixteen bytes, or what stands before a shorter one with it.
  a.bind(tail);
  equalBytes(a, rcx);
  a.add(rcx, WIDTH);
  a.cmp(ebp, 0xffff);
  a.je(equal);
  a.jmp(other);
  a.bind(short);
  equalBytes(a, rcx);
  a.neg(ecx);
  a.mov(eax, 0xffff);
  a.shr(ebp, cl);
  a.shr(eax, cl);
  a.neg(rcx);
  a.add(rcx, WIDTH);
  a.cmp(ebp, eax);
  a.jne(other);
  a.bind(equal);
  takeKept(a, next);
  a.bind(other);
  a.mov(at32(WORD.isSameFields), 0);
}
