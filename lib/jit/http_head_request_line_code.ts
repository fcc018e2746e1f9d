/** The first line of a head: a method, a target that is a path, and version 1.0 or 1.1. */
import type { Assembler } from "./assembler.ts";
import { at, at32, end, start } from "./http_head_registers.ts";
import { CRLF, find, outsideTarget, skipToken } from "./http_head_search_code.ts";
import { WORD } from "./http_head_table.ts";
import { byte, dword, ptr, qword, word } from "./memory.ts";
import type { Label } from "./places.ts";
import { eax, ecx, r8, rax } from "./registers.ts";

const GET_ = 0x20544547;
const HTTP_1_ = 0x2e312f50545448n;
const SP = 0x20;
const SLASH = 0x2f;

/** Moves `at` from the head's first byte to its first field. */
export function requestLine(a: Assembler, fail: Label): void {
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
