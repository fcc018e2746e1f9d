/** Bytes to be read in place: a view, or what gives views, such as a map. */

/** What an overlay or a table borrows from: `Mmap`, or anything like it. */
export interface ByteSource {
  readonly byteLength: number;
  /** Whether `check` would only say that it was disposed. */
  readonly isClosed?: boolean;
  /** A view of `length` bytes from `offset`, which stays good while the source is retained. */
  bytes(offset: number, length: number): Uint8Array;
  /** Keeps the views alive until as many calls of `release`. */
  retain?(): void;
  release?(): void;
  /** Throws where the bytes are no more what they were, as those of a map whose file was cut short. */
  check?(): void;
}

/** JSC's largest buffer. */
const LARGEST_VIEW = 2 ** 32;

/** Lets go of what a holder that was forgotten had retained. */
const forgotten = new FinalizationRegistry<ByteSource>((source) => source.release?.());

/** Whether the view's memory is gone. Memory that is shared stays. */
export function isDetached(view: ArrayBufferView): boolean {
  // To ask for its buffer makes JSC move the elements of a small array: not where the length tells.
  if ("BYTES_PER_ELEMENT" in view && view.byteLength > 0) return false;
  return view.buffer instanceof ArrayBuffer && view.buffer.detached;
}

function sourceOf(what: string, given: Uint8Array | ByteSource): ByteSource {
  if (given instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = given;
    if (isDetached(given)) throw new TypeError(`${what}: its memory is gone`);
    return { byteLength, bytes: (offset, length) => new Uint8Array(buffer, byteOffset + offset, length) };
  }
  const isSource = typeof given === "object" && given !== null && typeof given.bytes === "function" &&
    Number.isSafeInteger(given.byteLength) && given.byteLength >= 0;
  if (!isSource) throw new TypeError(`${what}: it is no Uint8Array, and has no byteLength and bytes()`);
  return given;
}

/** A source that is retained from here to `release`, and seen through views that are taken once. */
export class HeldBytes {
  readonly byteLength: number;
  #source: ByteSource;
  /** Each as large as a view can be; the last is what remains. */
  #windows: Uint8Array[] = [];

  /** `what` begins the message of its errors. */
  constructor(what: string, given: Uint8Array | ByteSource) {
    const source = sourceOf(what, given);
    const { byteLength } = source;
    this.byteLength = byteLength;
    this.#source = source;
    source.retain?.();
    try {
      for (let from = 0; from < byteLength; from += LARGEST_VIEW) {
        const length = Math.min(LARGEST_VIEW, byteLength - from);
        const window = source.bytes(from, length);
        if (window.length !== length) {
          throw new RangeError(`${what}: asked for ${length} bytes from ${from}, it gave ${window.length}`);
        }
        this.#windows.push(window);
      }
    } catch (error) {
      source.release?.();
      throw error;
    }
    forgotten.register(this, source, this);
  }

  /**
   * A view of `length` bytes from `offset`, which lie in the source; a copy only where they cross the 4 GiB that a
   * view can hold. Throws a `TypeError` where the memory is gone.
   */
  bytes(offset: number, length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0);
    const at = offset % LARGEST_VIEW;
    if (at + length <= LARGEST_VIEW) {
      const { buffer, byteOffset } = this.#window(offset);
      return new Uint8Array(buffer, byteOffset + at, length);
    }
    const copy = new Uint8Array(length);
    this.copyInto(copy, offset);
    return copy;
  }

  /** Fills `target` with the bytes from `offset`. */
  copyInto(target: Uint8Array, offset: number): void {
    for (let done = 0; done < target.length;) {
      const at = (offset + done) % LARGEST_VIEW;
      const piece = this.#window(offset + done).subarray(at, at + target.length - done);
      target.set(piece, done);
      done += piece.length;
    }
  }

  #window(offset: number): Uint8Array {
    const window = this.#windows[Math.floor(offset / LARGEST_VIEW)];
    if (window.length === 0) {
      throw new TypeError(
        "cannot read borrowed bytes: their memory is gone; was their map disposed, or their buffer transferred?",
      );
    }
    return window;
  }

  /** Throws where the source knows that its bytes are no more what they were. */
  check(): void {
    if (this.#source.isClosed !== true) this.#source.check?.();
  }

  /** Once. */
  release(): void {
    forgotten.unregister(this);
    this.#windows.length = 0;
    this.#source.release?.();
  }
}
