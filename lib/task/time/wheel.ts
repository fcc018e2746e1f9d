import { type Timer, TimerList } from "./timer_list.ts";

/** A level's slots are each as long as the whole of the level below: 1 ms, 64 ms, 4 s, 4 min, 5 h, 12 days. */
const LEVELS = 6;
const BITS = 6;
const SLOTS = 1 << BITS;
const MASK = SLOTS - 1;
const TOP = LEVELS - 1;
/** A tick is a whole millisecond: its low 30 bits, for five levels, and its high ones, for the topmost. */
const LOW_BITS = BITS * TOP;
const LOW = 2 ** LOW_BITS;
/** What is due later than 285,000 years from the clock's beginning, where milliseconds are no more told apart. */
const NEVER = Number.MAX_SAFE_INTEGER;

/**
 * Timers by their times, in six levels of 64 lists: one is added and taken out at no cost that depends on how
 * many there are, and those of a later level move down as their time comes nearer, five times at most.
 *
 * A timer's level is that of the highest bit in which its tick differs from the tick that has been reached, so
 * that timers of one tick are always in one list, in the order in which they came. What is further away than
 * two years waits in the topmost level's ring, for a later round.
 */
export class Wheel {
  #lists: TimerList[] = [];
  /** Which slots have timers: a bit each, two words a level. */
  #occupied: Int32Array = new Int32Array(2 * LEVELS);
  /** The tick that has been reached: what was due before has fired. */
  #tick = 0;
  #low = 0;
  #high = 0;

  constructor() {
    for (let slot = 0; slot < LEVELS * SLOTS; slot++) this.#lists.push(new TimerList(slot));
  }

  /** How many there are, counted one by one. */
  get size(): number {
    return this.#lists.reduce((sum, list) => sum + list.size, 0);
  }

  /** Adds one that is in no list. What is due already fires at the next `expire`. */
  add(timer: Timer): void {
    const { due } = timer;
    if (due > NEVER) return;
    const slot = this.#slotOf(Math.floor(due));
    this.#lists[slot].append(timer);
    this.#occupied[slot >> 5] |= 1 << (slot & 31);
  }

  #slotOf(tick: number): number {
    if (tick <= this.#tick) return this.#low & MASK;
    const high = tick < LOW ? 0 : Math.floor(tick / LOW);
    if (high !== this.#high) return TOP * SLOTS + high % SLOTS;
    const low = tick - high * LOW;
    const level = ((31 - Math.clz32((low ^ this.#low) | MASK)) / BITS) | 0;
    return level * SLOTS + ((low >> (level * BITS)) & MASK);
  }

  /** Takes one out. Does nothing where it is in no list. */
  remove(timer: Timer): void {
    const { list } = timer;
    if (list === null) return;
    list.remove(timer);
    if (list.first === null) this.#vacate(list.slot);
  }

  #vacate(slot: number): void {
    this.#occupied[slot >> 5] &= ~(1 << (slot & 31));
  }

  /** No timer is due before this time: the nearest one's, or that of one that was taken out. `Infinity` for none. */
  get next(): number {
    const occupied = this.#occupied;
    for (let word = 0; word < 2 * TOP; word++) {
      if (occupied[word] !== 0) return this.#lists[firstOf(word, occupied[word])].earliest;
    }
    let next = Infinity;
    if (this.#isTopEmpty) return next;
    // Those of a later round are among those of this one.
    for (let slot = TOP * SLOTS; slot < LEVELS * SLOTS; slot++) {
      next = Math.min(next, this.#lists[slot].earliest);
    }
    return next;
  }

  /**
   * Fires what is due at `now`, in the order of the times, and among equal ones in the order in which they were
   * added. What fires may add and take out others.
   */
  expire(now: number): void {
    const reached = Math.min(Math.floor(now), NEVER);
    for (let slot = this.#first(); slot !== -1; slot = this.#first()) {
      const start = this.#startOf(slot);
      if (start > reached) break;
      this.#reach(start);
      const list = this.#lists[slot];
      if (slot >= SLOTS) this.#moveDown(list);
      else if (!this.#fireDue(list, now)) break;
    }
    this.#reach(reached);
  }

  /** The slot whose time comes first, or -1. */
  #first(): number {
    const occupied = this.#occupied;
    for (let word = 0; word < 2 * TOP; word++) {
      if (occupied[word] !== 0) return firstOf(word, occupied[word]);
    }
    if (this.#isTopEmpty) return -1;
    let first = TOP * SLOTS;
    for (let slot = first + 1; slot < LEVELS * SLOTS; slot++) {
      if (this.#lists[slot].earliest < this.#lists[first].earliest) first = slot;
    }
    return first;
  }

  get #isTopEmpty(): boolean {
    return (this.#occupied[2 * TOP] | this.#occupied[2 * TOP + 1]) === 0;
  }

  /** The tick at which the slot's time begins. */
  #startOf(slot: number): number {
    const level = slot >> BITS;
    // Not its next time: rounds in which nothing is due are not gone through.
    if (level === TOP) return Math.floor(this.#lists[slot].earliest / LOW) * LOW;
    const above = this.#low & ~((SLOTS << (level * BITS)) - 1);
    return this.#high * LOW + (above | ((slot & MASK) << (level * BITS)));
  }

  #reach(tick: number): void {
    if (tick <= this.#tick) return;
    this.#tick = tick;
    this.#high = Math.floor(tick / LOW);
    this.#low = tick - this.#high * LOW;
  }

  #moveDown(list: TimerList): void {
    let timer = list.takeAll();
    this.#vacate(list.slot);
    while (timer !== null) {
      const { after } = timer;
      this.add(timer);
      timer = after;
    }
  }

  /** Returns whether all of the slot were due. */
  #fireDue(list: TimerList, now: number): boolean {
    for (;;) {
      list.sort();
      const timer = list.first;
      if (timer === null) return true;
      if (timer.due > now) {
        list.earliest = timer.due;
        return false;
      }
      this.remove(timer);
      timer.fire();
    }
  }
}

/** The slot of the lowest bit that is set. */
function firstOf(word: number, bits: number): number {
  return word * 32 + 31 - Math.clz32(bits & -bits);
}
