import type { Executor, TurnWatch } from "../runtime/executor.ts";
import type { Runnable } from "../task.ts";
import { markTurn } from "./marks.ts";
import { PollTimes } from "./poll_times.ts";
import { SlowTurns } from "./slow_turns.ts";

/** What of a runtime is to be observed. */
export interface InstrumentOptions {
  /** From how many milliseconds a poll is warned of. */
  slowPoll: number;
  pollTimes: boolean;
  marks: boolean;
}

/** What is told of each turn, and when turns are timed at all: not unless something here wants it. */
export class Instruments implements TurnWatch {
  readonly pollTimes: PollTimes | null;
  readonly #executor: Executor;
  readonly #limit: number;
  readonly #slow: SlowTurns;
  readonly #marks: boolean;

  constructor(executor: Executor, { slowPoll, pollTimes, marks }: InstrumentOptions) {
    this.pollTimes = pollTimes ? new PollTimes() : null;
    this.#executor = executor;
    this.#limit = slowPoll;
    this.#slow = new SlowTurns(slowPoll);
    this.#marks = marks;
    this.#arrange();
  }

  #arrange(): void {
    const isTiming = this.pollTimes !== null || this.#marks || this.#slow.isTiming;
    this.#executor.watch = isTiming ? this : null;
  }

  hadTurn(runnable: Runnable, began: number, ended: number): void {
    this.#slow.hadTurn(runnable, began, ended);
    this.pollTimes?.add(ended - began);
    if (this.#marks) markTurn(runnable, began, ended);
  }

  /** The driver's own: it looks at the reactor, as it did `ms` milliseconds ago. `others` may have run since. */
  looked(now: number, ms: number, turns: number, others: boolean): void {
    if (ms < this.#limit && !this.#slow.isWanted) return;
    this.#slow.looked(now, ms, turns, this.#executor.last, others);
    this.#arrange();
  }
}
