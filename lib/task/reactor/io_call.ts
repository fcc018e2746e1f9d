import { WouldBlock } from "../../io/fd.ts";
import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import type { IoWaiter, ScheduledIo } from "./scheduled_io.ts";
import type { Queue } from "../sync/queue.ts";

/** Whom a future wakes that waits for nothing yet. */
const NOBODY: Waker = { wake(): void {} };

/**
 * What all calls of a kind have in common. A call has its kind and its arguments, and no closure over them: that would
 * be two objects more for each datagram.
 */
export interface CallKind<S, A, B, T> {
  /** The call's name, for people. */
  readonly name: string;
  readonly interest: "read" | "write";
  /** Makes the call where it is worth it, and takes a readiness back that was in vain: `WouldBlock`. */
  attempt(self: S, first: A, second: B): T | typeof WouldBlock;
}

/**
 * A call that is made until it does not block. Any number of them may wait for one descriptor: each is its own place
 * in the queue, and an edge wakes them all.
 */
export class IoCall<S, A, B, T> extends Future<T> implements IoWaiter {
  previous: IoWaiter | null = null;
  next: IoWaiter | null = null;
  waker: Waker = NOBODY;
  readonly #kind: CallKind<S, A, B, T>;
  readonly #io: ScheduledIo;
  /** Where it waits. */
  #queue: Queue<IoWaiter> | null = null;
  #isOver = false;
  readonly #self: S;
  readonly #first: A;
  readonly #second: B;

  constructor(kind: CallKind<S, A, B, T>, io: ScheduledIo, self: S, first: A, second: B) {
    super();
    this.#kind = kind;
    this.#io = io;
    this.#self = self;
    this.#first = first;
    this.#second = second;
  }

  override describe(): string {
    const { name, interest } = this.#kind;
    return `${name}, ${this.#io.describe(interest)}`;
  }

  override poll(context: Context): T | Pending {
    if (this.#isOver) throw consumed(this.#kind.name);
    if (!proceed(context)) return Pending;
    const value = this.#attempt();
    if (value !== WouldBlock) {
      coop.left--;
      this.drop();
      return value;
    }
    this.waker = context.waker;
    if (this.#queue === null) {
      this.#queue = this.#kind.interest === "read" ? this.#io.readers : this.#io.writers;
      this.#queue.push(this);
    }
    return Pending;
  }

  #attempt(): T | typeof WouldBlock {
    try {
      return this.#kind.attempt(this.#self, this.#first, this.#second);
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
