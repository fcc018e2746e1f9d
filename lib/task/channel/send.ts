import { coop, proceed } from "../runtime/coop.ts";
import {
  consumed,
  type Context,
  Future,
  parked,
  Pending,
  polling,
  type Waker,
  withoutContext,
} from "../future.ts";
import type { Queue } from "./queue.ts";
import type { Waiter } from "./waiters.ts";

const SENT: IteratorReturnResult<void> = Object.freeze({ done: true, value: undefined });

/** Queues one message, once there is room. Its own iterator, so that `yield*` allocates nothing. */
export class Send<T> extends Future<void> {
  readonly #queue: Queue<T>;
  /** `Pending` once it was sent, refused or dropped. */
  #message: T | Pending;
  #waiter: Waiter | null = null;

  constructor(queue: Queue<T>, message: T) {
    super();
    this.#queue = queue;
    this.#message = message;
  }

  override [Symbol.iterator](): Iterator<Pending, void, void> {
    return this;
  }

  next(): IteratorResult<Pending, void> {
    const { context } = polling;
    if (context === null) return withoutContext(this);
    return this.poll(context) === Pending ? parked() : SENT;
  }

  return(): IteratorResult<Pending, void> {
    this.drop();
    return SENT;
  }

  override describe(): string {
    return `send() to an mpsc channel of ${this.#queue.capacity}`;
  }

  override poll(context: Context): void | Pending {
    const queue = this.#queue;
    const message = this.#message;
    if (message === Pending) throw consumed("send()");
    if (queue.isOpen && this.#waiter === null && queue.room > 0) {
      if (!proceed(context)) return Pending;
      coop.left--;
      this.#message = Pending;
      queue.push(message);
    } else {
      if (!this.#hasRoom(queue, context)) return Pending;
      coop.left--;
      this.#message = Pending;
      queue.pushPromised(message);
    }
  }

  #hasRoom(queue: Queue<T>, context: Context): boolean {
    const refusal = queue.refusal(this.#waiter, "send", this.#message);
    if (refusal !== null) {
      this.drop();
      throw refusal;
    }
    const waiter = this.#waiter = queue.claim(this.#waiter, 1, context.waker);
    return waiter.wanted === 0 && proceed(context);
  }

  override drop(): void {
    if (this.#message === Pending) return;
    this.#message = Pending;
    if (this.#waiter !== null) this.#queue.disclaim(this.#waiter, 1);
  }
}

/** Throws a `RangeError` for no count from 0 to `most` of what is called so. */
export function checkCount(name: string, value: number, most: number, tried: string): void {
  if (!(Number.isInteger(value) && value >= 0 && value <= most)) {
    throw new RangeError(`cannot ${tried}: ${name} is ${value}, not an integer from 0 to ${most}`);
  }
}

/** A queue, as who reserves room in it sees it; `P` is what holds the room then. */
export interface Reserving<P> {
  /** What it is called. */
  readonly name: string;
  refusal(waiter: Waiter | null, tried: string): Error | null;
  claim(waiter: Waiter | null, count: number, waker: Waker): Waiter;
  disclaim(waiter: Waiter, count: number): void;
  /** Of room that was claimed. */
  permit(count: number): P;
}

/** Takes room for a number of messages, once there is so much. */
export class Reserve<P> extends Future<P> {
  #queue: Reserving<P> | null;
  readonly #name: string;
  readonly #count: number;
  #waiter: Waiter | null = null;

  constructor(queue: Reserving<P>, count: number) {
    super();
    this.#queue = queue;
    this.#name = queue.name;
    this.#count = count;
  }

  override describe(): string {
    return `reserve(), for ${this.#count} of ${this.#name}`;
  }

  override poll(context: Context): P | Pending {
    const queue = this.#queue;
    if (queue === null) throw consumed("reserve()");
    const refusal = queue.refusal(this.#waiter, "reserve room");
    if (refusal !== null) {
      this.drop();
      throw refusal;
    }
    const waiter = this.#waiter = queue.claim(this.#waiter, this.#count, context.waker);
    if (waiter.wanted > 0 || !proceed(context)) return Pending;
    coop.left--;
    this.#queue = null;
    return queue.permit(this.#count);
  }

  override drop(): void {
    const queue = this.#queue;
    if (queue === null) return;
    this.#queue = null;
    if (this.#waiter !== null) queue.disclaim(this.#waiter, this.#count);
  }
}
