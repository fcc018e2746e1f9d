import { type Context, type Future, Pending } from "../../task/future.ts";
import { ByteQueue } from "./byte_queue.ts";
import { WriteZeroError } from "./errors.ts";
import type { AsyncWrite } from "./traits.ts";

/** A writer that keeps bytes back until it is told to flush, or is full. */
export interface Flushable extends AsyncWrite {
  flush(): Future<void>;
}

/** Whether there is something to be flushed. */
export function isFlushable(writer: AsyncWrite): writer is Flushable {
  return "flush" in writer && typeof writer.flush === "function";
}

/** What is to be written to a writer: what buffered writers and frames stand on. */
export class Output {
  readonly writer: AsyncWrite;
  readonly bytes: ByteQueue;
  /** The call that is under way, and for whom. */
  #call: Future<number | void> | null = null;
  #owner: unknown = null;

  constructor(writer: AsyncWrite, capacity: number) {
    this.writer = writer;
    this.bytes = new ByteQueue(capacity);
  }

  /** Writes all that is kept, for `owner`. Throws where another one waits. */
  pollDrain(context: Context, owner: unknown): void | Pending {
    this.requireFree(owner);
    const { bytes } = this;
    while (bytes.length > 0) {
      const count = this.poll(context, owner, this.#call ?? this.writer.write(bytes.view()));
      if (count === Pending) return Pending;
      if (typeof count !== "number" || count <= 0) throw new WriteZeroError();
      bytes.skip(count);
    }
  }

  /** Polls a call to the writer that `owner` has begun, which is to be given again until it has ended. */
  poll<T extends number | void>(context: Context, owner: unknown, call: Future<T>): T | Pending {
    this.#call = call;
    this.#owner = owner;
    let value: T | Pending;
    try {
      value = call.poll(context);
    } catch (error) {
      this.#call = this.#owner = null;
      throw error;
    }
    if (value !== Pending) this.#call = this.#owner = null;
    return value;
  }

  /** Throws where another one waits, whose bytes may not move. */
  requireFree(owner: unknown): void {
    if (this.#call !== null && this.#owner !== owner) {
      throw new Error("cannot write: another write to this writer waits; drop that one first");
    }
  }

  /** Abandons the call that is under way for `owner`, if any: what is kept stays kept. */
  drop(owner: unknown): void {
    if (this.#owner !== owner) return;
    const call = this.#call;
    this.#call = this.#owner = null;
    call?.drop();
  }

  describe(verb: string): string {
    return this.#call === null ? verb : `${verb}, ${this.#call.describe()}`;
  }
}
