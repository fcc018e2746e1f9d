import { coop, proceed } from "../../runtime/coop.ts";
import type { Waiter } from "../../channel/waiters.ts";
import { consumed, type Context, Future, Pending } from "../../future.ts";
import type { RemoteQueue } from "./queue.ts";

/** Queues one message, once there is room. */
export class RemoteSend<T> extends Future<void> {
  readonly #queue: RemoteQueue<T>;
  /** `Pending` once it was sent, refused or dropped. */
  #message: T | Pending;
  #waiter: Waiter | null = null;

  constructor(queue: RemoteQueue<T>, message: T) {
    super();
    this.#queue = queue;
    this.#message = message;
  }

  override describe(): string {
    return `send() to a channel of ${this.#queue.capacity} between threads`;
  }

  override poll(context: Context): void | Pending {
    const queue = this.#queue;
    const message = this.#message;
    if (message === Pending) throw consumed("send()");
    const refusal = queue.refusal(this.#waiter, "send", message);
    if (refusal !== null) {
      this.drop();
      throw refusal;
    }
    if (this.#waiter === null) {
      if (!proceed(context)) return Pending;
      // What cannot be encoded is told once.
      this.#message = Pending;
      if (queue.trySend(message)) {
        coop.left--;
        return;
      }
      this.#waiter = queue.wait(1, context.waker, "send", message);
      this.#message = message;
    }
    const waiter = this.#waiter;
    waiter.waker = context.waker;
    if (waiter.wanted > 0 || !proceed(context)) return Pending;
    coop.left--;
    this.#message = Pending;
    queue.pushPromised(message);
  }

  override drop(): void {
    if (this.#message === Pending) return;
    this.#message = Pending;
    if (this.#waiter !== null) this.#queue.disclaim(this.#waiter, 1);
  }
}
