import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, parked, Pending, polling, withoutContext } from "../future.ts";
import { Permit } from "./permit.ts";
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

/** Takes room for a number of messages, once there is so much. */
export class Reserve<T> extends Future<Permit<T>> {
  #queue: Queue<T> | null;
  #count: number;
  #waiter: Waiter | null = null;

  constructor(queue: Queue<T>, count: number) {
    super();
    this.#queue = queue;
    this.#count = count;
  }

  override describe(): string {
    return `reserve(), for ${this.#count} of an mpsc channel`;
  }

  override poll(context: Context): Permit<T> | Pending {
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
    return new Permit(queue, this.#count);
  }

  override drop(): void {
    const queue = this.#queue;
    if (queue === null) return;
    this.#queue = null;
    if (this.#waiter !== null) queue.disclaim(this.#waiter, this.#count);
  }
}
