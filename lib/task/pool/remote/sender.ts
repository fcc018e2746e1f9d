import { unwatch, watch } from "../../../mem/forgotten.ts";
import { Closed } from "../../channel/closed.ts";
import { ClosedError } from "../../channel/errors.ts";
import { checkCount, Reserve } from "../../channel/send.ts";
import { WeakSender } from "../../channel/weak_sender.ts";
import type { Future } from "../../future.ts";
import { registerEnd } from "./end_crossing.ts";
import { launch, type RemoteEndHandle } from "./handle.ts";
import type { RemotePermit } from "./permit.ts";
import type { RemoteQueue } from "./queue.ts";
import { endOf, landQueue } from "./queue_end.ts";
import { SENDER } from "./roster.ts";
import { RemoteSend } from "./send.ts";

/**
 * One of the sending ends. End each one by `close()` or `using`, for the receiver ends when all are; one that was
 * collected, and those of a thread that has ended, count as closed, too.
 */
export class RemoteSender<T> implements Disposable {
  readonly #queue: RemoteQueue<T>;
  #isClosed = false;

  /** The channel's own: it is counted already. */
  constructor(queue: RemoteQueue<T>) {
    this.#queue = queue;
    watch(this, "a sender of a channel between threads", () => queue.senderGone());
  }

  /** That of a handle, which is adopted once. Throws a `HandleError` where it was, or is no sender's. */
  static adopt<T>(handle: RemoteEndHandle): RemoteSender<T> {
    return new RemoteSender(landQueue<T>(handle, "sender", SENDER));
  }

  /**
   * Waits for room, then queues a clone of the message, which is made then: ends in it, and other things that cross by
   * being moved, are moved then. Who waits first in its thread is served first, and threads that wait are served in
   * turn. Fails with a `ClosedError` that holds the message where it will not be received, and with what cloning
   * throws. Cancel-safe: dropped before it has ended, it sends nothing.
   */
  send(message: T): Future<void> {
    return new RemoteSend(this.#open("send", message), message);
  }

  /** Whether there was room, and the message is sent. Throws a `ClosedError` where it will not be received. */
  trySend(message: T): boolean {
    const queue = this.#open("send", message);
    const refusal = queue.refusal(null, "send", message);
    if (refusal !== null) throw refusal;
    if (queue.trySend(message)) return true;
    queue.reapSometimes();
    return false;
  }

  /** Waits for room and keeps it, so that what is sent is made when it can go. Cancel-safe as `send`. */
  reserve(): Future<RemotePermit<T>> {
    return new Reserve(this.#open("reserve room"), 1);
  }

  /** Waits for room for `count` messages. Throws a RangeError where it is more than the channel ever has. */
  reserveMany(count: number): Future<RemotePermit<T>> {
    const queue = this.#open("reserve room");
    checkCount("count", count, queue.capacity, "reserve room");
    return new Reserve(queue, count);
  }

  /** Room for a message, or null where there is none. Throws a `ClosedError` where it will not be received. */
  tryReserve(): RemotePermit<T> | null {
    return this.tryReserveMany(1);
  }

  /** Room for `count` messages, or null where there is less. Throws as `reserveMany` and `tryReserve` do. */
  tryReserveMany(count: number): RemotePermit<T> | null {
    const queue = this.#open("reserve room");
    checkCount("count", count, queue.capacity, "reserve room");
    const refusal = queue.refusal(null, "reserve room");
    if (refusal !== null) throw refusal;
    return queue.tryClaim(count) ? queue.permit(count) : null;
  }

  #open(tried: string, message?: unknown): RemoteQueue<T> {
    if (this.#isClosed) throw new ClosedError(`cannot ${tried}: the sender was closed`, message);
    return this.#queue;
  }

  /** Waits until nobody will receive. */
  closed(): Future<void> {
    return new Closed(this.#queue);
  }

  /** Whether nobody will receive, or this sender was closed. */
  get isClosed(): boolean {
    return this.#isClosed || this.#queue.isDeaf;
  }

  /** For how many messages there is room now. */
  get capacity(): number {
    return this.#isClosed ? this.maxCapacity : this.#queue.room;
  }

  /** For how many messages there is room where none is queued. */
  get maxCapacity(): number {
    return this.#queue.capacity;
  }

  /** How many senders there are, in all threads and on their way. */
  get strongCount(): number {
    return this.#isClosed ? 0 : this.#queue.senders;
  }

  /** How many weak senders there are. */
  get weakCount(): number {
    return this.#isClosed ? 0 : this.#queue.weak;
  }

  /** Whether both send to the same receiver. */
  sameChannel(other: RemoteSender<T>): boolean {
    return this.#queue === other.#queue && !this.#isClosed && !other.#isClosed;
  }

  /** Another sender of the channel, to be closed for itself. Throws a `ClosedError` where this one was closed. */
  clone(): RemoteSender<T> {
    const queue = this.#open("clone a sender");
    queue.senderAdded();
    return new RemoteSender(queue);
  }

  /** One that does not keep the channel open. It stays in its thread. */
  downgrade(): WeakSender<RemoteSender<T>> {
    const queue = this.#open("downgrade a sender");
    // It reads the count and writes what is one more, or one less.
    let read = 0;
    const counts = {
      get senders(): number {
        return queue.senders;
      },
      get hasSenders(): boolean {
        return queue.hasSenders;
      },
      get weak(): number {
        return read = queue.weak;
      },
      set weak(count: number) {
        if (count > read) queue.weakAdded();
        else queue.weakGone();
      },
    };
    return new WeakSender(counts, () => {
      queue.senderAdded();
      return new RemoteSender(queue);
    });
  }

  /**
   * Moves this sender into a handle, for `postMessage`: it is closed here, and counts until the handle is adopted.
   * Throws a `ClosedError` where it was closed.
   */
  intoHandle(): RemoteEndHandle {
    const queue = this.#open("send a sender");
    const handle = launch(queue, endOf(queue, "sender"), SENDER);
    this.#isClosed = true;
    unwatch(this);
    return handle;
  }

  /** Ends this sender. What it has sent is received; its sends that wait already are not ended by it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    unwatch(this);
    this.#queue.senderGone();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

registerEnd(RemoteSender, ["sender", "bytes sender"], RemoteSender.adopt<unknown>);
