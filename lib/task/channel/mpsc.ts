import { type Context, type Future, Pending } from "../future.ts";
import { Closed } from "./closed.ts";
import { ClosedError } from "./errors.ts";
import { unwatchSender, watchSender } from "./forgotten.ts";
import type { Permit } from "./permit.ts";
import { Queue, UNBOUNDED } from "./queue.ts";
import { pollRecv, Recv, RecvMany } from "./recv.ts";
import { checkCount, Reserve, Send } from "./send.ts";
import { WeakSender } from "./weak_sender.ts";

function bound(queue: Queue<unknown>, count: number): number {
  return queue.capacity === UNBOUNDED ? Infinity : count;
}

/**
 * One of the sending ends. There is no drop in JavaScript: end each one by `close()` or `using`, for the receiver
 * ends when all are. One that was collected counts as closed, too, whenever that may be.
 */
export class Sender<T> implements Disposable {
  #queue: Queue<T>;
  #isClosed = false;

  /** The channel's own: it is counted already. */
  constructor(queue: Queue<T>) {
    this.#queue = queue;
    watchSender(this, "a sender of an mpsc channel", queue);
  }

  /**
   * Waits for room, then queues the message. Who waits first is served first. Fails with a `ClosedError` that
   * holds the message where it will not be received. Cancel-safe: dropped before it has ended, it sends nothing,
   * and its place in the queue of those who wait is lost.
   */
  send(message: T): Future<void> {
    return new Send(this.#queue, message);
  }

  /** Whether there was room, and the message is sent. Throws a `ClosedError` where it will not be received. */
  trySend(message: T): boolean {
    const queue = this.#queue;
    const refusal = queue.refusal(null, "send", message);
    if (refusal !== null) throw refusal;
    if (queue.room === 0) return false;
    queue.push(message);
    return true;
  }

  /** Waits for room and keeps it, so that what is sent is made when it can go. Cancel-safe as `send`. */
  reserve(): Future<Permit<T>> {
    return new Reserve(this.#queue, 1);
  }

  /** Waits for room for `count` messages. Throws a RangeError where it is more than the channel ever has. */
  reserveMany(count: number): Future<Permit<T>> {
    checkCount("count", count, this.#queue.capacity, "reserve room");
    return new Reserve(this.#queue, count);
  }

  /** Room for a message, or null where there is none. Throws a `ClosedError` where it will not be received. */
  tryReserve(): Permit<T> | null {
    return this.tryReserveMany(1);
  }

  /** Room for `count` messages, or null where there is less. Throws as `reserveMany` and `tryReserve` do. */
  tryReserveMany(count: number): Permit<T> | null {
    const queue = this.#queue;
    checkCount("count", count, queue.capacity, "reserve room");
    const refusal = queue.refusal(null, "reserve room");
    if (refusal !== null) throw refusal;
    if (queue.room < count) return null;
    queue.promised += count;
    return queue.permit(count);
  }

  /** Waits until nobody will receive. */
  closed(): Future<void> {
    return new Closed(this.#queue);
  }

  /** Whether nobody will receive, or this sender was closed. */
  get isClosed(): boolean {
    return this.#queue.isDeaf;
  }

  /** For how many messages there is room now. */
  get capacity(): number {
    return bound(this.#queue, this.#queue.room);
  }

  /** For how many messages there is room where none is queued; `Infinity` where there is no bound. */
  get maxCapacity(): number {
    return bound(this.#queue, this.#queue.capacity);
  }

  /** How many senders there are. */
  get strongCount(): number {
    return this.#queue.senders;
  }

  /** How many weak senders there are. */
  get weakCount(): number {
    return this.#queue.weak;
  }

  /** Whether both send to the same receiver. */
  sameChannel(other: Sender<T>): boolean {
    return this.#queue === other.#queue;
  }

  /** Another sender of the channel, to be closed for itself. Throws a `ClosedError` where this one was closed. */
  clone(): Sender<T> {
    if (this.#isClosed) throw new ClosedError("cannot clone a sender: it was closed");
    this.#queue.senderAdded();
    return new Sender(this.#queue);
  }

  /** One that does not keep the channel open. */
  downgrade(): WeakSender<Sender<T>> {
    const queue = this.#queue;
    return new WeakSender(queue, () => {
      queue.senderAdded();
      return new Sender(queue);
    });
  }

  /** Ends this sender. What it has sent is received; its sends that wait already are not ended by it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    unwatchSender(this);
    const queue = this.#queue;
    this.#queue = new Queue(queue.capacity);
    this.#queue.close();
    this.#queue.senderGone();
    queue.senderGone();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The one receiving end. */
export class Receiver<T> implements AsyncIterable<T, void>, Disposable {
  readonly #queue: Queue<T>;

  /** The channel's own. */
  constructor(queue: Queue<T>) {
    this.#queue = queue;
  }

  /**
   * Waits for the next message; `undefined` once every sender was closed, or this receiver, and what was sent has
   * been taken. Cancel-safe: dropped before it has ended, it has taken nothing. One waits at a time.
   */
  recv(): Future<T | undefined> {
    return new Recv(this.#queue);
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
    return new RecvMany(this.#queue, into, limit);
  }

  /** The next message; `Pending` where there is none yet, `undefined` where there will be none. */
  tryRecv(): T | undefined | Pending {
    const queue = this.#queue;
    if (queue.messages.length > 0) return queue.take();
    return queue.hasEnded ? undefined : Pending;
  }

  /** As `recv`, for what polls by itself: the waker of the last poll is the one that is woken. */
  pollRecv(context: Context): T | undefined | Pending {
    return pollRecv(this.#queue, context);
  }

  /** Refuses what is sent from now on. What is queued, or has its permit, is still received. */
  close(): void {
    this.#queue.close();
  }

  /** Whether this end was closed, or all senders were: there may be messages yet. */
  get isClosed(): boolean {
    const queue = this.#queue;
    return queue.isDeaf || !queue.hasSenders;
  }

  /** How many messages are queued. */
  get length(): number {
    return this.#queue.messages.length;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  /** For how many messages there is room now. */
  get capacity(): number {
    return bound(this.#queue, this.#queue.room);
  }

  /** For how many messages there is room where none is queued; `Infinity` where there is no bound. */
  get maxCapacity(): number {
    return bound(this.#queue, this.#queue.capacity);
  }

  /** How many senders there are. */
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

  /** Closes the channel and drops what is queued. */
  [Symbol.dispose](): void {
    this.#queue.abandon();
  }
}

/**
 * A channel of many senders and one receiver, with room for `capacity` messages; `Infinity`: any number. Memory is
 * taken for what is queued alone. Throws a RangeError where `capacity` is no integer from 1 to 2^30 - 1.
 */
export function mpsc<T>(capacity: number): [tx: Sender<T>, rx: Receiver<T>] {
  if (capacity !== Infinity && !(Number.isInteger(capacity) && capacity >= 1 && capacity <= UNBOUNDED)) {
    throw new RangeError(
      `cannot make an mpsc channel: capacity is ${capacity}, not Infinity or an integer from 1 to ${UNBOUNDED}`,
    );
  }
  const queue = new Queue<T>(Math.min(capacity, UNBOUNDED));
  return [new Sender(queue), new Receiver(queue)];
}
