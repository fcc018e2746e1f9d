/**
 * Which register has what in the scanner of request heads. rax and rcx are anyone's, and so is another one while what
 * it is for is not wanted.
 */
import { VECTORS } from "./http_head_table.ts";
import { dword } from "./memory.ts";
import {
  type Gpr,
  r10,
  r11,
  r12,
  r13,
  r14,
  r8,
  r9,
  rbp,
  rbx,
  rdi,
  rdx,
  rsi,
  type Xmm,
  xmm,
} from "./registers.ts";

/** How many bytes are looked at together. */
export const WIDTH = 16;

/** The table that it shares with its caller. */
export const table: Gpr<"r64"> = rdi;
/** Where the head begins, what is read next, and where the bytes end. */
export const start: Gpr<"r64"> = rsi;
export const at: Gpr<"r64"> = rdx;
export const end: Gpr<"r64"> = r9;
/** The last place at which a vector does not reach beyond `end`. */
export const last: Gpr<"r64"> = r10;
/** The spans of the field, and where there is no room for them any more. */
export const spans: Gpr<"r64"> = r8;
export const lastSpans: Gpr<"r64"> = r11;
export const nameStart: Gpr<"r64"> = rbx;
export const nameEnd: Gpr<"r64"> = rbp;
export const valueStart: Gpr<"r64"> = r12;
/** The word of the field, and the end of the kept ones' spans. */
export const line: Gpr<"r64"> = r13;
export const lastKept: Gpr<"r64"> = r14;

/** Those of them that are the caller's to have back. */
export const SAVED: readonly Gpr<"r64">[] = [rbx, rbp, r12, r13, r14];

/** The bytes that are looked at, and what comes of them. */
export const bytes: Xmm = xmm(0);
export const one: Xmm = xmm(1);
export const two: Xmm = xmm(2);
export const three: Xmm = xmm(3);
/** What of {@linkcode VECTORS} each of the registers from xmm7 on is full of. */
export const CONSTANTS: readonly Xmm[] = VECTORS.map((_, i) => xmm(7 + i));

/** A word of the table: one of `WORD`. */
export function at32(index: number): ReturnType<typeof dword> {
  return dword(table, 4 * index);
}
