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
import { type Closable, Closed } from "./closed.ts";
import { ClosedError } from "./errors.ts";
import { Waiters } from "./waiters.ts";

const EMPTY = 0;
/** There is a value, and it was not taken. */
const FULL = 1;
/** The sender was closed with nothing sent. */
const BROKEN = 2;
/** The value was taken, or the failure told. */
const TAKEN = 3;

/** The receiver's future, which is all that the two ends share; its own iterator, so that `yield*` allocates no other. */
class Oneshot<T> extends Future<T> implements OneshotReceiver<T>, Closable {
  #state = EMPTY;
  #value: T | Pending = Pending;
  #receiver: Waker | null = null;
  isDeaf = false;
  #awaitingDeaf: Waiters | null = null;

  get awaitingDeaf(): Waiters {
    return this.#awaitingDeaf ??= new Waiters();
  }

  override [Symbol.iterator](): Iterator<Pending, T, void> {
    return this;
  }

  next(): IteratorResult<Pending, T> {
    const { context } = polling;
    if (context === null) return withoutContext(this);
    const value = this.poll(context);
    return value === Pending ? parked() : { done: true, value };
  }

  return(value: T): IteratorResult<Pending, T> {
    this.drop();
    return { done: true, value };
  }

  override describe(): string {
    return "a oneshot";
  }

  override poll(context: Context): T | Pending {
    if (this.#state === EMPTY && !this.isDeaf) {
      this.#receiver = context.waker;
      return Pending;
    }
    if (!proceed(context)) return Pending;
    coop.left--;
    if (this.#state === TAKEN) throw consumed("a oneshot's receiver");
    return this.#take();
  }

  /** The value, or the failure; nobody can send afterwards. */
  #take(): T {
    const value = this.#value;
    this.#state = TAKEN;
    this.#value = Pending;
    this.#receiver = null;
    this.close();
    if (value === Pending) {
      throw new ClosedError("cannot receive: nothing was sent before the oneshot was closed");
    }
    return value;
  }

  tryRecv(): T | Pending {
    return this.#state === EMPTY && !this.isDeaf ? Pending : this.#take();
  }

  close(): void {
    if (this.isDeaf) return;
    this.isDeaf = true;
    this.#awaitingDeaf?.wakeAll();
    this.#wakeReceiver();
  }

  override drop(): void {
    this.#receiver = null;
    this.close();
    this.#state = TAKEN;
    this.#value = Pending;
  }

  get isTerminated(): boolean {
    return this.#state === TAKEN;
  }

  get isEmpty(): boolean {
    return this.#state !== FULL;
  }

  /** The sender's own. */
  complete(value: T): boolean {
    if (this.#state !== EMPTY || this.isDeaf) return false;
    this.#state = FULL;
    this.#value = value;
    this.#wakeReceiver();
    return true;
  }

  /** The sender's own: it will send nothing. */
  breakOff(): void {
    if (this.#state !== EMPTY) return;
    this.#state = BROKEN;
    this.#wakeReceiver();
  }

  #wakeReceiver(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.wake();
  }
}

/** The end that sends the one value. */
export class OneshotSender<T> implements Disposable {
  readonly #oneshot: Oneshot<T>;

  /** The channel's own. */
  constructor(oneshot: Oneshot<T>) {
    this.#oneshot = oneshot;
  }

  /** Whether the value goes to the receiver: not where that is closed, or dropped, or where it was sent already. */
  send(value: T): boolean {
    return this.#oneshot.complete(value);
  }

  /** Waits until nobody will receive: what the value is made for may be left. */
  closed(): Future<void> {
    return new Closed(this.#oneshot);
  }

  /** Whether nobody will receive. */
  get isClosed(): boolean {
    return this.#oneshot.isDeaf;
  }

  /** Sends nothing: the receiver fails with a `ClosedError`. Does nothing once a value was sent. */
  close(): void {
    this.#oneshot.breakOff();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * The end that waits for the one value: a future of it, which fails with a `ClosedError` where the sender is closed
 * with nothing sent. Dropped, it is closed.
 */
export interface OneshotReceiver<T> extends Future<T> {
  /**
   * The value; `Pending` where it was not sent yet. Throws a `ClosedError` where it will not be, or was taken.
   */
  tryRecv(): T | Pending;
  /** Refuses what is sent from now on. What was sent before can be taken. */
  close(): void;
  /** Whether the value was taken, or the failure told: to wait is an error then. */
  readonly isTerminated: boolean;
  /** Whether there is no value to be taken now. */
  readonly isEmpty: boolean;
}

/**
 * A channel of one value: an answer. A sender that is forgotten is not noticed: end it by `send`, `close()` or
 * `using`.
 */
export function oneshot<T>(): [tx: OneshotSender<T>, rx: OneshotReceiver<T>] {
  const channel = new Oneshot<T>();
  return [new OneshotSender(channel), channel];
}
