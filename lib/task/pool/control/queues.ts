import { type Counting, FAILURES, FINISHED, INJECTED, REFUSED, STOLEN } from "./counters.ts";
import type { Deque } from "./deque.ts";
import type { Inbox } from "./inbox.ts";
import { DELIVERED, FAILED, type Layout, PIN, SEQUENCE } from "./layout.ts";
import type { Slots } from "./slots.ts";

/** What queues are made of: the deque and the inboxes of each lane, by its number. */
export interface QueueParts {
  readonly deques: readonly Deque[];
  readonly inboxes: readonly Inbox[];
  readonly ends: readonly Inbox[];
  readonly slots: Slots;
  readonly counters: Counting;
}

/** One in so many that an owner finds is the oldest of its deque, and not the newest: none waits for ever. */
const FAIRNESS = 32;

/** Where jobs wait for their runners, and ends for their owners. What is found is a hint: `Slots.begin` says whether. */
export class Queues {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #layout: Layout;
  readonly #lane: number;
  readonly #lanes: number;
  readonly #deques: readonly Deque[];
  readonly #deque: Deque;
  readonly #inboxes: readonly Inbox[];
  readonly #inbox: Inbox;
  readonly #allEnds: readonly Inbox[];
  readonly #ends: Inbox;
  readonly #slots: Slots;
  readonly #counters: Counting;
  #random: number;
  #turn = 0;

  constructor(words: Int32Array<ArrayBuffer>, layout: Layout, lane: number, parts: QueueParts) {
    this.#words = words;
    this.#layout = layout;
    this.#lane = lane;
    this.#lanes = layout.shape.lanes;
    this.#deques = parts.deques;
    this.#deque = parts.deques[lane];
    this.#inboxes = parts.inboxes;
    this.#inbox = parts.inboxes[lane];
    this.#allEnds = parts.ends;
    this.#ends = parts.ends[lane];
    this.#slots = parts.slots;
    this.#counters = parts.counters;
    this.#random = Math.imul(lane + 1, 0x9e3779b9) | 1;
  }

  /** Into the own deque, which all may steal from. Gives `false` where it is full. Wakes nobody. */
  push(slot: number): boolean {
    const isIn = this.#deque.push(slot);
    if (!isIn) this.#counters.add(REFUSED);
    return isIn;
  }

  /** Into a lane's inbox, which that lane alone takes from. Wakes nobody. Once for each time that a slot was taken. */
  inject(lane: number, slot: number): void {
    this.#inboxes[lane].put(slot);
    this.#counters.add(INJECTED);
  }

  /** A slot that may be waiting for a runner, or -1: of the inbox, the deque, another's deque. */
  find(): number {
    let slot = this.#inbox.take();
    if (slot >= 0) {
      this.#spread();
      return slot;
    }
    this.#turn = (this.#turn + 1) % FAIRNESS;
    slot = this.#turn === 0 ? this.#deque.steal() : -1;
    if (slot < 0) slot = this.#deque.pop();
    return slot >= 0 ? slot : this.#steal();
  }

  /** A slot that came into this lane's inbox, or -1: for who takes no jobs of others. */
  takeInjected(): number {
    return this.#inbox.take();
  }

  /** What came with the first one, others may steal, up to one that is pinned. */
  #spread(): void {
    for (;;) {
      const slot = this.#inbox.peek();
      if (slot < 0 || this.#slots.get(slot, PIN) !== 0 || !this.#deque.push(slot)) return;
      this.#inbox.pass(slot);
    }
  }

  #steal(): number {
    let lane = this.#next() % this.#lanes;
    for (let i = 0; i < this.#lanes; i++) {
      if (lane !== this.#lane && this.#deques[lane].seemsToHaveAny()) {
        const slot = this.#deques[lane].steal();
        if (slot >= 0) {
          this.#counters.add(STOLEN);
          return slot;
        }
      }
      lane = lane + 1 === this.#lanes ? 0 : lane + 1;
    }
    return -1;
  }

  /** Marsaglia's xorshift. */
  #next(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x >>> 0;
  }

  /** The runner's, after `finish`: hands the end to the slot's owner, and wakes nobody. */
  deliver(slot: number): void {
    const words = this.#words;
    const sequence = words[this.#layout.ofSlot(slot, SEQUENCE)];
    this.#allEnds[this.#slots.owner(slot)].put(slot);
    Atomics.store(words, this.#layout.ofSlot(slot, DELIVERED), sequence);
  }

  /** The owner's: the slot whose end was delivered first, or -1. */
  takeDelivered(): number {
    const slot = this.#ends.take();
    if (slot < 0) return -1;
    this.#slots.count(slot, this.#slots.phase(slot) === FAILED ? FAILURES : FINISHED);
    // The runner may have died before it noted so.
    this.#slots.set(slot, DELIVERED, this.#slots.get(slot, SEQUENCE));
    return slot;
  }

  /** Whether `takeDelivered` has something, or `find` may. */
  hasWork(): boolean {
    if (this.hasOwn()) return true;
    for (let lane = 0; lane < this.#lanes; lane++) {
      if (this.#deques[lane].hasAny()) return true;
    }
    return false;
  }

  /** Whether there is something that is for this lane alone: ends, or what was injected. */
  hasOwn(): boolean {
    return this.#ends.hasAny() || this.#inbox.hasAny();
  }
}
