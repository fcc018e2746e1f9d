import { coop, proceed } from "../runtime/coop.ts";
import { type Context, type Future, Pending } from "../future.ts";
import { Closed } from "./closed.ts";
import { ClosedError } from "./errors.ts";
import { unwatchSender, watchSender } from "./forgotten.ts";
import { Cursor, Log } from "./log.ts";
import type { Waiter, Waiters } from "./waiters.ts";
import { Waiting } from "./waiting.ts";
import { WeakSender } from "./weak_sender.ts";

const MOST = 2 ** 30;

/** Takes a receiver's next message. */
class BroadcastRecv<T> extends Waiting<T | undefined> {
  protected override readonly call = "recv()";
  readonly #cursor: Cursor<T>;

  constructor(cursor: Cursor<T>) {
    super();
    this.#cursor = cursor;
  }

  protected override get waiters(): Waiters {
    return this.#cursor.log.awaitingMessage;
  }

  protected override attempt(): T | undefined | Pending {
    return this.#cursor.take();
  }
}

/** One of the sending ends. End each one by `close()` or `using`: the receivers end when all are. */
export class BroadcastSender<T> implements Disposable {
  #log: Log<T>;
  #isClosed = false;

  /** The channel's own: it is counted already. */
  constructor(log: Log<T>) {
    this.#log = log;
    watchSender(this, "a sender of a broadcast", log);
  }

  /**
   * Sends at once; gives how many receivers there are. Where the oldest message has not been taken by all and there
   * is room for no more, it is written over, and those have lagged. Where there is no receiver, it is kept for none.
   */
  send(message: T): number {
    const log = this.#log;
    const { receivers } = log;
    if (receivers > 0) log.send(message);
    return receivers;
  }

  /** A receiver of what is sent from now on. */
  subscribe(): BroadcastReceiver<T> {
    return new BroadcastReceiver(this.#log);
  }

  /** How many receivers there are. */
  get receiverCount(): number {
    return this.#log.receivers;
  }

  /** How many messages some receiver has yet to take. */
  get length(): number {
    return this.#log.length;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  /** Waits until there is no receiver. */
  closed(): Future<void> {
    return new Closed(this.#log);
  }

  /** How many senders there are. */
  get strongCount(): number {
    return this.#log.senders;
  }

  /** How many weak senders there are. */
  get weakCount(): number {
    return this.#log.weak;
  }

  /** Whether both send to the same receivers. */
  sameChannel(other: BroadcastSender<T>): boolean {
    return this.#log === other.#log;
  }

  /** Another sender of the channel, to be closed for itself. Throws a `ClosedError` where this one was closed. */
  clone(): BroadcastSender<T> {
    if (this.#isClosed) throw new ClosedError("cannot clone a sender: it was closed");
    this.#log.senders++;
    return new BroadcastSender(this.#log);
  }

  /** One that does not keep the channel open. */
  downgrade(): WeakSender<BroadcastSender<T>> {
    const log = this.#log;
    return new WeakSender(log, () => {
      log.senders++;
      return new BroadcastSender(log);
    });
  }

  /** Ends this sender: what it sends goes to nobody. What it has sent is received. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    unwatchSender(this);
    const log = this.#log;
    this.#log = new Log(log.capacity);
    this.#log.senders = 0;
    log.senderGone();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** One that gets every message sent since it has subscribed. End it by `close()` or `using`. */
export class BroadcastReceiver<T> implements AsyncIterable<T, void>, Disposable {
  readonly #cursor: Cursor<T>;
  /** Of the one that polls by itself. */
  #poller: Waiter | null = null;

  /** The channel's own. */
  constructor(log: Log<T>) {
    this.#cursor = new Cursor(log);
  }

  /**
   * Waits for the next message; `undefined` once every sender was closed and all was taken. Fails with a
   * `LaggedError` where messages were written over; the next call gives the oldest one kept. Cancel-safe: dropped
   * before it has ended, it has taken nothing.
   */
  recv(): Future<T | undefined> {
    return new BroadcastRecv(this.#cursor);
  }

  /**
   * The next message; `Pending` where there is none yet, `undefined` where there will be none. Throws a
   * `LaggedError` as `recv` does.
   */
  tryRecv(): T | undefined | Pending {
    return this.#cursor.take();
  }

  /** As `recv`, for what polls by itself: the waker of the last poll is the one that is woken. */
  pollRecv(context: Context): T | undefined | Pending {
    if (!proceed(context)) return Pending;
    const message = this.#cursor.take();
    if (message === Pending) {
      this.#poller = this.#cursor.log.awaitingMessage.wait(this.#poller, context.waker);
    } else coop.left--;
    return message;
  }

  /** Another receiver, of what is sent from now on. */
  resubscribe(): BroadcastReceiver<T> {
    return new BroadcastReceiver(this.#cursor.log);
  }

  /** How many messages it has yet to take, those that it has missed among them. */
  get length(): number {
    return this.#cursor.length;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  /** Whether every sender was closed: there may be messages yet. */
  get isClosed(): boolean {
    return !this.#cursor.log.hasSenders;
  }

  /** How many senders there are. */
  get senderStrongCount(): number {
    return this.#cursor.log.senders;
  }

  /** How many weak senders there are. */
  get senderWeakCount(): number {
    return this.#cursor.log.weak;
  }

  /** Whether both receive from the same senders. */
  sameChannel(other: BroadcastReceiver<T>): boolean {
    return this.#cursor.log === other.#cursor.log;
  }

  /** The messages to the end. Throws a `LaggedError` as `recv` does; a new loop goes on with the oldest one kept. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const message = await this.recv();
      if (message === undefined) return;
      yield message;
    }
  }

  /** Receives no more: what waits here ends, and messages that only it had to take are dropped. */
  close(): void {
    this.#cursor.leave();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * A channel whose every message goes to every receiver that has subscribed. Sending does not wait: the latest
 * `capacity` messages are kept for receivers that are slow, and whoever is slower still is told what it has missed.
 * Memory grows with what is kept. Throws a RangeError where `capacity` is no integer from 1 to 2^30.
 */
export function broadcast<T>(capacity: number): [tx: BroadcastSender<T>, rx: BroadcastReceiver<T>] {
  if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= MOST)) {
    throw new RangeError(
      `cannot make a broadcast: capacity is ${capacity}, not an integer from 1 to ${MOST}`,
    );
  }
  const log = new Log<T>(capacity);
  return [new BroadcastSender(log), new BroadcastReceiver(log)];
}
