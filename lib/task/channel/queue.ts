import type { Pending, Waker } from "../future.ts";
import type { Closable } from "./closed.ts";
import type { Counted } from "./forgotten.ts";
import { ClosedError } from "./errors.ts";
import { Permit } from "./permit.ts";
import { Ring } from "./ring.ts";
import type { Reserving } from "./send.ts";
import { Waiter, Waiters } from "./waiters.ts";
import type { SenderCounts } from "./weak_sender.ts";

/** As much room as an unbounded queue has: the largest integer that V8 keeps without a box. */
export const UNBOUNDED: number = 2 ** 30 - 1;

/**
 * What the two ends of an mpsc share. Room is what is neither queued nor promised: to permits, and to those who wait
 * for more than there is. Whatever room comes is theirs, first come first served, and nobody else finds any: so no
 * sender overtakes another, and where somebody waits there is none.
 */
export class Queue<T> implements Closable, Counted, SenderCounts, Reserving<Permit<T>> {
  readonly capacity: number;
  readonly messages: Ring<T> = new Ring();
  /** For how many messages there is room in permits, and with those who wait. */
  promised = 0;
  /** Whether there are senders, and a receiver that has not closed. */
  isOpen = true;
  isDeaf = false;
  /** Who waits for a message. */
  receiver: Waker | null = null;
  senders = 1;
  weak = 0;
  readonly #awaitingRoom: Waiters = new Waiters();
  readonly awaitingDeaf: Waiters = new Waiters();
  #isGone = false;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get name(): string {
    return "an mpsc channel";
  }

  get room(): number {
    return this.capacity - this.messages.length - this.promised;
  }

  get hasSenders(): boolean {
    return this.senders > 0 || this.promised > 0;
  }

  /** Whether no message will come any more. */
  get hasEnded(): boolean {
    return !this.isOpen && this.promised === 0 && this.messages.length === 0;
  }

  /** Queues a message, for which there is room. */
  push(message: T): void {
    this.messages.push(message);
    const { receiver } = this;
    if (receiver === null) return;
    this.receiver = null;
    receiver.wake();
  }

  /** The oldest message, whose room goes to whoever waits for it. Only where there is one. */
  take(): T | Pending {
    const message = this.messages.shift();
    if (this.#awaitingRoom.first !== null) this.#promise();
    return message;
  }

  /** Promises what room there is to those who wait, the first one first. */
  #promise(): void {
    const waiters = this.#awaitingRoom;
    for (let { room } = this; room > 0; room = this.room) {
      const waiter = waiters.first;
      if (waiter === null) return;
      const part = Math.min(waiter.wanted, room);
      waiter.wanted -= part;
      this.promised += part;
      if (waiter.wanted > 0) return;
      waiters.remove(waiter);
      waiter.waker.wake();
    }
  }

  /** Gives back what was promised. */
  release(count: number): void {
    this.promised -= count;
    this.#promise();
    if (this.hasEnded) this.#wakeReceiver();
  }

  /** Queues a message that had its promise. */
  pushPromised(message: T): void {
    if (this.#isGone) return this.release(1);
    this.promised--;
    this.push(message);
  }

  /** Has `waker` wait for `count` places, as `waiter` or as a new one: it has them once it wants no more. */
  claim(waiter: Waiter | null, count: number, waker: Waker): Waiter {
    if (waiter !== null) {
      waiter.waker = waker;
      return waiter;
    }
    const had = Math.min(count, this.room);
    this.promised += had;
    const claimed = new Waiter(waker, count - had);
    if (had < count) this.#awaitingRoom.push(claimed);
    return claimed;
  }

  permit(count: number): Permit<T> {
    return new Permit(this, count);
  }

  /** Takes back a claim to `count` places, and what it has got of them already. */
  disclaim(waiter: Waiter, count: number): void {
    waiter.leave();
    this.release(count - waiter.wanted);
  }

  /** Why whoever has this claim, or none yet, will get no room; or null where it may. */
  refusal(waiter: Waiter | null, tried: string, message?: unknown): ClosedError | null {
    if (waiter === null ? this.isOpen : !this.isDeaf) return null;
    const why = this.senders === 0 ? "the sender was closed" : "the receiver has closed the channel";
    return new ClosedError(`cannot ${tried}: ${why}`, message);
  }

  #wakeReceiver(): void {
    const { receiver } = this;
    this.receiver = null;
    receiver?.wake();
  }

  senderAdded(): void {
    this.senders++;
    this.isOpen = !this.isDeaf;
  }

  senderGone(): void {
    if (--this.senders > 0) return;
    this.isOpen = false;
    if (this.hasEnded) this.#wakeReceiver();
  }

  /** The receiver takes what is queued and promised, and no more. */
  close(): void {
    if (this.isDeaf) return;
    this.isDeaf = true;
    this.isOpen = false;
    this.#awaitingRoom.wakeAll();
    this.awaitingDeaf.wakeAll();
    if (this.hasEnded) this.#wakeReceiver();
  }

  /** There is no receiver any more: what is queued is gone, and what was promised will be. */
  abandon(): void {
    this.close();
    this.#isGone = true;
    this.receiver = null;
    this.messages.clear();
  }
}
