import { checkRange } from "./byte_range.ts";
import type { StableBytes } from "./stable_bytes.ts";

/** What WebAssembly counts its memory in. */
const PAGE = 65536;

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("PinnedBytes");

function allocate(byteLength: number): WebAssembly.Memory {
  const pages = Math.ceil(byteLength / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    throw new RangeError(`cannot pin ${byteLength} bytes: the host has no memory for them`, { cause: error });
  }
}

/**
 * Memory of JavaScript's own that nobody can transfer away: `postMessage`, `structuredClone` and
 * `ArrayBuffer.prototype.transfer` refuse its buffer with an error, where that of any other typed array would
 * leave its views empty.
 *
 * It is the buffer of a `WebAssembly.Memory`, which no host lets be detached but by that object, and that is
 * kept here. So it comes in units of 64 KiB, takes 10 µs and more to make, and Node allows some 16,000 of
 * them: for the blocks that others are derived from, and not for small values.
 *
 * As a cart it ends at the last release after it was disposed; its views are empty from then on, and the
 * collector frees the memory.
 */
export class PinnedBytes implements StableBytes, Disposable {
  /** In bytes. */
  readonly byteLength: number;
  /** Only its `grow` can detach the buffer: it must not leave this object. */
  #memory: WebAssembly.Memory | undefined;
  readonly #buffer: ArrayBuffer;
  #isDisposed = false;
  #holds = 0;

  private constructor(key: symbol, byteLength: number) {
    if (key !== KEY) {
      throw new TypeError("cannot make pinned bytes: call PinnedBytes.copy or PinnedBytes.zeros");
    }
    this.byteLength = byteLength;
    this.#memory = allocate(byteLength);
    const { buffer } = this.#memory;
    if (!(buffer instanceof ArrayBuffer)) {
      throw new TypeError("cannot pin memory: WebAssembly gave shared memory");
    }
    this.#buffer = buffer;
  }

  /** `byteLength` zeros. Throws a `RangeError` for more than 4 GiB, or than the host has. */
  static zeros(byteLength: number): PinnedBytes {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0 || byteLength > 2 ** 32) {
      throw new RangeError(`cannot pin memory: byteLength is ${byteLength}, not a count up to ${2 ** 32}`);
    }
    return new PinnedBytes(KEY, byteLength);
  }

  /** A copy of `bytes`. Throws as `zeros` does. */
  static copy(bytes: Uint8Array): PinnedBytes {
    const pinned = PinnedBytes.zeros(bytes.length);
    pinned.bytes().set(bytes);
    return pinned;
  }

  /** The bytes, or `length` of them from `offset`. Throws a `RangeError` outside of them. */
  bytes(offset = 0, length: number = this.byteLength - offset): Uint8Array<ArrayBuffer> {
    this.#checkOpen("read");
    checkRange("pinned bytes", this.byteLength, offset, length);
    return new Uint8Array(this.#buffer, offset, length);
  }

  /** One more holder. Throws where they are gone. */
  retain(): void {
    this.#checkOpen("retain");
    this.#holds++;
  }

  /** One holder less. */
  release(): void {
    if (this.#holds === 0) throw new Error("cannot release pinned bytes: nobody retains them");
    this.#holds--;
    this.#endWithTheLast();
  }

  /** Whether its owner disposed it: holders may still read it. */
  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /** Empties the views, now or at the last release. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#endWithTheLast();
  }

  #checkOpen(action: string): void {
    if (this.#memory === undefined) throw new Error(`cannot ${action} pinned bytes: they were disposed`);
  }

  #endWithTheLast(): void {
    if (!this.#isDisposed || this.#holds > 0) return;
    // By no page: what the memory holds stays, in a new buffer that nobody asks for.
    this.#memory?.grow(0);
    this.#memory = undefined;
  }
}
