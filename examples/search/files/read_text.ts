/**
 * Reads one file for the index and judges whether it is text.
 *
 * Text is UTF-8 with no NUL among its first 8,000 bytes, which is git's test. Text in an old encoding, or
 * with a damaged place, still is text where no more than one character in ten is not UTF-8: each byte
 * sequence that is not becomes U+FFFD. All else is binary.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { codeOf } from "../errors.ts";
import { type FoundFile, isSameState, stateOf } from "./walk.ts";

/** What is larger was hardly written by hand. */
export const MAX_FILE_BYTES: number = 64 * 2 ** 20;
/** As many bytes are searched for a NUL. */
const SNIFFED_BYTES = 8000;
/** One character in so many may be damaged. */
const DAMAGE = 10;
const REPLACEMENT = 0xfffd;

/** Why a file is not in the index. */
export type Skip = "binary" | "large" | "changed" | "unreadable";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** The bytes of the file at `path`, or why it is skipped: `"changed"` where it is no longer what `found` says. */
export function readFile(path: string, found: FoundFile): Uint8Array<ArrayBuffer> | Skip {
  if (found.size > MAX_FILE_BYTES) return "large";
  let file;
  try {
    // Whatever may have come in its place since: no link is followed, no pipe waited for.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return codeOf(error) === "ENOENT" || codeOf(error) === "ELOOP" ? "changed" : "unreadable";
  }
  try {
    const bytes = new Uint8Array(found.size);
    if (!fill(file, bytes, 0, Math.min(SNIFFED_BYTES, found.size))) return "changed";
    if (bytes.subarray(0, SNIFFED_BYTES).includes(0)) return "binary";
    if (!fill(file, bytes, SNIFFED_BYTES, found.size)) return "changed";
    const status = fstatSync(file);
    return status.isFile() && isSameState(stateOf(status), found) ? bytes : "changed";
  } catch {
    return "unreadable";
  } finally {
    closeSync(file);
  }
}

/** Reads the bytes from `start` up to `end`; false where the file ends before. */
function fill(file: number, bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end;) {
    const read = readSync(file, bytes, at, end - at, null);
    if (read === 0) return false;
    at += read;
  }
  return true;
}

/** The text that `bytes` are, in UTF-8; undefined where they are binary. */
export function toText(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  if (isUtf8(bytes)) return bytes;
  const text = decoder.decode(bytes);
  let damaged = 0;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) === REPLACEMENT) damaged++;
  }
  return damaged * DAMAGE <= text.length ? encoder.encode(text) : undefined;
}
