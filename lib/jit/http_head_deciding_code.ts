/** The fields that decide how a request is read: which of them a name is, and what is noted of it. */
import type { Assembler } from "./assembler.ts";
import { at32, line, nameStart, start, table, valueStart } from "./http_head_registers.ts";
import { AT, HOST, WORD } from "./http_head_table.ts";
import { byte, dword, qword, word } from "./memory.ts";
import type { Label } from "./places.ts";
import { eax, ebx, ecx, rax, rbx, rcx } from "./registers.ts";

const CASE = 0x20;

/** The bytes of `text` from `from` on as a number, up to eight of them. */
function wordOf(text: string, from: number, length: number): bigint {
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(text.charCodeAt(from + i));
  return value;
}

/** Goes to `otherwise` unless the name is that, in whatever case. */
export function expectName(a: Assembler, name: string, otherwise: Label): void {
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
export function compareHost(a: Assembler): void {
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
export function keepDeciding(a: Assembler, index: number): void {
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
