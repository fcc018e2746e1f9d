import { Pending } from "../future.ts";
import type { Closable } from "./closed.ts";
import { LaggedError } from "./errors.ts";
import type { Counted } from "./forgotten.ts";
import { Waiters } from "./waiters.ts";
import type { SenderCounts } from "./weak_sender.ts";

const SMALLEST = 8;

/**
 * What the ends of a broadcast share: the messages that some receiver has not taken, at most `capacity`. They are
 * numbered as they are sent, and each receiver has the number that it takes next. A place knows how many have yet to
 * take its message, and is cleared by the last one; a receiver takes all in order, so the oldest are cleared first.
 */
export class Log<T> implements Closable, Counted, SenderCounts {
  readonly capacity: number;
  /** As long as a power of two, and doubled when they are full. */
  #messages: (T | Pending)[] = [];
  #readers: number[] = [];
  /** The number of the oldest message kept. */
  first = 0;
  /** The number that the next message gets. */
  next = 0;
  senders = 1;
  weak = 0;
  receivers = 0;
  readonly awaitingMessage: Waiters = new Waiters();
  readonly awaitingDeaf: Waiters = new Waiters();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get length(): number {
    return this.next - this.first;
  }

  get isDeaf(): boolean {
    return this.receivers === 0;
  }

  get hasSenders(): boolean {
    return this.senders > 0;
  }

  send(message: T): void {
    if (this.length === this.capacity) this.#dropFirst();
    if (this.length === this.#messages.length) this.#grow();
    const at = this.next++ & (this.#messages.length - 1);
    this.#messages[at] = message;
    this.#readers[at] = this.receivers;
    this.awaitingMessage.wakeAll();
  }

  #dropFirst(): void {
    this.#messages[this.first++ & (this.#messages.length - 1)] = Pending;
  }

  #grow(): void {
    const messages = this.#messages;
    const readers = this.#readers;
    const size = Math.max(SMALLEST, 2 * messages.length);
    this.#messages = new Array<T | Pending>(size).fill(Pending);
    this.#readers = new Array<number>(size).fill(0);
    for (let i = this.first; i < this.next; i++) {
      this.#messages[i & (size - 1)] = messages[i & (messages.length - 1)];
      this.#readers[i & (size - 1)] = readers[i & (messages.length - 1)];
    }
  }

  /** The message of that number, which has one reader less then. */
  read(number: number): T | Pending {
    const at = number & (this.#messages.length - 1);
    const message = this.#messages[at];
    this.#readers[at]--;
    if (number === this.first) this.#dropRead();
    return message;
  }

  #dropRead(): void {
    const mask = this.#messages.length - 1;
    while (this.first < this.next && this.#readers[this.first & mask] === 0) this.#dropFirst();
  }

  /** A receiver will not take the messages from that number on. */
  receiverGone(from: number): void {
    const mask = this.#messages.length - 1;
    for (let i = Math.max(from, this.first); i < this.next; i++) this.#readers[i & mask]--;
    this.#dropRead();
    if (--this.receivers === 0) this.awaitingDeaf.wakeAll();
  }

  senderGone(): void {
    if (--this.senders === 0) this.awaitingMessage.wakeAll();
  }
}

/** One receiver's place in the log. */
export class Cursor<T> {
  readonly log: Log<T>;
  #at: number;
  #isGone = false;

  constructor(log: Log<T>) {
    this.log = log;
    this.#at = log.next;
    log.receivers++;
  }

  /** How many messages were sent that it has not taken, those that it has missed among them. */
  get length(): number {
    return this.#isGone ? 0 : this.log.next - this.#at;
  }

  /** The next message; `Pending` where there is none yet, `undefined` where there will be none. */
  take(): T | undefined | Pending {
    const { log } = this;
    if (this.#isGone) return undefined;
    if (this.#at === log.next) return log.hasSenders ? Pending : undefined;
    const missed = log.first - this.#at;
    if (missed > 0) {
      this.#at = log.first;
      throw new LaggedError(missed);
    }
    return log.read(this.#at++);
  }

  leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.log.receiverGone(this.#at);
    // Whoever waits for this receiver's messages waits in vain.
    this.log.awaitingMessage.wakeAll();
  }
}
