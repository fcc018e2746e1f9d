import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import type { ScheduledIo } from "./scheduled_io.ts";

/** Waits until a read is worth its call. */
export class Readable extends Future<void> {
  #io: ScheduledIo | null;
  #waker: Waker | null = null;

  constructor(io: ScheduledIo) {
    super();
    this.#io = io;
  }

  override describe(): string {
    return this.#io === null ? "readable()" : this.#io.describe("read");
  }

  override poll(context: Context): void | Pending {
    const io = this.#io;
    if (io === null) throw consumed("readable()");
    if (!proceed(context)) return Pending;
    if (!io.isReadable) {
      io.waitReadable(context.waker);
      this.#waker = context.waker;
      return Pending;
    }
    coop.left--;
    this.#io = null;
  }

  override drop(): void {
    this.#io?.forgetReader(this.#waker);
    this.#io = null;
  }
}

/** Waits until a write is worth its call. */
export class Writable extends Future<void> {
  #io: ScheduledIo | null;
  #waker: Waker | null = null;

  constructor(io: ScheduledIo) {
    super();
    this.#io = io;
  }

  override describe(): string {
    return this.#io === null ? "writable()" : this.#io.describe("write");
  }

  override poll(context: Context): void | Pending {
    const io = this.#io;
    if (io === null) throw consumed("writable()");
    if (!proceed(context)) return Pending;
    if (!io.isWritable) {
      io.waitWritable(context.waker);
      this.#waker = context.waker;
      return Pending;
    }
    coop.left--;
    this.#io = null;
  }

  override drop(): void {
    this.#io?.forgetWriter(this.#waker);
    this.#io = null;
  }
}
