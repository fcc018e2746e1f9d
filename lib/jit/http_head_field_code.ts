/** A line of fields: a name, a value without the spaces around it, and what both say of the request. */
import type { Assembler } from "./assembler.ts";
import { expectName, keepDeciding } from "./http_head_deciding_code.ts";
import { keptField } from "./http_head_kept_code.ts";
import {
  at,
  end,
  last,
  lastSpans,
  line,
  nameEnd,
  nameStart,
  spans,
  start,
  valueStart,
} from "./http_head_registers.ts";
import { expectCrlf, find, outsideName, outsideValue, skipToken } from "./http_head_search_code.ts";
import { DECIDING } from "./http_head_table.ts";
import { byte, dword } from "./memory.ts";
import type { Label } from "./places.ts";
import { ebp, ecx, rax, rcx } from "./registers.ts";

const SP = 0x20;
const COLON = 0x3a;

/** Reads the line at `at` and notes it, then goes to `next`, or on from here where the field decides nothing. */
export function field(a: Assembler, next: Label, fail: Label): void {
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
