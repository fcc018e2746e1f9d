/** A timer that calls a function, for the tests of what timers wait in. */
import type { Timer, TimerList } from "../../../lib/task/time/timer_list.ts";

export class Alarm implements Timer {
  due: number;
  list: TimerList | null = null;
  before: Timer | null = null;
  after: Timer | null = null;
  #ring: () => void;

  constructor(due: number, ring: () => void) {
    this.due = due;
    this.#ring = ring;
  }

  fire(): void {
    this.#ring();
  }
}
