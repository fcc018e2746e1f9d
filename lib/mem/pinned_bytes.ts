import { checkRange } from "./byte_range.ts";
import { type Count, Part } from "./part.ts";
import type { StableBytes } from "./stable_bytes.ts";

/** As much of it as is used here: not all hosts' types have it. */
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

declare const WebAssembly: { Memory: new (size: { initial: number; maximum: number }) => Memory };

/** What WebAssembly counts its memory in. */
const PAGE = 65536;

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("PinnedBytes");

function allocate(byteLength: number): Memory {
  const pages = Math.ceil(byteLength / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    throw new RangeError(`cannot pin ${byteLength} bytes: the host has no memory for them`, { cause: error });
  }
}

class Owners implements Count {
  /** Only its `grow` can detach the buffer: it must not leave this object. */
  readonly #memory: Memory;
  total = 1;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  add(): void {
    this.total++;
  }

  subtract(handles: number, holds: number): void {
    this.total -= handles + holds;
    // By no page: what the memory holds stays, in a new buffer that nobody asks for.
    if (this.total === 0) this.#memory.grow(0);
  }
}

/**
 * Memory of JavaScript's own that nobody can transfer away: `postMessage`, `structuredClone` and
 * `ArrayBuffer.prototype.transfer` refuse its buffer with an error, where that of any other typed array would
 * leave its views empty.
 *
 * It is the buffer of a `WebAssembly.Memory`, which no host lets be detached but by that object, and that is
 * kept here. So it comes in units of 64 KiB. One takes some 20 µs to make on Deno and Node, which has no room for
 * more than some 16,000 at a time; on Bun 0.4 ms, and several times that where thousands are there already. It is
 * for the blocks that others are derived from, and not for small values.
 *
 * As a cart it ends at the last release after it was disposed; its views are empty from then on, and the
 * collector frees the memory.
 */
export class PinnedBytes implements StableBytes, Disposable {
  /** In bytes. */
  readonly byteLength: number;
  readonly #buffer: ArrayBuffer;
  readonly #part: Part;

  private constructor(key: symbol, byteLength: number) {
    if (key !== KEY) {
      throw new TypeError("cannot make a PinnedBytes: call PinnedBytes.copy or PinnedBytes.zeros");
    }
    this.byteLength = byteLength;
    const memory = allocate(byteLength);
    this.#buffer = memory.buffer;
    this.#part = new Part("a PinnedBytes", new Owners(memory));
  }

  /** `byteLength` zeros. Throws a `RangeError` for more than 4 GiB, or than the host has. */
  static zeros(byteLength: number): PinnedBytes {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0 || byteLength > 2 ** 32) {
      throw new RangeError(
        `cannot pin memory: byteLength is ${String(byteLength)}, not a count up to ${2 ** 32}`,
      );
    }
    return new PinnedBytes(KEY, byteLength);
  }

  /** A copy of `bytes`. Throws as `zeros` does, and a `TypeError` for what is no `Uint8Array`. */
  static copy(bytes: Uint8Array): PinnedBytes {
    if (!(bytes instanceof Uint8Array && ArrayBuffer.isView(bytes))) {
      throw new TypeError("cannot pin a copy: bytes is no Uint8Array");
    }
    const pinned = PinnedBytes.zeros(bytes.length);
    pinned.bytes().set(bytes);
    return pinned;
  }

  /** The bytes, or `length` of them from `offset`. Throws a `RangeError` outside of them. */
  bytes(offset = 0, length: number = this.byteLength - offset): Uint8Array<ArrayBuffer> {
    this.#part.requireHeld("read");
    checkRange("a PinnedBytes", this.byteLength, offset, length);
    return new Uint8Array(this.#buffer, offset, length);
  }

  /** One more holder. Throws where they are gone. */
  retain(): void {
    this.#part.retain();
  }

  /** One holder less. */
  release(): void {
    this.#part.release(this);
  }

  /** Whether its owner disposed it: holders may still read it. */
  get isDisposed(): boolean {
    return this.#part.isDisposed;
  }

  /** Empties the views, now or at the last release. */
  [Symbol.dispose](): void {
    this.#part.dispose(this);
  }
}
