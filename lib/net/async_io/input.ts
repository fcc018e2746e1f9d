import { type Context, type Future, Pending } from "../../task/future.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { AsyncRead } from "./traits.ts";

/** What is read from a reader and was not taken yet: what buffered readers and frames stand on. */
export class Input {
  readonly reader: AsyncRead;
  readonly bytes: ByteQueue;
  readonly #least: number;
  /** The read that is under way, and for whom. */
  #read: Future<number> | null = null;
  #owner: unknown = null;
  /** Whose the bytes are, which has looked further than it has taken. */
  #holder: unknown = null;

  constructor(reader: AsyncRead, capacity: number) {
    this.reader = reader;
    this.bytes = new ByteQueue(capacity);
    // Half: what is left of a line is moved once, and the reads stay large.
    this.#least = Math.max(1, capacity >> 1);
  }

  /** Reads more, for `owner`: how many bytes came, 0 at the end. Throws where another one waits. */
  poll(context: Context, owner: unknown): number | Pending {
    this.#requireIdle(owner);
    const read = this.#read ??= this.reader.read(this.bytes.room(this.#least));
    this.#owner = owner;
    let count: number | Pending;
    try {
      count = read.poll(context);
    } catch (error) {
      this.#read = this.#owner = null;
      throw error;
    }
    if (count === Pending) return Pending;
    this.#read = this.#owner = null;
    this.bytes.added(count);
    return count;
  }

  /** The bytes are `holder`'s alone until it lets go of them. Throws where they are another's. */
  hold(holder: unknown): void {
    this.requireFree(holder);
    this.#holder = holder;
  }

  letGo(holder: unknown): void {
    if (this.#holder === holder) this.#holder = null;
  }

  #requireIdle(owner: unknown): void {
    if (this.#read !== null && this.#owner !== owner) {
      throw new Error("cannot read: another read of this reader waits; drop that one first");
    }
  }

  /** Throws where the bytes are another's than `user`'s, or one waits that has looked at them. */
  requireFree(user: unknown): void {
    this.#requireIdle(user);
    if (this.#holder !== null && this.#holder !== user) {
      throw new Error("cannot read: lines() of this reader is not over; drop it first");
    }
  }

  /** Abandons the read that is under way for `owner`, if any: nothing was read. */
  drop(owner: unknown): void {
    if (this.#owner !== owner) return;
    const read = this.#read;
    this.#read = this.#owner = null;
    read?.drop();
  }

  describe(verb: string): string {
    return this.#read === null ? verb : `${verb}, ${this.#read.describe()}`;
  }
}
