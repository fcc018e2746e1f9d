import { BEGUN, CANCELLATIONS, type Counting, LOSSES, SUBMITTED } from "./counters.ts";
import type { Inbox } from "./inbox.ts";
import {
  CANCELLED,
  DONE,
  FAILED,
  FILLING,
  FLAGS,
  FREE,
  INLINE,
  type Layout,
  LINKED,
  LOST,
  MESSAGE,
  PHASE_BITS,
  PHASE_MASK,
  PIN,
  QUEUED,
  RUNNER_MASK,
  RUNNING,
  SEQUENCE,
  SLOT_WORDS,
  STATE,
} from "./layout.ts";

/** Who runs a job: a lane, and which of the threads that it has had. */
export function runnerOf(lane: number, incarnation: number): number {
  return (lane | incarnation << 8) & RUNNER_MASK;
}

/** The lane of a runner. */
export function laneOf(runner: number): number {
  return runner & 255;
}

/**
 * The jobs' records. What a job has come to is its slot's state and nothing else: who wins the step from QUEUED to
 * RUNNING runs it, and all lists hold mere hints.
 *
 * A lane takes and frees its own slots alone, so that a free list is the lane's own. `take`, `publish`, `begin` and
 * `finish` allocate nothing.
 */
export class Slots {
  /** Bytes of a slot for its payload. */
  static readonly inlineBytes: number = 4 * (SLOT_WORDS - INLINE);

  /** This lane's slots are those from `first` to before `end`. */
  readonly first: number;
  readonly end: number;

  readonly #words: Int32Array<ArrayBuffer>;
  readonly #layout: Layout;
  readonly #counters: Counting;
  readonly #inboxes: readonly Inbox[];
  /** A stack. */
  readonly #free: Int32Array;
  #count = 0;
  /** Those that were free and lay in an inbox still. */
  readonly #lingering: Int32Array;
  #lingerers = 0;

  constructor(
    words: Int32Array<ArrayBuffer>,
    layout: Layout,
    lane: number,
    counters: Counting,
    inboxes: readonly Inbox[],
  ) {
    this.#words = words;
    this.#layout = layout;
    this.#counters = counters;
    this.#inboxes = inboxes;
    const { slots } = layout.shape;
    this.first = lane * slots;
    this.end = this.first + slots;
    this.#free = new Int32Array(slots);
    this.#lingering = new Int32Array(slots);
  }

  /** Finds those that are free: once, before the first is taken. */
  open(): void {
    for (let slot = this.end - 1; slot >= this.first; slot--) {
      if (this.phase(slot) === FREE) this.#free[this.#count++] = slot;
    }
  }

  /** One to be filled, or -1 where all are in use. */
  take(): number {
    while (this.#count > 0) {
      const slot = this.#free[--this.#count];
      if (!this.isLinked(slot)) return this.#fill(slot);
      this.#lingering[this.#lingerers++] = slot;
    }
    for (let i = 0; i < this.#lingerers; i++) {
      const slot = this.#lingering[i];
      if (this.isLinked(slot)) continue;
      this.#lingering[i] = this.#lingering[--this.#lingerers];
      return this.#fill(slot);
    }
    return -1;
  }

  #fill(slot: number): number {
    const words = this.#words;
    words[this.#layout.ofSlot(slot, FLAGS)] = 0;
    words[this.#layout.ofSlot(slot, PIN)] = 0;
    const at = this.#layout.ofSlot(slot, SEQUENCE);
    words[at] = (words[at] + 1) & RUNNER_MASK;
    words[this.#layout.ofSlot(slot, STATE)] = FILLING;
    return slot;
  }

  /** The owner's: whether it lies in an inbox. */
  isLinked(slot: number): boolean {
    // The owner alone marks it. That it was unmarked may show late.
    const mark = this.#words[this.#layout.ofSlot(slot, LINKED)];
    return mark !== 0 && this.#inboxes[mark >>> 8].holds(mark);
  }

  /** Whether `take` would give one: asked by who has lain down, it misses none that was unmarked before. */
  hasFree(): boolean {
    return this.#hasUnlinked(this.#free, this.#count) || this.#hasUnlinked(this.#lingering, this.#lingerers);
  }

  #hasUnlinked(slots: Int32Array, count: number): boolean {
    for (let i = count - 1; i >= 0; i--) {
      const mark = Atomics.load(this.#words, this.#layout.ofSlot(slots[i], LINKED));
      if (mark === 0 || !this.#inboxes[mark >>> 8].holds(mark)) return true;
    }
    return false;
  }

  /** The owner's, once nobody reads or writes there any more. */
  free(slot: number): void {
    // Plain, as FILLING is: the phase before let nobody else in, and neither does this one.
    this.#words[this.#layout.ofSlot(slot, STATE)] = FREE;
    this.#free[this.#count++] = slot;
  }

  /** The owner's: FILLING → QUEUED. What was written to the slot before is seen by its runner. */
  publish(slot: number): void {
    const words = this.#words;
    const sequence = words[this.#layout.ofSlot(slot, SEQUENCE)];
    Atomics.store(words, this.#layout.ofSlot(slot, STATE), QUEUED | sequence << PHASE_BITS);
    this.count(slot, SUBMITTED);
  }

  /**
   * QUEUED → RUNNING, which one alone wins; `false` too where the slot is pinned to another lane. `state` is the slot's
   * from before anything else of it was read: where it is another job's by now, nothing is begun.
   */
  begin(slot: number, runner: number, state: number): boolean {
    const words = this.#words;
    const at = this.#layout.ofSlot(slot, STATE);
    if ((state & PHASE_MASK) !== QUEUED) return false;
    const pin = words[this.#layout.ofSlot(slot, PIN)];
    if (pin !== 0 && pin !== laneOf(runner) + 1) return false;
    if (Atomics.compareExchange(words, at, state, RUNNING | runner << PHASE_BITS) !== state) return false;
    this.count(slot, BEGUN);
    return true;
  }

  /** RUNNING → DONE or FAILED; `false` where it was given up meanwhile. */
  finish(slot: number, runner: number, failed: boolean): boolean {
    const at = this.#layout.ofSlot(slot, STATE);
    const running = RUNNING | runner << PHASE_BITS;
    const ended = (failed ? FAILED : DONE) | runner << PHASE_BITS;
    return Atomics.compareExchange(this.#words, at, running, ended) === running;
  }

  /** The owner's: QUEUED → CANCELLED; `false` where it runs already, or has ended. */
  cancel(slot: number): boolean {
    const words = this.#words;
    const at = this.#layout.ofSlot(slot, STATE);
    const state = Atomics.load(words, at);
    if ((state & PHASE_MASK) !== QUEUED) return false;
    if (Atomics.compareExchange(words, at, state, CANCELLED) !== state) return false;
    this.count(slot, CANCELLATIONS);
    return true;
  }

  /** The owner's: RUNNING → LOST; `false` where it has ended. The runner may write to the slot until it is gone. */
  giveUp(slot: number, runner: number): boolean {
    const at = this.#layout.ofSlot(slot, STATE);
    const running = RUNNING | runner << PHASE_BITS;
    const lost = LOST | runner << PHASE_BITS;
    if (Atomics.compareExchange(this.#words, at, running, lost) !== running) return false;
    this.count(slot, LOSSES);
    return true;
  }

  /** Counts it, where it is a job. */
  count(slot: number, counter: number): void {
    if ((this.#words[this.#layout.ofSlot(slot, FLAGS)] & MESSAGE) === 0) this.#counters.add(counter);
  }

  /** The phase, and above PHASE_BITS the runner or the sequence number. */
  state(slot: number): number {
    return Atomics.load(this.#words, this.#layout.ofSlot(slot, STATE));
  }

  phase(slot: number): number {
    return this.state(slot) & PHASE_MASK;
  }

  /** Who runs it, or did: of the phases RUNNING, DONE, FAILED and LOST. */
  runner(slot: number): number {
    return this.state(slot) >>> PHASE_BITS;
  }

  /** The lane that has submitted it. */
  owner(slot: number): number {
    return this.#layout.ownerOf(slot);
  }

  /** A word of the slot, by the names of layout.ts. */
  get(slot: number, field: number): number {
    return this.#words[this.#layout.ofSlot(slot, field)];
  }

  set(slot: number, field: number, value: number): void {
    this.#words[this.#layout.ofSlot(slot, field)] = value;
  }

  /** The byte of the map at which the slot's payload begins. */
  inlineAt(slot: number): number {
    return 4 * this.#layout.ofSlot(slot, INLINE);
  }

  /** Those of this lane that are in use, for looking through them. */
  *mine(): IterableIterator<number> {
    for (let slot = this.first; slot < this.end; slot++) {
      if (this.phase(slot) !== FREE) yield slot;
    }
  }
}
