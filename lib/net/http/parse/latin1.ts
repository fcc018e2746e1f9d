import type { Buffer } from "node:buffer";
import { hostName } from "../../../../ffi/mod.ts";

/** V8's hosts leave the compiled code for each text that they decode; JavaScriptCore's does not. */
export const isCallDear: boolean = hostName !== "bun";
const of = String.fromCharCode;

/** The bytes from `start` to `end` as text, a character for each. */
export function latin1(b: Buffer, start: number, end: number): string {
  const text = isCallDear ? short(b, start, end - start) : null;
  return text ?? b.toString("latin1", start, end);
}

/** That of a few bytes, for which a call would cost more than it does. */
function short(b: Buffer, i: number, length: number): string | null {
  switch (length) {
    case 0:
      return "";
    case 1:
      return of(b[i]);
    case 2:
      return of(b[i], b[i + 1]);
    case 3:
      return of(b[i], b[i + 1], b[i + 2]);
    case 4:
      return of(b[i], b[i + 1], b[i + 2], b[i + 3]);
    case 5:
      return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4]);
    case 6:
      return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5]);
    case 7:
      return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6]);
    case 8:
      return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7]);
    default:
      return length > 16
        ? null
        : of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7]) +
          short(b, i + 8, length - 8);
  }
}

/** Whether `text` lies at `start` of `bytes`, a byte for each character. */
export function isAt(text: string, bytes: Uint8Array, start: number): boolean {
  let i = 0;
  while (i < text.length && bytes[start + i] === text.charCodeAt(i)) i++;
  return i === text.length;
}
