import { type Context, type Future, Pending } from "../../task/future.ts";
import { WriteZeroError } from "./errors.ts";
import type { Mover } from "./mover.ts";
import { isFlushable } from "./output.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

const CAPACITY = 32768;

/**
 * Moves by a buffer, which is filled at its end while it is written from its start. What is in it is flushed where nothing
 * more comes for now.
 */
export class BufferMover implements Mover {
  #reader: AsyncRead;
  #writer: AsyncWrite;
  #bytes: Uint8Array;
  #start = 0;
  #end: number;
  #total = 0;
  #hasEnded = false;
  #needsFlush = false;
  #read: Future<number> | null = null;
  #write: Future<number> | null = null;
  #flush: Future<void> | null = null;

  /** `first` goes before what the reader gives. */
  constructor(reader: AsyncRead, writer: AsyncWrite, first?: Uint8Array) {
    this.#reader = reader;
    this.#writer = writer;
    this.#bytes = new Uint8Array(Math.max(CAPACITY, first?.byteLength ?? 0));
    this.#end = first?.byteLength ?? 0;
    if (first !== undefined) this.#bytes.set(first);
  }

  poll(context: Context): number | Pending {
    // What waits is asked once: it has the waker.
    let mayWrite = true;
    let mayRead = true;
    for (;;) {
      const isFlushing = this.#flush !== null && this.#pollFlush(context) === Pending;
      const hasWritten = mayWrite && !isFlushing && this.#pollWrite(context);
      const hasRead = mayRead && this.#pollRead(context);
      mayWrite &&= this.#write === null;
      mayRead &&= this.#read === null;
      if (hasWritten || hasRead) continue;
      if (isFlushing || this.#start < this.#end) return Pending;
      if (this.#pollFlush(context) === Pending) return Pending;
      return this.#hasEnded ? this.#total : Pending;
    }
  }

  #pollWrite(context: Context): boolean {
    if (this.#start === this.#end) return false;
    const write = this.#write ??= this.#writer.write(this.#bytes.subarray(this.#start, this.#end));
    const count = write.poll(context);
    if (count === Pending) return false;
    this.#write = null;
    if (count <= 0) throw new WriteZeroError();
    this.#start += count;
    this.#total += count;
    this.#needsFlush = true;
    return true;
  }

  #pollRead(context: Context): boolean {
    if (this.#hasEnded) return false;
    if (this.#read === null) {
      if (this.#start === this.#end) this.#start = this.#end = 0;
      if (this.#end === this.#bytes.byteLength) return false;
      this.#read = this.#reader.read(this.#bytes.subarray(this.#end));
    }
    const count = this.#read.poll(context);
    if (count === Pending) return false;
    this.#read = null;
    if (count > this.#bytes.byteLength - this.#end) {
      throw new RangeError(
        `cannot copy: the reader says that it gave ${count} bytes, and had room for ${
          this.#bytes.byteLength - this.#end
        }`,
      );
    }
    this.#end += count;
    this.#hasEnded = count === 0;
    return true;
  }

  #pollFlush(context: Context): void | Pending {
    if (this.#flush === null) {
      if (!this.#needsFlush || !isFlushable(this.#writer)) return;
      this.#flush = this.#writer.flush();
      this.#needsFlush = false;
    }
    if (this.#flush.poll(context) === Pending) return Pending;
    this.#flush = null;
  }

  drop(): void {
    this.#read?.drop();
    this.#write?.drop();
    this.#flush?.drop();
  }

  describe(): string {
    const waits = [this.#read, this.#write, this.#flush].filter((future) => future !== null);
    return ["copy()", ...waits.map((future) => future.describe())].join(", ");
  }
}
