/** Bytes between files and memory, in calls of up to 256 KiB, each of which copies once. */
import { requireBytes } from "../io/arguments.ts";
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

/** Bytes that are to be written: as many as there were when that was asked for. */
export class Content {
  readonly length: number;
  readonly #what: string;
  readonly #bytes: Uint8Array;

  /** Throws a `TypeError` for what are no bytes. `what` is what could not be done. */
  constructor(what: string, bytes: Uint8Array) {
    requireBytes(what, "bytes", bytes);
    if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.detached) {
      throw new TypeError(`${what}: bytes are gone, as their buffer was transferred away`);
    }
    this.length = bytes.length;
    this.#what = what;
    this.#bytes = bytes;
  }

  /** Throws where the buffer was transferred or shrunk since. */
  requireAll(): void {
    if (this.#bytes.length >= this.length) return;
    throw new TypeError(
      `${this.#what}: the buffer was transferred away or shrunk meanwhile; keep it until the write has ended`,
    );
  }

  /** What one call takes, from `at` on. */
  some(at: number): Uint8Array {
    this.requireAll();
    return this.#bytes.subarray(at, Math.min(at + MOST_BYTES, this.length));
  }
}

function writeSome(handle: Handle, content: Content, at: number, position: number): Future<number> {
  const some = content.some(at);
  return systemCall({
    name: position === CURRENT ? "write" : "pwrite64",
    arguments: position === CURRENT
      ? [handle.number, some, some.length]
      : [handle.number, some, some.length, position],
    context: { path: handle.path },
    check: () => content.requireAll(),
    value: (count) => count,
    used: handle,
  });
}

/** Reads until the buffer is full or the file at its end: how many bytes there were. */
export function* readFully(handle: Handle, buffer: Uint8Array, position: number): Coroutine<number> {
  const { length } = buffer;
  let at = 0;
  while (at < length) {
    if (buffer.length < length) {
      throw new TypeError(`cannot read ${handle.path}: the buffer was transferred away or shrunk meanwhile`);
    }
    const count = yield* readSome(handle, buffer, at, position === CURRENT ? CURRENT : position + at);
    if (count === 0) break;
    at += count;
  }
  return at;
}

/** Writes all. Fails with a `TypeError` where the buffer is gone before its last call has begun. */
export function* writeFully(handle: Handle, content: Content, position: number): Coroutine<void> {
  let at = 0;
  while (at < content.length) {
    const count = yield* writeSome(handle, content, at, position === CURRENT ? CURRENT : position + at);
    if (count === 0) {
      throw new Error(`cannot write ${handle.path}: the kernel takes no byte and gives no reason`);
    }
    at += count;
  }
}
