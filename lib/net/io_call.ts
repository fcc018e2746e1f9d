import { WouldBlock } from "../io/fd.ts";
import { coop, proceed } from "../task/runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../task/future.ts";
import type { IoWaiter, ScheduledIo } from "../task/reactor/scheduled_io.ts";
import type { Queue } from "../task/sync/queue.ts";
import { sleep } from "../task/time/sleep.ts";

/** Whom a future wakes that waits for nothing yet. */
const NOBODY: Waker = { wake(): void {} };

/** Whether a call that reads is worth it. Throws where no edge will come any more. */
export function isWorthReading(io: ScheduledIo): boolean {
  if (io.isDeaf) refuse(io);
  return io.isReadable;
}

/** Whether a call that writes is worth it. Throws where no edge will come any more. */
export function isWorthWriting(io: ScheduledIo): boolean {
  if (io.isDeaf) refuse(io);
  return io.isWritable;
}

function refuse(io: ScheduledIo): never {
  throw new Error(`cannot use a socket: ${io.whyDeaf}`);
}

/**
 * A call that is made until it does not block. Any number of them may wait for one descriptor: each is its own place
 * in the queue, and an edge wakes them all.
 */
export abstract class IoCall<T> extends Future<T> implements IoWaiter {
  previous: IoWaiter | null = null;
  next: IoWaiter | null = null;
  waker: Waker = NOBODY;
  readonly #io: ScheduledIo;
  readonly #reads: boolean;
  /** Where it waits. */
  #queue: Queue<IoWaiter> | null = null;
  #isOver = false;

  constructor(io: ScheduledIo, interest: "read" | "write") {
    super();
    this.#io = io;
    this.#reads = interest === "read";
  }

  /** The call's name, for people. */
  protected abstract readonly name: string;

  /** Makes the call where it is worth it, and keeps in mind where it would have blocked. */
  protected abstract attempt(): T | typeof WouldBlock;

  override describe(): string {
    return `${this.name}, ${this.#io.describe(this.#reads ? "read" : "write")}`;
  }

  override poll(context: Context): T | Pending {
    if (this.#isOver) throw consumed(this.name);
    if (!proceed(context)) return Pending;
    const value = this.#attempt();
    if (value !== WouldBlock) {
      coop.left--;
      this.drop();
      return value;
    }
    this.waker = context.waker;
    if (this.#queue === null) {
      this.#queue = this.#reads ? this.#io.readers : this.#io.writers;
      this.#queue.push(this);
    }
    return Pending;
  }

  #attempt(): T | typeof WouldBlock {
    try {
      return this.attempt();
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  /** The reactor's own. */
  ready(): void {
    this.#queue = null;
  }

  override drop(): void {
    this.#isOver = true;
    this.#queue?.remove(this);
    this.#queue = null;
  }
}

/** A call that also has to be made again after a while, where no edge tells when. */
export abstract class RetriedCall<T> extends IoCall<T> {
  #pause: Future<void> | null = null;

  /** What `attempt` gives where the call is to be made again then. */
  protected retryAfter(ms: number): typeof WouldBlock {
    this.#pause = sleep(ms);
    return WouldBlock;
  }

  override poll(context: Context): T | Pending {
    for (;;) {
      if (this.#pause !== null) {
        if (this.#pause.poll(context) === Pending) return Pending;
        this.#pause = null;
      }
      const value = super.poll(context);
      if (value !== Pending || this.#pause === null) return value;
    }
  }

  override drop(): void {
    this.#pause?.drop();
    this.#pause = null;
    super.drop();
  }
}
