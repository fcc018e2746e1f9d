import { OwnedTask, type Runnable } from "../task.ts";
import { titleOf } from "./title.ts";

/** For so long turns are timed, once some turns together took too long. */
const TIMED_MS = 1000;
/** What timing a turn may take. */
const COST_MS = 0.0002;
/** How much of all the time the timing may take. */
const SHARE = 0.02;
/** What it may take at once. */
const CREDIT_MS = 1;

/**
 * Warns of tasks that keep the thread from the others, once for each name.
 *
 * Reading the clock takes longer than a turn of most tasks, so the driver tells how long all turns between two of its
 * looks at the reactor took together, where that was too long. Where it was one turn, its task is known. Otherwise
 * turns are timed for a second from then on, so that whoever does it again is named: each of them, or where that took
 * more than a fiftieth of the time as many as do not. What no turn accounts for has been taken by async functions
 * after an `await`, which the host has run.
 */
export class SlowTurns {
  readonly #limit: number;
  #told: Set<string> = new Set();
  /** Until when turns are timed, by `performance.now()`. */
  #timedUntil = -Infinity;
  /** What timing may take yet. */
  #credit = CREDIT_MS;
  /** What the turns since the last look have taken, as far as they were timed. */
  #timed = 0;
  /** Whether each turn is timed until the next look. */
  #isTiming = false;

  constructor(limitMs: number) {
    this.#limit = limitMs;
  }

  /** Whether some turns are to be timed, so that `looked` is to be called. */
  get isWanted(): boolean {
    return this.#timedUntil > -Infinity;
  }

  /** Whether each turn is to be timed until the next look. */
  get isTiming(): boolean {
    return this.#isTiming;
  }

  /** One turn, which was timed. */
  hadTurn(runnable: Runnable, began: number, ended: number): void {
    const ms = ended - began;
    this.#timed += ms;
    if (ms >= this.#limit) this.#warnOf(runnable, ms);
  }

  /**
   * The driver looks at the reactor: it did so `ms` milliseconds ago. `turns` is how many turns there were since, of
   * which `last` had the last, and `others` whether anybody else may have run.
   */
  looked(now: number, ms: number, turns: number, last: Runnable | null, others: boolean): void {
    if (this.#isTiming) {
      this.#credit -= turns * COST_MS;
      this.#tellRest(ms - this.#timed);
      this.#timed = 0;
    } else if (ms >= this.#limit) {
      if (turns === 1 && !others && last !== null) this.#warnOf(last, ms);
      else this.#timedUntil = now + TIMED_MS;
    }
    if (now >= this.#timedUntil) this.#timedUntil = -Infinity;
    this.#credit = Math.min(CREDIT_MS, this.#credit + ms * SHARE);
    this.#isTiming = this.isWanted && this.#credit > 0;
  }

  #tellRest(ms: number): void {
    if (ms < this.#limit) return;
    this.#warn("", `async functions held the thread for ${ms.toFixed()} ms after an await`);
  }

  #warnOf(runnable: Runnable, ms: number): void {
    const title = titleOf(runnable);
    const which = runnable instanceof OwnedTask ? `task ${runnable.id} (${title})` : "what an await polls";
    this.#warn(title, `${which} held the thread for ${ms.toFixed()} ms`);
  }

  #warn(title: string, what: string): void {
    if (this.#told.has(title)) return;
    this.#told.add(title);
    console.warn(
      `oxbow: ${what}, in which no other task ran: have it give way with yieldNow(), or set run's slowPoll`,
    );
  }
}
