import { FAILURES, FINISHED } from "./counters.ts";
import type { Deque } from "./deque.ts";
import type { Inbox } from "./inbox.ts";
import {
  CANCELLED,
  DELIVERED,
  DONE,
  FAILED,
  FILLING,
  FREE,
  type Layout,
  LOST,
  PHASE_BITS,
  PHASE_MASK,
  PIN,
  QUEUED,
  RUNNING,
  SEQUENCE,
} from "./layout.ts";
import type { Parking } from "./parking.ts";
import type { Queues } from "./queues.ts";
import { laneOf, type Slots } from "./slots.ts";

/** The parts of a control map that the dead leave something in. */
export interface RecoveryParts {
  readonly lane: number;
  readonly deque: Deque;
  readonly inboxes: readonly Inbox[];
  readonly ends: readonly Inbox[];
  readonly slots: Slots;
  readonly queues: Queues;
  readonly parking: Parking;
}

/** What has become of a lane's own jobs, as `survey` finds it. */
export interface Survey {
  /** As `takeDelivered` gives them: DONE or FAILED. */
  readonly ended: readonly number[];
  /** They ran on threads that are gone: given up. */
  readonly lost: readonly number[];
}

/**
 * What is done after threads have ended, killed or not. Nothing of it guesses: `seal` is for a lane whose thread is
 * known to be gone. From there on every lane goes through its own slots once, since what the dead had in its hands
 * is in no list any more: it hints again what is queued, and gives up what ran there.
 */
export class Recovery {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #layout: Layout;
  readonly #parts: RecoveryParts;
  /** Slots of this lane's last thread that are not free yet; `true` where the end was seen to be delivered. */
  readonly #orphans: Map<number, boolean> = new Map();

  constructor(words: Int32Array<ArrayBuffer>, layout: Layout, parts: RecoveryParts) {
    this.#words = words;
    this.#layout = layout;
    this.#parts = parts;
  }

  /** Whether that runner's lane has not been sealed since. */
  isCurrent(runner: number): boolean {
    const incarnation = Atomics.load(this.#words, this.#layout.incarnation + laneOf(runner));
    return (runner >>> 8) === (incarnation & 0xfffff);
  }

  /** After the end of the lane's thread, by one lane alone: the lane may be given to a new thread then. */
  seal(lane: number): void {
    const { parking, inboxes, ends } = this.#parts;
    parking.bury(lane);
    Atomics.add(this.#words, this.#layout.incarnation + lane, 1);
    inboxes[lane].reset();
    ends[lane].reset();
    parking.announceDeath();
  }

  /** Goes through this lane's slots, where `Parking.hasDeaths` says so. What it gives is the caller's to handle and free. */
  survey(): Survey {
    const { parking, queues, slots } = this.#parts;
    parking.seeDeaths();
    const ended: number[] = [];
    const lost: number[] = [];
    for (let slot = queues.takeDelivered(); slot >= 0; slot = queues.takeDelivered()) ended.push(slot);
    this.#sortDeque();
    for (let slot = slots.first; slot < slots.end; slot++) {
      if (this.#orphans.has(slot)) continue;
      const state = slots.state(slot);
      const phase = state & PHASE_MASK;
      const runner = state >>> PHASE_BITS;
      if (phase === QUEUED) this.#hint(slot);
      else if (phase === RUNNING) {
        if (!this.isCurrent(runner) && slots.giveUp(slot, runner)) lost.push(slot);
      } else if (this.#isEnded(phase) && !this.#isDelivered(slot) && !this.isCurrent(runner)) {
        this.#count(slot, phase);
        ended.push(slot);
      }
    }
    parking.workAdded();
    return { ended, lost };
  }

  #isEnded(phase: number): boolean {
    return phase === DONE || phase === FAILED;
  }

  #isDelivered(slot: number): boolean {
    const { slots } = this.#parts;
    return slots.get(slot, DELIVERED) === slots.get(slot, SEQUENCE);
  }

  #count(slot: number, phase: number): void {
    this.#parts.slots.count(slot, phase === FAILED ? FAILURES : FINISHED);
  }

  /** Leaves in the deque what is of other lanes: this one's own is hinted anew, and once. */
  #sortDeque(): void {
    const { deque, lane } = this.#parts;
    const others: number[] = [];
    for (let slot = deque.pop(); slot >= 0; slot = deque.pop()) {
      if (this.#layout.ownerOf(slot) !== lane) others.push(slot);
    }
    for (let i = others.length - 1; i >= 0; i--) deque.push(others[i]);
  }

  #hint(slot: number): void {
    const { queues, slots } = this.#parts;
    if (slots.isLinked(slot)) return;
    const pin = slots.get(slot, PIN);
    if (pin !== 0) queues.inject(pin - 1, slot);
    else queues.push(slot);
  }

  /** Once, where this lane had another thread before: finds what that one has left. */
  open(): void {
    const { deque, slots } = this.#parts;
    deque.mend();
    for (let slot = slots.first; slot < slots.end; slot++) {
      if (slots.phase(slot) !== FREE) this.#orphans.set(slot, false);
    }
  }

  /** Whether the slot is one that the lane's last thread has left. */
  holds(slot: number): boolean {
    return this.#orphans.has(slot);
  }

  /** Whether the slot that `takeDelivered` gave was the last thread's: then it is freed by this. */
  settle(slot: number): boolean {
    if (!this.#orphans.delete(slot)) return false;
    this.#parts.slots.free(slot);
    return true;
  }

  /**
   * Frees what it can of what the lane's last thread has left: what waits is cancelled, what runs on living threads is
   * waited for. To be called now and then, always after `takeDelivered` had nothing; `drop` is given each slot before
   * it is freed. Gives how many there are still.
   */
  sweep(drop: (slot: number) => void): number {
    for (const [slot, wasSeen] of this.#orphans) {
      if (this.#isOver(slot, wasSeen)) {
        drop(slot);
        this.settle(slot);
      } else if (this.#isDelivered(slot)) {
        this.#orphans.set(slot, true);
      }
    }
    return this.#orphans.size;
  }

  #isOver(slot: number, wasSeen: boolean): boolean {
    const { slots } = this.#parts;
    const state = slots.state(slot);
    const phase = state & PHASE_MASK;
    const isGone = !this.isCurrent(state >>> PHASE_BITS);
    if (phase === FILLING || phase === CANCELLED) return true;
    if (phase === QUEUED) return slots.cancel(slot);
    if (phase === LOST) return isGone;
    if (phase === RUNNING) return isGone && slots.giveUp(slot, state >>> PHASE_BITS);
    const isOver = wasSeen || isGone;
    if (isOver) this.#count(slot, phase);
    return isOver;
  }
}
