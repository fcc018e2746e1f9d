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

/** Takes a message, once there is one. Its own iterator, so that `yield*` allocates no other. */
export class Recv<T> extends Future<T | undefined> implements Waker {
  /** None once it has received or been dropped. */
  #queue: Queue<T> | null;
  #waker: Waker | null = null;

  constructor(queue: Queue<T>) {
    super();
    this.#queue = queue;
  }

  override [Symbol.iterator](): Iterator<Pending, T | undefined, void> {
    return this;
  }

  next(): IteratorResult<Pending, T | undefined> {
    const { context } = polling;
    if (context === null) return withoutContext(this);
    const value = this.poll(context);
    return value === Pending ? parked() : { done: true, value };
  }

  return(value: T | undefined): IteratorResult<Pending, T | undefined> {
    this.drop();
    return { done: true, value };
  }

  override describe(): string {
    return "recv() of an mpsc channel";
  }

  override poll(context: Context): T | undefined | Pending {
    const queue = this.#queue;
    if (queue === null) throw consumed("recv()");
    const isEmpty = queue.messages.length === 0;
    if (isEmpty && !queue.hasEnded) {
      park(queue, this);
      this.#waker = context.waker;
      return Pending;
    }
    if (!proceed(context)) return Pending;
    coop.left--;
    this.drop();
    return isEmpty ? undefined : queue.take();
  }

  wake(): void {
    this.#waker?.wake();
  }

  override drop(): void {
    const queue = this.#queue;
    this.#queue = null;
    if (queue !== null && queue.receiver === this) queue.receiver = null;
  }
}

/** Takes messages, at most so many, once there is one. */
export class RecvMany<T> extends Future<number> implements Waker {
  #queue: Queue<T> | null;
  #into: T[];
  #limit: number;
  #waker: Waker | null = null;

  constructor(queue: Queue<T>, into: T[], limit: number) {
    super();
    this.#queue = queue;
    this.#into = into;
    this.#limit = limit;
  }

  override describe(): string {
    return "recvMany() of an mpsc channel";
  }

  override poll(context: Context): number | Pending {
    const queue = this.#queue;
    if (queue === null) throw consumed("recvMany()");
    if (queue.messages.length === 0 && !queue.hasEnded && this.#limit > 0) {
      park(queue, this);
      this.#waker = context.waker;
      return Pending;
    }
    if (!proceed(context)) return Pending;
    coop.left--;
    this.drop();
    const into = this.#into;
    let count = 0;
    while (count < this.#limit && queue.messages.length > 0) {
      const message = queue.take();
      if (message === Pending) break;
      into.push(message);
      count++;
    }
    return count;
  }

  wake(): void {
    this.#waker?.wake();
  }

  override drop(): void {
    const queue = this.#queue;
    this.#queue = null;
    if (queue !== null && queue.receiver === this) queue.receiver = null;
  }
}

/** For what polls by itself, whose waker is kept. */
export function pollRecv<T>(queue: Queue<T>, context: Context): T | undefined | Pending {
  const isEmpty = queue.messages.length === 0;
  if (isEmpty && !queue.hasEnded) {
    park(queue, context.waker);
    return Pending;
  }
  if (!proceed(context)) return Pending;
  coop.left--;
  return isEmpty ? undefined : queue.take();
}

/** Has the one who receives wait. Two at once would each wait for what the other takes. */
function park<T>(queue: Queue<T>, waiting: Waker): void {
  const { receiver } = queue;
  if (receiver !== waiting && (receiver instanceof Recv || receiver instanceof RecvMany)) {
    throw new Error("cannot wait for a message: another recv() of this receiver waits; drop that one first");
  }
  queue.receiver = waiting;
}
