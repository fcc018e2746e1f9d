import type { Clock } from "./clock.ts";
import type { AfterTurn } from "../runtime/executor.ts";
import { type Timer, TimerList } from "./timer_list.ts";
import { Wheel } from "./wheel.ts";

/** Of a millisecond: how finely the thread's sleep is measured. */
const GRAINS = 2;

/** What the timers tell the executor, which may sleep for as long as they have said. */
export interface Sleeper {
  afterTurn: AfterTurn | null;
  rouse(): void;
}

/**
 * A runtime's timers. One that is to fire some time from now costs no look at the clock, which takes longer than
 * all the rest: its time is counted from the end of the task's turn, when the clock is read once for all that
 * have begun in it. So it is never early; and one that is taken out in the same turn has asked nothing of anyone.
 */
export class Timers implements AfterTurn {
  readonly clock: Clock;
  #executor: Sleeper;
  #wheel: Wheel = new Wheel();
  #begun: TimerList = new TimerList(-1);
  #hasEnded = false;

  constructor(clock: Clock, executor: Sleeper) {
    this.clock = clock;
    this.#executor = executor;
  }

  /** The runtime has ended: nothing fires any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** How many have not fired, but for those that never will: they are counted here and now. */
  get size(): number {
    return this.#begun.size + this.#wheel.size;
  }

  /** Adds one that is due at a time. */
  add(timer: Timer): void {
    this.#wheel.add(timer);
    this.#executor.rouse();
  }

  /** Adds one that is due some time from now. */
  begin(timer: Timer): void {
    this.#executor.rouse();
    // A clock that stands may be moved before this turn ends.
    if (this.clock.isPaused) {
      timer.due += this.clock.now();
      this.#wheel.add(timer);
      return;
    }
    this.#begun.append(timer);
    this.#executor.afterTurn = this;
  }

  /** Takes one out, if it is in. */
  remove(timer: Timer): void {
    if (timer.list === this.#begun) this.#begun.remove(timer);
    else this.#wheel.remove(timer);
    // It may have been the last that kept the process alive.
    this.#executor.rouse();
  }

  /** The executor's own. */
  turnEnded(): void {
    if (this.#begun.first !== null) this.settle(this.clock.now());
  }

  /** Counts the times of those that have begun from `now`. */
  settle(now: number): void {
    let timer = this.#begun.takeAll();
    while (timer !== null) {
      const { after } = timer;
      timer.list = null;
      timer.due += now;
      this.#wheel.add(timer);
      timer = after;
    }
  }

  /** None is due before: mostly the nearest one's time. `Infinity` where there is none. */
  get next(): number {
    this.turnEnded();
    return this.#wheel.next;
  }

  /**
   * How long there is nothing to fire, in milliseconds, and up to half of one longer: so that timers which are
   * due one after the other cost one wake-up of the thread. `Infinity` where there is no timer.
   */
  get left(): number {
    const { next } = this;
    if (next === Infinity) return Infinity;
    return Math.ceil(Math.max(0, next - this.clock.now()) * GRAINS) / GRAINS;
  }

  /** Fires what is due at `now`, the earliest first; of two that are due together the one that was added first. */
  expire(now: number): void {
    this.settle(now);
    this.#wheel.expire(now);
  }

  /** The runtime has ended: fires all that have a time, so that who waits learns of it. */
  end(): void {
    this.#hasEnded = true;
    this.settle(this.clock.now());
    this.#wheel.expire(Infinity);
  }
}
