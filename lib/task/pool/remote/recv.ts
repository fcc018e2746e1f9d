import { coop, proceed } from "../../runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../../future.ts";
import type { RemoteQueue } from "./queue.ts";

/** Waits for a message, or the end. */
abstract class Receiving<T, V> extends Future<V> implements Waker {
  /** None once it has received or been dropped. */
  #queue: RemoteQueue<T> | null;
  /** The end, which is not collected while somebody waits. */
  readonly #owner: object;
  #waker: Waker | null = null;

  constructor(queue: RemoteQueue<T>, owner: object) {
    super();
    this.#queue = queue;
    this.#owner = owner;
  }

  protected abstract readonly call: string;
  /** Whether it ends at once. */
  protected abstract readonly isEmpty: boolean;
  protected abstract take(queue: RemoteQueue<T>): V;

  override describe(): string {
    return `${this.call} of a channel between threads`;
  }

  override poll(context: Context): V | Pending {
    const queue = this.#queue;
    if (queue === null) throw consumed(this.call);
    if (queue.receives && queue.records.isEmpty && !queue.hasEnded && !this.isEmpty) {
      this.#waker = context.waker;
      if (park(queue, this)) return Pending;
    }
    if (!proceed(context)) return Pending;
    coop.left--;
    this.drop();
    return this.take(queue);
  }

  wake(): void {
    this.#waker?.wake();
  }

  override drop(): void {
    const queue = this.#queue;
    this.#queue = null;
    if (queue !== null && queue.receiver === this) queue.unpark();
  }

  /** Whose it is. */
  get owner(): object {
    return this.#owner;
  }
}

/** Takes a message, once there is one. */
export class RemoteRecv<T> extends Receiving<T, T | undefined> {
  protected override readonly call = "recv()";
  protected override readonly isEmpty = false;

  protected override take(queue: RemoteQueue<T>): T | undefined {
    return queue.receives && !queue.records.isEmpty ? queue.take() : undefined;
  }
}

/** Takes messages, at most so many, once there is one. */
export class RemoteRecvMany<T> extends Receiving<T, number> {
  protected override readonly call = "recvMany()";
  readonly #into: T[];
  readonly #limit: number;

  constructor(queue: RemoteQueue<T>, owner: object, into: T[], limit: number) {
    super(queue, owner);
    this.#into = into;
    this.#limit = limit;
  }

  protected override get isEmpty(): boolean {
    return this.#limit === 0;
  }

  protected override take(queue: RemoteQueue<T>): number {
    let count = 0;
    for (; queue.receives && count < this.#limit && !queue.records.isEmpty; count++) {
      this.#into.push(queue.take());
    }
    return count;
  }
}

/** For what polls by itself, whose waker is kept. */
export function pollRecv<T>(queue: RemoteQueue<T>, context: Context): T | undefined | Pending {
  if (queue.receives && queue.records.isEmpty && !queue.hasEnded && park(queue, context.waker)) {
    return Pending;
  }
  if (!proceed(context)) return Pending;
  coop.left--;
  return queue.receives && !queue.records.isEmpty ? queue.take() : undefined;
}

/** Has the one who receives wait. Two at once would each wait for what the other takes. */
function park<T>(queue: RemoteQueue<T>, waiting: Waker): boolean {
  const { receiver } = queue;
  if (receiver !== waiting && receiver instanceof Receiving) {
    throw new Error("cannot wait for a message: another recv() of this receiver waits; drop that one first");
  }
  return queue.park(waiting);
}
