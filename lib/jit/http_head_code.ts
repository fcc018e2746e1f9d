/**
 * The scanner of HTTP/1.1 request heads: one pass over a head that is there as a whole and is plainly right, sixteen
 * bytes at a time. Whatever else there is, it leaves to the scanner in TypeScript, whose rules these are but for
 * what hardly ever comes: a tab in a value, empty lines before the request, a target that is no path. So it knows no
 * error, and needs to stay right only where it says yes.
 *
 * It copies what it says yes to, and a line of fields that is the one that stood there in the head before is compared
 * and not read again.
 *
 * It reads the bytes that it was given and none beyond: the last sixteen of them stand in for a vector that
 * would reach further, which is why fewer than sixteen are no head for it.
 */
import { Assembler } from "./assembler.ts";
import type { Code } from "./code.ts";
import { AT, DECIDING, HOST, MOST_COPIED, VECTORS, WORD } from "./http_head_table.ts";
import { byte, dword, ptr, qword, word } from "./memory.ts";
import type { Label } from "./places.ts";
import {
  cl,
  eax,
  ebp,
  ebx,
  ecx,
  edx,
  esi,
  r10,
  r11,
  r12,
  r13,
  r14,
  r8,
  r8d,
  r9,
  rax,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  xmm,
} from "./registers.ts";

const GET_ = 0x20544547;
const HTTP_1_ = 0x2e312f50545448n;
const CRLF = 0x0a0d;
const SP = 0x20;
const COLON = 0x3a;
const SLASH = 0x2f;
const CASE = 0x20;
const WIDTH = 16;

const [table, start, at, end, last, spans, lastSpans] = [rdi, rsi, rdx, r9, r10, r8, r11];
const [nameStart, nameEnd, valueStart] = [rbx, rbp, r12];
/** The word of the field, and the end of the kept ones' spans. */
const [line, lastKept] = [r13, r14];
const SAVED = [rbx, rbp, r12, r13, r14];
const [SPACES, DELETES, HASHES, CONTROLS, LETTERS_FROM, LETTERS, DIGITS_FROM, DIGITS, DASHES] = VECTORS.map((
  _,
  i,
) => xmm(7 + i));
const [bytes, one, two] = [xmm(0), xmm(1), xmm(2)];

function at32(index: number): ReturnType<typeof dword> {
  return dword(table, 4 * index);
}

/** Bits in eax for the bytes that no target may hold. */
function outsideTarget(a: Assembler): void {
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
function outsideValue(a: Assembler): void {
  a.movdqa(one, bytes);
  a.pminub(one, CONTROLS);
  a.pcmpeqb(one, bytes);
  a.pcmpeqb(bytes, DELETES);
  a.por(one, bytes);
  a.pmovmskb(eax, one);
}

/** For all but letters, digits and `-`, which are what most names are made of. */
function outsideName(a: Assembler): void {
  const three = xmm(3);
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
function find(a: Assembler, outside: (a: Assembler) => void, fail: Label): void {
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
function skipToken(a: Assembler, fail: Label): void {
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
function expectCrlf(a: Assembler, otherwise: Label, fail: Label): void {
  a.lea(rax, ptr(at, 2));
  a.cmp(rax, end);
  a.ja(fail);
  a.cmp(word(at), CRLF);
  a.jne(otherwise);
}

function requestLine(a: Assembler, fail: Label): void {
  const [isGet, isMethod] = [a.label(), a.label()];
  a.mov(at32(WORD.isGet), 1);
  a.cmp(dword(at), GET_);
  a.je(isGet);
  a.mov(at32(WORD.isGet), 0);
  skipToken(a, fail);
  a.cmp(at, start);
  a.je(fail);
  a.cmp(byte(at), SP);
  a.jne(fail);
  a.jmp(isMethod);
  a.bind(isGet);
  a.add(at, 3);
  a.bind(isMethod);
  a.mov(rax, at);
  a.sub(rax, start);
  a.mov(at32(WORD.methodEnd), eax);
  a.inc(at);
  a.cmp(at, end);
  a.jae(fail);
  a.cmp(byte(at), SLASH);
  a.jne(fail);
  find(a, outsideTarget, fail);
  a.cmp(byte(at), SP);
  a.jne(fail);
  a.mov(rax, at);
  a.sub(rax, start);
  a.mov(at32(WORD.targetEnd), eax);
  a.lea(rax, ptr(at, 11));
  a.cmp(rax, end);
  a.ja(fail);
  a.cmp(word(at, 9), CRLF);
  a.jne(fail);
  // The version's last digit is shifted out.
  a.movzx(ecx, byte(at, 8));
  a.mov(rax, qword(at, 1));
  a.shl(rax, 8);
  a.shr(rax, 8);
  a.mov(r8, HTTP_1_);
  a.cmp(rax, r8);
  a.jne(fail);
  a.sub(ecx, 0x30);
  a.cmp(ecx, 1);
  a.ja(fail);
  a.mov(at32(WORD.minor), ecx);
  a.add(at, 11);
  a.mov(rax, at);
  a.sub(rax, start);
  a.mov(at32(WORD.fieldsStart), eax);
}

/** The bytes of `text` from `from` on as a number, up to eight of them. */
function wordOf(text: string, from: number, length: number): bigint {
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(text.charCodeAt(from + i));
  return value;
}

/** Goes to `otherwise` unless the name is that, in whatever case. */
function expectName(a: Assembler, name: string, otherwise: Label): void {
  const cases = BigInt(CASE) * 0x0101010101010101n;
  let from = 0;
  for (; from + 8 <= name.length; from += 8) {
    a.mov(rax, cases);
    a.or(rax, qword(nameStart, from));
    a.mov(rcx, wordOf(name, from, 8));
    a.cmp(rax, rcx);
    a.jne(otherwise);
  }
  for (const width of [4, 2, 1]) {
    if (from + width > name.length) continue;
    if (width === 4) a.mov(eax, dword(nameStart, from));
    else if (width === 2) a.movzx(eax, word(nameStart, from));
    else a.movzx(eax, byte(nameStart, from));
    a.or(eax, Number(cases & ((1n << BigInt(8 * width)) - 1n)));
    a.cmp(eax, Number(wordOf(name, from, width)));
    a.jne(otherwise);
    from += width;
  }
}

/** Notes whether the value of the `Host` field, which ends at rax, is the known one, of eight bytes or more. */
function compareHost(a: Assembler): void {
  const [next, end, done] = [a.label(), a.label(), a.label()];
  a.mov(at32(WORD.isKnownHost), 0);
  a.sub(rax, valueStart);
  a.cmp(eax, at32(WORD.knownHostLength));
  a.jne(done);
  a.sub(rax, 8);
  a.xor(ebx, ebx);
  a.bind(next);
  a.cmp(rbx, rax);
  a.jae(end);
  a.mov(rcx, qword(valueStart, rbx));
  a.cmp(rcx, qword(table, rbx, AT.knownHost));
  a.jne(done);
  a.add(rbx, 8);
  a.jmp(next);
  a.bind(end);
  a.mov(rcx, qword(valueStart, rax));
  a.cmp(rcx, qword(table, rax, AT.knownHost));
  a.jne(done);
  a.mov(at32(WORD.isKnownHost), 1);
  a.bind(done);
}

/** Notes a field that decides; where its value ends is in rax. */
function keepDeciding(a: Assembler, index: number): void {
  a.mov(dword(line, -4), index + 1);
  a.mov(rcx, rax);
  a.sub(rcx, start);
  a.mov(at32(WORD.values + 2 * index + 1), ecx);
  a.mov(rcx, valueStart);
  a.sub(rcx, start);
  a.mov(at32(WORD.values + 2 * index), ecx);
  a.mov(ecx, at32(WORD.seen));
  a.and(ecx, 1 << index);
  a.or(at32(WORD.repeated), ecx);
  a.or(at32(WORD.seen), 1 << index);
  if (index === HOST) compareHost(a);
}

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

/** Takes the line where it is the kept one, and goes to `next`: its bytes were looked at already. */
function keptField(a: Assembler, next: Label): void {
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
  a.movdqu(bytes, ptr(at, rax));
  a.movdqu(one, ptr(rbx, rax));
  a.pcmpeqb(bytes, one);
  a.pmovmskb(ebp, bytes);
  a.cmp(ebp, 0xffff);
  a.jne(other);
  a.add(rax, WIDTH);
  a.jmp(vector);
  // The line's last sixteen bytes, or what stands before a shorter one with it.
  a.bind(tail);
  a.movdqu(bytes, ptr(at, rcx));
  a.movdqu(one, ptr(rbx, rcx));
  a.pcmpeqb(bytes, one);
  a.pmovmskb(ebp, bytes);
  a.add(rcx, WIDTH);
  a.cmp(ebp, 0xffff);
  a.je(equal);
  a.jmp(other);
  a.bind(short);
  a.movdqu(bytes, ptr(at, rcx));
  a.movdqu(one, ptr(rbx, rcx));
  a.pcmpeqb(bytes, one);
  a.pmovmskb(ebp, bytes);
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

function field(a: Assembler, next: Label, fail: Label): void {
  const [isName, skip, trim, trimmed] = [a.label(), a.label(), a.label(), a.label()];
  a.cmp(spans, lastSpans);
  a.jae(fail);
  keptField(a, next);
  a.mov(nameStart, at);
  find(a, outsideName, fail);
  a.cmp(byte(at), COLON);
  a.je(isName);
  skipToken(a, fail);
  a.cmp(byte(at), COLON);
  a.jne(fail);
  a.bind(isName);
  a.mov(nameEnd, at);
  a.cmp(nameEnd, nameStart);
  a.je(fail);
  a.bind(skip);
  a.inc(at);
  a.cmp(at, end);
  a.jae(fail);
  a.cmp(byte(at), SP);
  a.je(skip);
  a.mov(valueStart, at);
  find(a, outsideValue, fail);
  expectCrlf(a, fail, fail);
  a.mov(rax, at);
  a.add(at, 2);
  a.bind(trim);
  a.cmp(rax, valueStart);
  a.je(trimmed);
  a.cmp(byte(rax, -1), SP);
  a.jne(trimmed);
  a.dec(rax);
  a.jmp(trim);
  a.bind(trimmed);
  for (const [i, position] of [nameStart, nameEnd, valueStart, rax].entries()) {
    a.mov(rcx, position);
    a.sub(rcx, start);
    a.mov(dword(spans, 4 * i), ecx);
  }
  a.add(spans, 16);
  a.mov(dword(line), 0);
  a.add(line, 4);
  // From here on the name's length.
  a.sub(nameEnd, nameStart);
  for (const [index, name] of DECIDING.entries()) {
    const other = a.label();
    a.cmp(ebp, name.length);
    a.jne(other);
    // What is compared takes rax, and the value's end is wanted after it.
    a.mov(last, rax);
    expectName(a, name, next);
    a.mov(rax, last);
    keepDeciding(a, index);
    a.jmp(next);
    a.bind(other);
  }
}

/** Goes to `same` where the bytes begin with those that are remembered: it looks at all of them in any case. */
function compareRemembered(a: Assembler, same: Label): void {
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
  a.movdqu(bytes, ptr(start, rax));
  a.movdqu(one, ptr(r8, rax));
  a.pxor(bytes, one);
  a.por(two, bytes);
  a.add(rax, WIDTH);
  a.jmp(next);
  a.bind(rest);
  a.movdqu(bytes, ptr(start, rcx));
  a.movdqu(one, ptr(r8, rcx));
  a.pxor(bytes, one);
  a.por(two, bytes);
  a.pxor(one, one);
  a.pcmpeqb(two, one);
  a.pmovmskb(eax, two);
  a.cmp(eax, 0xffff);
  a.je(same);
  a.bind(other);
}

/** Copies the head, whose length is in rax, to where it can be remembered. */
function copyHead(a: Assembler): void {
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

/**
 * `uint32_t scan(struct table *, uint32_t from, uint32_t end)`: how many of the bytes from `from` on, where the
 * table says that they lie, are a head, of which it then tells; 0 where the scanner in TypeScript must look.
 */
export function httpHeadCode(): Code {
  const a = new Assembler();
  const [next, isField, isAsMany, fail] = [a.label(), a.label(), a.label(), a.label()];
  const [none, same] = [a.label(), a.label()];
  a.mov(at32(WORD.isRemembered), 0);
  a.mov(esi, esi);
  a.mov(edx, edx);
  a.mov(rax, qword(table, AT.address));
  a.lea(end, ptr(rax, rdx));
  a.add(start, rax);
  a.lea(last, ptr(end, -WIDTH));
  a.cmp(start, last);
  a.ja(none);
  compareRemembered(a, same);
  for (const register of SAVED) a.push(register);
  for (const [i] of VECTORS.entries()) a.movdqu(xmm(7 + i), ptr(table, AT.vectors + 16 * i));
  a.mov(at, start);
  requestLine(a, fail);
  a.mov(at32(WORD.seen), 0);
  a.mov(at32(WORD.repeated), 0);
  a.lea(spans, ptr(table, 4 * WORD.spans));
  a.lea(line, ptr(table, 4 * WORD.lines));
  a.mov(eax, at32(WORD.mostFields));
  a.shl(rax, 4);
  a.lea(lastSpans, ptr(spans, rax));
  a.mov(eax, at32(WORD.keptLines));
  a.mov(at32(WORD.isSameFields), eax);
  a.mov(at32(WORD.keptLines), 0);
  a.shl(rax, 4);
  a.lea(lastKept, ptr(spans, rax));
  a.bind(next);
  a.lea(last, ptr(end, -WIDTH));
  expectCrlf(a, isField, fail);
  a.mov(rax, spans);
  a.sub(rax, table);
  a.sub(rax, 4 * WORD.spans);
  a.shr(rax, 4);
  a.mov(at32(WORD.fields), eax);
  // Where a line of fields would begin: the last one's length is known by it.
  a.mov(rcx, at);
  a.sub(rcx, start);
  a.mov(dword(spans), ecx);
  a.cmp(spans, lastKept);
  a.je(isAsMany);
  a.mov(at32(WORD.isSameFields), 0);
  a.bind(isAsMany);
  a.lea(rax, ptr(at, 2));
  a.sub(rax, start);
  copyHead(a);
  for (const register of SAVED.toReversed()) a.pop(register);
  a.ret();
  a.bind(isField);
  field(a, next, fail);
  a.jmp(next);
  a.bind(fail);
  for (const register of SAVED.toReversed()) a.pop(register);
  a.bind(none);
  a.xor(eax, eax);
  a.ret();
  a.bind(same);
  a.mov(at32(WORD.isRemembered), 1);
  a.lea(eax, ptr(rcx, WIDTH));
  a.ret();
  return a.finish();
}
