/** Bytes between files and memory, in calls of up to 256 KiB, each of which copies once. */
import type { Coroutine, Future } from "../task/future.ts";
import type { Handle } from "./handle.ts";
import { MOST_BYTES, Room, systemCall } from "./system_call.ts";

/** The file's own position, which each call moves on. */
export const CURRENT = -1;

/** One call: into `buffer` from `at`, at the file's `position`; how many bytes there were. */
export function readSome(handle: Handle, buffer: Uint8Array, at: number, position: number): Future<number> {
  const room = new Room(Math.min(buffer.length - at, MOST_BYTES));
  return systemCall({
    name: position === CURRENT ? "read" : "pread64",
    arguments: position === CURRENT
      ? [handle.number, room, room.byteLength]
      : [handle.number, room, room.byteLength, position],
    context: { path: handle.path },
    value: (count, bytes) => {
      if (buffer.length < at + count) {
        throw new TypeError(`cannot read ${handle.path}: the buffer was transferred away meanwhile`);
      }
      buffer.set(bytes.subarray(0, count), at);
      return count;
    },
    used: handle,
  });
}

function writeSome(handle: Handle, bytes: Uint8Array, at: number, position: number): Future<number> {
  const some = bytes.subarray(at, at + MOST_BYTES);
  return systemCall({
    name: position === CURRENT ? "write" : "pwrite64",
    arguments: position === CURRENT
      ? [handle.number, some, some.length]
      : [handle.number, some, some.length, position],
    context: { path: handle.path },
    value: (count) => count,
    used: handle,
  });
}

/** Reads until the buffer is full or the file at its end: how many bytes there were. */
export function* readFully(handle: Handle, buffer: Uint8Array, position: number): Coroutine<number> {
  let at = 0;
  while (at < buffer.length) {
    const count = yield* readSome(handle, buffer, at, position === CURRENT ? CURRENT : position + at);
    if (count === 0) break;
    at += count;
  }
  return at;
}

/** Writes all. */
export function* writeFully(handle: Handle, bytes: Uint8Array, position: number): Coroutine<void> {
  let at = 0;
  while (at < bytes.length) {
    const count = yield* writeSome(handle, bytes, at, position === CURRENT ? CURRENT : position + at);
    if (count === 0) {
      throw new Error(`cannot write ${handle.path}: the kernel takes no byte and gives no reason`);
    }
    at += count;
  }
}
