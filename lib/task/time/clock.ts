import { currentRuntime } from "../runtime/current.ts";

/** How often busy tasks have their turn before a clock that is advanced moves on without them. */
const PATIENCE = 64;

/** Who waits until all that could be done at a clock's time has been done. */
export interface Settling {
  becameQuiet(): void;
}

/** A runtime's milliseconds: the host's monotonic clock, or one that stands, for tests, and moves when told. */
export class Clock {
  #isPaused: boolean;
  /** When it stands; the latest time at which it stood. */
  #at = 0;
  /** By how much it is ahead of the host's. */
  #ahead = 0;
  /** Futures that advance it. */
  #advances = 0;
  #settling: Set<Settling> = new Set();
  #busy = 0;

  /** A paused one stands at 0. */
  constructor(isPaused: boolean) {
    this.#isPaused = isPaused;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether it is the host's, and stands for no test. */
  get isHosts(): boolean {
    return !this.#isPaused && this.#ahead === 0;
  }

  now(): number {
    return this.#isPaused ? this.#at : Math.max(this.#at, performance.now() + this.#ahead);
  }

  pause(): void {
    if (this.#isPaused) throw new Error("cannot pause the clock: it is paused already");
    this.#at = this.now();
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) throw new Error("cannot resume the clock: it is not paused");
    if (this.#advances > 0) throw new Error("cannot resume the clock: a task is advancing it");
    this.#ahead = this.#at - performance.now();
    this.#isPaused = false;
  }

  /** An advancing future's own: from its first poll until it has ended. */
  beginAdvance(): void {
    if (!this.#isPaused) {
      throw new Error(
        'cannot advance the clock: it is not paused; call clock.pause(), or run(main, { clock: "paused" })',
      );
    }
    this.#advances++;
  }

  endAdvance(): void {
    this.#advances--;
  }

  /** Tells it once nothing is left to do at this time. */
  settle(settling: Settling): void {
    this.#settling.add(settling);
  }

  unsettle(settling: Settling): void {
    this.#settling.delete(settling);
  }

  /** Whether it would move, if there were nothing to do. `next` is when the nearest timer is due. */
  canMove(next: number): boolean {
    return this.#isPaused && (next !== Infinity || this.#settling.size > 0);
  }

  /** The runtime's own, between two turns: moves to `next` where there is nothing to do. */
  step(next: number, isIdle: boolean): void {
    if (!isIdle && (this.#advances === 0 || ++this.#busy < PATIENCE)) return;
    this.#busy = 0;
    if (this.#settling.size === 0) {
      if (next !== Infinity) this.#at = Math.max(this.#at, next);
      return;
    }
    const settling = [...this.#settling];
    this.#settling.clear();
    for (const each of settling) each.becameQuiet();
  }
}

/**
 * Milliseconds of the clock of the thread's runtime, which never goes back; the deadlines of `sleepUntil`,
 * `timeoutAt` and `intervalAt` are of it. Costs 50 to 100 ns.
 */
export function now(): number {
  return currentRuntime().now();
}
