/** `/proc/self/maps`, for a range of this process's memory: proc_pid_maps(5). */
import { cString, offset } from "./pointer.ts";
import { fromPointer } from "./host.ts";
import { libc } from "./libc.ts";
import { mman } from "./mman.ts";
import { check } from "./system_error.ts";
import type { Pointer } from "./types.ts";

const O_CLOEXEC = 0o2000000;
const CHUNK = 1 << 16;

/** A part of a range, in bytes from its start. */
export interface Part {
  readonly offset: number;
  readonly length: number;
}

function readMaps(): string {
  const path = "/proc/self/maps";
  const fd = check(libc().open(cString(path), O_CLOEXEC, 0), "open", { path });
  try {
    const parts: Uint8Array[] = [];
    for (let at = 0;;) {
      const chunk = new Uint8Array(CHUNK);
      const count = check(Number(mman().pread(fd, chunk, chunk.length, at)), "pread", { path });
      if (count === 0) break;
      parts.push(chunk.subarray(0, count));
      at += count;
    }
    return parts.map((part) => new TextDecoder("latin1").decode(part)).join("");
  } finally {
    libc().close(fd);
  }
}

/** The parts of the range that no file is mapped to, in order and joined where they touch. */
export function anonymousParts(pointer: Pointer, length: number): Part[] {
  const start = fromPointer(pointer);
  const end = fromPointer(offset(pointer, length));
  const parts: { offset: number; length: number }[] = [];
  for (const [, from, to, inode] of readMaps().matchAll(/^(\w+)-(\w+) \S+ \S+ \S+ (\d+)/gm)) {
    const [first, last] = [BigInt(`0x${from}`), BigInt(`0x${to}`)];
    if (inode !== "0" || last <= start || first >= end) continue;
    const at = Number((first > start ? first : start) - start);
    const until = Number((last < end ? last : end) - start);
    const before = parts.at(-1);
    if (before !== undefined && before.offset + before.length === at) before.length = until - before.offset;
    else parts.push({ offset: at, length: until - at });
  }
  return parts;
}
