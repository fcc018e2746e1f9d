/** Bytes to be read in place: a view, or what gives views, such as a map. */
import { isDetached as isBufferDetached } from "../detach.ts";
import { unwatch, watch } from "../forgotten.ts";

/** What an overlay or a table borrows from: `Mmap`, or anything like it. */
export interface ByteSource {
  readonly byteLength: number;
  /** A view of `length` bytes from `offset`, which stays good while the source is retained. */
  bytes(offset: number, length: number): Uint8Array;
  /** Keeps the views alive until as many calls of `release`. */
  retain?(): void;
  release?(): void;
  /**
   * Throws where the bytes are no more what they were, as those of a map whose file was cut short. It is asked after
   * the bytes were read, too, and must not throw only since the owner has disposed what is retained.
   */
  check?(): void;
}

/** JSC's largest buffer. */
const LARGEST_VIEW = 2 ** 32;

/** Whether the view's memory is gone. Memory that is shared stays. */
export function isDetached(view: ArrayBufferView): boolean {
  // To ask for its buffer makes JSC move the elements of a small array: not where the length tells.
  if ("BYTES_PER_ELEMENT" in view && view.byteLength > 0) return false;
  return view.buffer instanceof ArrayBuffer && isBufferDetached(view.buffer);
}

/** A source whose length was asked once. */
interface Sized {
  readonly source: ByteSource;
  readonly byteLength: number;
}

function sourceOf(what: string, given: Uint8Array | ByteSource): Sized {
  if (given instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = given;
    if (isDetached(given)) throw new TypeError(`${what}: its memory is gone`);
    const source: ByteSource = {
      byteLength,
      bytes: (offset, length) => new Uint8Array(buffer, byteOffset + offset, length),
    };
    return { source, byteLength };
  }
  const isSource = typeof given === "object" && given !== null && typeof given.bytes === "function";
  const byteLength = isSource ? given.byteLength : -1;
  if (!Number.isSafeInteger(byteLength) || byteLength < 0) {
    throw new TypeError(`${what}: it is no Uint8Array, and has no byteLength and bytes()`);
  }
  return { source: given, byteLength };
}

/** What the source gives for a part of its bytes. */
function windowOf(what: string, source: ByteSource, from: number, length: number): Uint8Array {
  const window: unknown = source.bytes(from, length);
  if (!(window instanceof Uint8Array)) throw new TypeError(`${what}: its bytes() gave no Uint8Array`);
  if (window.length !== length) {
    throw new RangeError(`${what}: asked for ${length} bytes from ${from}, it gave ${window.length}`);
  }
  return window;
}

/** A source that is retained from here to `release`, and seen through views that are taken once. */
export class HeldBytes {
  readonly byteLength: number;
  #source: ByteSource;
  /** Each as large as a view can be; the last is what remains. */
  #windows: Uint8Array[] = [];

  /** `what` begins the message of its errors; `holder` is what a collector forgets. */
  constructor(what: string, holder: string, given: Uint8Array | ByteSource) {
    const { source, byteLength } = sourceOf(what, given);
    this.byteLength = byteLength;
    this.#source = source;
    source.retain?.();
    try {
      for (let from = 0; from < byteLength; from += LARGEST_VIEW) {
        this.#windows.push(windowOf(what, source, from, Math.min(LARGEST_VIEW, byteLength - from)));
      }
    } catch (error) {
      source.release?.();
      throw error;
    }
    watch(this, holder, () => source.release?.());
  }

  /**
   * A view of `length` bytes from `offset`, which lie in the source; a copy only where they cross the 4 GiB that a
   * view can hold. Throws a `TypeError` where the memory is gone, and what the source's `check` does.
   */
  bytes(offset: number, length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0);
    const at = offset % LARGEST_VIEW;
    if (at + length <= LARGEST_VIEW) {
      const { buffer, byteOffset } = this.#window(offset);
      this.check();
      return new Uint8Array(buffer, byteOffset + at, length);
    }
    const copy = new Uint8Array(length);
    this.copyInto(copy, offset);
    return copy;
  }

  /** Fills `target` with the bytes from `offset`, and throws where they turn out not to be what they were. */
  copyInto(target: Uint8Array, offset: number): void {
    for (let done = 0; done < target.length;) {
      const at = (offset + done) % LARGEST_VIEW;
      const piece = this.#window(offset + done).subarray(at, at + target.length - done);
      target.set(piece, done);
      done += piece.length;
    }
    this.check();
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
    this.#source.check?.();
  }

  /** Once. */
  release(): void {
    unwatch(this);
    this.#windows.length = 0;
    this.#source.release?.();
  }
}
