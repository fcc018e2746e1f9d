import { unwatch, watch } from "../../../mem/forgotten.ts";
import { ClosedError } from "../../channel/errors.ts";
import { type Context, type Future, Pending } from "../../future.ts";
import { registerEnd } from "./end_crossing.ts";
import { launch, type RemoteEndHandle } from "./handle.ts";
import type { RemoteQueue } from "./queue.ts";
import { endOf, landQueue } from "./queue_end.ts";
import { pollRecv, RemoteRecv, RemoteRecvMany } from "./recv.ts";
import { RECEIVING } from "./roster.ts";

/** The one receiving end. One that was collected, or whose thread has ended, counts as disposed. */
export class RemoteReceiver<T> implements AsyncIterable<T, void>, Disposable {
  readonly #queue: RemoteQueue<T>;
  #isGone = false;

  /** The channel's own. */
  constructor(queue: RemoteQueue<T>) {
    this.#queue = queue;
    watch(this, "a receiver of a channel between threads", () => queue.abandon());
  }

  /** That of a handle, which is adopted once. Throws a `HandleError` where it was, or is no receiver's. */
  static adopt<T>(handle: RemoteEndHandle): RemoteReceiver<T> {
    return new RemoteReceiver(landQueue<T>(handle, "receiver", RECEIVING));
  }

  /**
   * Waits for the next message; `undefined` once every sender was closed, or this receiver, and what was sent has
   * been taken. Cancel-safe: dropped before it has ended, it has taken nothing. One waits at a time.
   */
  recv(): Future<T | undefined> {
    return new RemoteRecv(this.#queue, this);
  }

  /**
   * Waits for a message, then appends those that are there to `into`, at most `limit`, and gives how many: 0 at the
   * end, where `recv` gives `undefined`, and at once where `limit` is 0. Cancel-safe as `recv`.
   */
  recvMany(into: T[], limit: number): Future<number> {
    if (!Array.isArray(into)) throw new TypeError("cannot receive: into is no array");
    if (!(limit === Infinity || (Number.isInteger(limit) && limit >= 0))) {
      throw new RangeError(`cannot receive: limit is ${limit}, not a count of messages`);
    }
    return new RemoteRecvMany(this.#queue, this, into, limit);
  }

  /** The next message; `Pending` where there is none yet, `undefined` where there will be none. */
  tryRecv(): T | undefined | Pending {
    const queue = this.#queue;
    if (this.#isGone) return undefined;
    if (queue.records.isEmpty) {
      if (!queue.hasEnded) queue.reapSometimes();
      // What was sent before the last sender went is there by now.
      if (queue.records.isEmpty) return queue.hasEnded ? undefined : Pending;
    }
    return queue.take();
  }

  /** As `recv`, for what polls by itself: the waker of the last poll is the one that is woken. */
  pollRecv(context: Context): T | undefined | Pending {
    return pollRecv(this.#queue, context);
  }

  /** Refuses what is sent from now on. What is queued, or has its permit, is still received. */
  close(): void {
    if (!this.#isGone) this.#queue.close();
  }

  /** Whether this end was closed, or all senders were: there may be messages yet. */
  get isClosed(): boolean {
    const queue = this.#queue;
    return this.#isGone || queue.isDeaf || !queue.hasSenders;
  }

  /** How many messages are queued. */
  get length(): number {
    return this.#isGone ? 0 : this.#queue.length;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  /** For how many messages there is room now. */
  get capacity(): number {
    return this.#queue.room;
  }

  /** For how many messages there is room where none is queued. */
  get maxCapacity(): number {
    return this.#queue.capacity;
  }

  /** How many senders there are, in all threads and on their way. */
  get senderStrongCount(): number {
    return this.#queue.senders;
  }

  /** How many weak senders there are. */
  get senderWeakCount(): number {
    return this.#queue.weak;
  }

  /** The messages to the end. A loop that is left closes nothing: what is queued can be received yet. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const message = await this.recv();
      if (message === undefined) return;
      yield message;
    }
  }

  /**
   * Moves this receiver into a handle, for `postMessage`, with what is queued. Throws where somebody waits for a
   * message here, and a `ClosedError` where it was disposed.
   */
  intoHandle(): RemoteEndHandle {
    const queue = this.#queue;
    if (this.#isGone) throw new ClosedError("cannot send a receiver: it was disposed, or sent already");
    if (queue.receiver !== null) {
      throw new Error("cannot send a receiver: a recv() waits for a message; drop that one first");
    }
    const handle = launch(queue, endOf(queue, "receiver"), RECEIVING);
    this.#isGone = true;
    unwatch(this);
    return handle;
  }

  /** Closes the channel and drops what is queued. */
  [Symbol.dispose](): void {
    if (this.#isGone) return;
    this.#isGone = true;
    unwatch(this);
    this.#queue.abandon();
  }
}

registerEnd(RemoteReceiver, ["receiver", "bytes receiver"], RemoteReceiver.adopt<unknown>);
