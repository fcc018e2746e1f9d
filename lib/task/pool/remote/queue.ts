import { Spin } from "../../../mem/shared/spin.ts";
import type { Closable } from "../../channel/closed.ts";
import { ClosedError } from "../../channel/errors.ts";
import type { Counted } from "../../channel/forgotten.ts";
import type { Reserving } from "../../channel/send.ts";
import { Waiter } from "../../channel/waiters.ts";
import type { SenderCounts } from "../../channel/weak_sender.ts";
import type { Waker } from "../../future.ts";
import type { Codec } from "./codec.ts";
import {
  CAPACITY,
  DEAF,
  GONE,
  OWN_RECEIVERS,
  PROMISED,
  RECEIVER,
  RECEIVER_SLEEPS,
  RECEIVERS,
  seatAt,
  STATE,
  TICKET,
  WAITING,
  WANTED,
} from "./layout.ts";
import type { Memory } from "./memory.ts";
import { RemotePermit } from "./permit.ts";
import { Port, type RemoteWaiters } from "./port.ts";
import { type Front, Records } from "./records.ts";
import { RECEIVING } from "./roster.ts";

/**
 * A thread's port of a queue. Room is what is neither queued nor promised. A thread's first waiter stands for it among
 * the threads that wait, which are served in turn; whoever makes room gives it to the first of them. So no sender
 * overtakes another of its thread, and where somebody waits there is no room.
 */
export class RemoteQueue<T> extends Port
  implements Closable, Counted, SenderCounts, Reserving<RemotePermit<T>> {
  readonly codec: Codec<T>;
  readonly records: Records;
  readonly #awaitingRoom: RemoteWaiters = this.waiters();
  /** For how many places the first waiter was last said to wait. */
  #published = 0;
  #receiver: Waker | null = null;
  readonly #spin = new Spin();
  readonly #isReady = (): boolean => !this.records.isEmpty || this.hasEnded;

  constructor(memory: Memory, codec: Codec<T>) {
    super(memory);
    this.codec = codec;
    this.records = new Records(memory);
  }

  get name(): string {
    return "a channel between threads";
  }

  get capacity(): number {
    return this.memory.words[CAPACITY];
  }

  get isDeaf(): boolean {
    return (this.memory.state & DEAF) !== 0;
  }

  get hasSenders(): boolean {
    return this.senders > 0 || Atomics.load(this.memory.words, PROMISED) > 0;
  }

  get isOpen(): boolean {
    return !this.isDeaf && this.senders > 0;
  }

  /** Whether no message will come any more. */
  get hasEnded(): boolean {
    const { words } = this.memory;
    const mayCome = Atomics.load(words, PROMISED) > 0 || (!this.isDeaf && this.senders > 0);
    return !mayCome && this.records.isEmpty;
  }

  /** Whether the receiver is in this thread. */
  get receives(): boolean {
    return this.memory.isOpen && this.roster.own(OWN_RECEIVERS) > 0;
  }

  get length(): number {
    return this.records.length;
  }

  /** For how many messages there is room that nobody waits for. */
  get room(): number {
    const { words } = this.memory;
    if (this.#awaitingRoom.first !== null || Atomics.load(words, WAITING) > 0) return 0;
    return Math.max(0, this.#left());
  }

  /** None while the ring is nearly full, so that few messages need a file: there is more once some were taken. */
  #left(): number {
    const { words } = this.memory;
    const places = words[CAPACITY] - this.records.length - Atomics.load(words, PROMISED);
    return this.records.isNearlyFull ? Math.min(places, 0) : places;
  }

  protected override get isWaiting(): boolean {
    return this.#receiver !== null || this.#awaitingRoom.length > 0 || this.awaitingDeaf.length > 0;
  }

  protected override mend(): void {
    this.records.mend();
  }

  protected override settle(): void {
    const { words, state } = this.memory;
    if (words[RECEIVERS] === 0 && (state & GONE) === 0) {
      Atomics.or(words, STATE, DEAF | GONE);
      this.roster.ringAll();
    }
    this.roster.grant(this.#left());
    this.#handOver();
    if (this.hasEnded) this.#ringReceiver();
  }

  #ringReceiver(): void {
    const { words } = this.memory;
    if (Atomics.exchange(words, RECEIVER_SLEEPS, 0) === 0 || words[RECEIVER] === 0) return;
    this.roster.ring(seatAt(words[RECEIVER] - 1));
  }

  /**
   * Of who holds the mutex: whether there is room for so many, once those who wait have theirs, and the receiver cannot
   * have been told that this is the end.
   */
  #hasRoom(count: number): boolean {
    const left = this.roster.grant(this.#left());
    return this.memory.words[WAITING] === 0 && left >= count && !this.isDeaf && this.hasSenders;
  }

  /** Takes room that is there. Whether it was there for nobody else. */
  tryClaim(count: number): boolean {
    if (count === 0) return true;
    if (this.#awaitingRoom.first !== null) return false;
    this.lock();
    try {
      if (!this.#hasRoom(count)) return false;
      this.roster.promise(count);
      return true;
    } finally {
      this.unlock();
    }
  }

  /** Whether there was room for the message, and it is sent. */
  trySend(message: T): boolean {
    if (!this.codec.isInert(message)) {
      if (!this.tryClaim(1)) return false;
      this.pushPromised(message);
      return true;
    }
    if (this.#awaitingRoom.first !== null) return false;
    const bytes = this.codec.encode(message);
    this.lock();
    try {
      if (!this.#hasRoom(1)) return false;
      this.records.push(bytes);
      this.#ringReceiver();
      return true;
    } finally {
      this.unlock();
    }
  }

  /** Has `waker` wait for `count` places, as `waiter` or as a new one: it has them once it wants no more. */
  claim(waiter: Waiter | null, count: number, waker: Waker): Waiter {
    if (waiter !== null) {
      waiter.waker = waker;
      return waiter;
    }
    return this.tryClaim(count) ? new Waiter(waker, 0) : this.wait(count, waker, "reserve room");
  }

  /** As `claim`, of who has seen that there is no room. Throws where there will be none, as `refusal` tells. */
  wait(count: number, waker: Waker, tried: string, message?: unknown): Waiter {
    const refusal = this.refusal(null, tried, message);
    if (refusal !== null) throw refusal;
    const claimed = new Waiter(waker, count);
    // Whatever is given from now on is rung for.
    this.sleep();
    this.lock();
    try {
      this.#awaitingRoom.push(claimed);
      this.roster.grant(this.#left());
      this.#handOver();
    } finally {
      this.unlock();
    }
    if (this.isDeaf) this.look();
    return claimed;
  }

  permit(count: number): RemotePermit<T> {
    return new RemotePermit(this, count);
  }

  /** Takes back a claim to `count` places, and what it has got of them already. */
  disclaim(waiter: Waiter, count: number): void {
    if (!this.memory.isOpen) return;
    this.lock();
    try {
      if (waiter === this.#awaitingRoom.first) this.#withdraw();
      waiter.leave();
      this.roster.promise(waiter.wanted - count);
      this.settle();
    } finally {
      this.unlock();
    }
    this.leaveIfIdle();
  }

  /** What the seat has been given goes to the first waiter, who waits in the seat no more. */
  #withdraw(): void {
    const { roster } = this;
    const { first } = this.#awaitingRoom;
    if (first !== null && this.#published > 0) first.wanted -= this.#published - roster.own(WANTED);
    this.#published = 0;
    roster.withdraw(roster.mine);
  }

  /** Gives this thread's waiters what its seat has been given, and has the next of them wait in it. */
  #handOver(): void {
    const { roster } = this;
    for (let { first } = this.#awaitingRoom; first !== null; first = this.#awaitingRoom.first) {
      if (this.#published > 0) {
        const wanted = roster.own(WANTED);
        first.wanted -= this.#published - wanted;
        this.#published = wanted;
      }
      if (first.wanted > 0) {
        if (roster.own(TICKET) !== 0 || this.isDeaf) return;
        roster.enqueue(roster.mine, first.wanted);
        this.#published = first.wanted;
        roster.grant(this.#left());
        if (roster.own(TICKET) !== 0 && roster.own(WANTED) === this.#published) return;
        continue;
      }
      this.#awaitingRoom.remove(first);
      this.wakeLater(first.waker);
    }
  }

  /** Gives places back. */
  release(count: number): void {
    if (count === 0 || !this.memory.isOpen) return;
    this.lock();
    try {
      this.roster.promise(-count);
      this.settle();
    } finally {
      this.unlock();
    }
    this.leaveIfIdle();
  }

  /** Queues a message that has its place. Where it cannot be encoded, the place is given back. */
  pushPromised(message: T): void {
    if (!this.memory.isOpen) return;
    let bytes: Uint8Array;
    try {
      bytes = this.codec.encode(message);
    } catch (error) {
      this.release(1);
      throw error;
    }
    let isGone = false;
    this.lock();
    try {
      isGone = (this.memory.state & GONE) !== 0;
      if (!isGone) this.records.push(bytes);
      this.roster.promise(-1);
      if (isGone) this.settle();
      else this.#ringReceiver();
    } finally {
      this.unlock();
    }
    if (isGone) this.codec.discard(bytes);
    this.leaveIfIdle();
  }

  /** The oldest message, whose room goes to who waits for it. Of the receiver, where there is one. */
  take(): T {
    const front = this.records.front();
    try {
      return this.codec.decode(front.bytes);
    } finally {
      this.taken(front);
    }
  }

  /** The receiver has done with the first message. */
  taken(front: Front): void {
    this.records.pop(front);
    if (Atomics.load(this.memory.words, WAITING) === 0) return;
    this.lock();
    try {
      this.roster.grant(this.#left());
      this.#handOver();
    } finally {
      this.unlock();
    }
  }

  /** Why whoever has this claim, or none yet, will get no room; or null where it may. */
  refusal(waiter: Waiter | null, tried: string, message?: unknown): ClosedError | null {
    if (waiter === null ? this.isOpen : !this.isDeaf) return null;
    const why = this.senders === 0 ? "the sender was closed" : "the receiver has closed the channel";
    return new ClosedError(`cannot ${tried}: ${why}`, message);
  }

  /** Who waits for a message. */
  get receiver(): Waker | null {
    return this.#receiver;
  }

  /** Has the receiver wait. False where there is a message, or none will come. */
  park(waker: Waker): boolean {
    if (!this.memory.isOpen || this.#spin.until(this.#isReady)) return false;
    this.#receiver = waker;
    this.sleep();
    if (!this.#isReadyAwake()) return true;
    this.unpark();
    return false;
  }

  /** As `#isReady`; where not, the receiver is rung for: also where the one who rang last did for what was taken. */
  #isReadyAwake(): boolean {
    if (this.#isReady()) return true;
    Atomics.store(this.memory.words, RECEIVER_SLEEPS, 1);
    return this.#isReady();
  }

  unpark(): void {
    this.#receiver = null;
    this.rest();
  }

  override look(): void {
    if (this.isDeaf) {
      this.awaitingDeaf.wakeAll();
      this.#refuseAll();
    } else if (this.#awaitingRoom.first !== null) {
      this.lock();
      try {
        this.#handOver();
      } finally {
        this.unlock();
      }
    }
    const receiver = this.#receiver;
    if (receiver === null || !this.#isReadyAwake()) return;
    this.unpark();
    receiver.wake();
  }

  /** Those who wait for room get none, and learn why. */
  #refuseAll(): void {
    if (this.#awaitingRoom.first === null) return;
    this.lock();
    try {
      this.#withdraw();
    } finally {
      this.unlock();
    }
    this.#awaitingRoom.wakeAll();
  }

  protected override forget(): void {
    this.#withdraw();
    this.#awaitingRoom.forget();
    this.awaitingDeaf.forget();
    this.unpark();
  }

  /** The receiver takes what is queued and promised, and no more. */
  close(): void {
    if (this.isDeaf) return;
    this.lock();
    try {
      Atomics.or(this.memory.words, STATE, DEAF);
      this.roster.isRung = true;
      this.roster.ringAll();
    } finally {
      this.unlock();
    }
  }

  /** There is no receiver any more: what is queued is gone, and what was promised will be. */
  abandon(): void {
    this.close();
    this.#receiver = null;
    this.rest();
    this.remove(RECEIVING);
  }

  protected override discard(): void {
    while (this.memory.isOpen && (this.memory.state & GONE) !== 0 && !this.records.isEmpty) {
      let bytes: Uint8Array | null = null;
      this.lock();
      try {
        if (!this.records.isEmpty) {
          const front = this.records.front();
          bytes = front.bytes.slice();
          this.records.pop(front);
        }
      } finally {
        this.unlock();
      }
      if (bytes !== null) this.codec.discard(bytes);
    }
  }
}
