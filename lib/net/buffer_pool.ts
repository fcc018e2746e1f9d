import { clearTimeout, setTimeout } from "node:timers";
import { NativeBuffer } from "../../ffi/native_buffer.ts";

const BUFFER_BYTES = 65536;
/** What is kept while nobody uses it: 4 MiB. What is in use beside that is its users'. */
const MOST_IDLE = 64;
/** A buffer that nobody has needed for as long is given back. */
const IDLE_MS = 1_000;

/** Who has a buffer has it from here: nobody else may make one. */
const KEY = Symbol("PooledBuffer");

/** What `writeBuffer` sends: the memory of a buffer that was not released. */
export let nativeOf: (buffer: PooledBuffer) => NativeBuffer;

/**
 * Bytes that were read into memory of the pool: good until `release`, which `using` calls. Views of it are another
 * connection's after that: what is to be kept is copied.
 */
export class PooledBuffer implements Disposable {
  /** How many bytes were read: at least 1. */
  readonly length: number;
  #native: NativeBuffer | null;
  #pool: BufferPool;

  static {
    nativeOf = (buffer) => buffer.#require();
  }

  /** The pool's own. */
  constructor(key: symbol, pool: BufferPool, native: NativeBuffer, length: number) {
    if (key !== KEY) throw new TypeError("cannot make a PooledBuffer: call readBuffer of a stream");
    this.length = length;
    this.#native = native;
    this.#pool = pool;
  }

  #require(): NativeBuffer {
    if (this.#native === null) throw new Error("cannot use a buffer that was released");
    return this.#native;
  }

  /** What was read. Throws where it was released. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#require().bytes.subarray(0, this.length);
  }

  /** Gives the memory back. Does nothing the second time. */
  release(): void {
    const native = this.#native;
    this.#native = null;
    if (native !== null) this.#pool.release(native);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Buffers of 64 KiB whose addresses are known, the one that was used last given out first. */
export class BufferPool {
  #free: NativeBuffer[] = [];
  /** How few there were since the timer looked last: nobody has needed these. */
  #fewest = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** How many nobody uses. */
  get idle(): number {
    return this.#free.length;
  }

  /** Memory that is the caller's until `release`. */
  take(): NativeBuffer {
    let buffer = this.#free.pop();
    // Who had it may have transferred its memory away, to a worker as a rule: 0 bytes would be read as an end.
    while (buffer !== undefined && buffer.bytes.byteLength === 0) buffer = this.#free.pop();
    if (this.#free.length < this.#fewest) this.#fewest = this.#free.length;
    return buffer ?? new NativeBuffer(BUFFER_BYTES);
  }

  /** Gives it back. Once, and not what was lent: that is released by itself. */
  release(buffer: NativeBuffer): void {
    if (this.#free.length >= MOST_IDLE) return;
    this.#free.push(buffer);
    if (this.#timer === null) this.#watch();
  }

  /** What was taken, for a caller who is to release it. */
  lend(buffer: NativeBuffer, length: number): PooledBuffer {
    return new PooledBuffer(KEY, this, buffer, length);
  }

  #watch(): void {
    this.#fewest = this.#free.length;
    this.#timer = setTimeout(() => this.#trim(), IDLE_MS).unref();
  }

  #trim(): void {
    this.#free.splice(0, this.#fewest);
    this.#timer = null;
    if (this.#free.length > 0) this.#watch();
  }

  /** Gives all back at once. */
  clear(): void {
    this.#free = [];
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** The thread's. */
export const sharedBuffers: BufferPool = new BufferPool();
