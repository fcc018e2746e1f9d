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
import { field } from "./http_head_field_code.ts";
import {
  at,
  at32,
  CONSTANTS,
  end,
  last,
  lastKept,
  lastSpans,
  line,
  SAVED,
  spans,
  start,
  table,
  WIDTH,
} from "./http_head_registers.ts";
import { compareRemembered, copyHead } from "./http_head_remembered_code.ts";
import { requestLine } from "./http_head_request_line_code.ts";
import { expectCrlf } from "./http_head_search_code.ts";
import { AT, WORD } from "./http_head_table.ts";
import { dword, ptr, qword } from "./memory.ts";
import { eax, ecx, edx, esi, rax, rcx, rdx } from "./registers.ts";

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
  for (const [i, constant] of CONSTANTS.entries()) a.movdqu(constant, ptr(table, AT.vectors + 16 * i));
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
