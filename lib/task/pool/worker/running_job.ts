import type { OwnedTask } from "../../task.ts";
import { CANCEL_REQUESTED, DEADLINE, FLAGS } from "../control/layout.ts";
import type { CurrentJob } from "../current_job.ts";
import type { Lane } from "../lane.ts";

/** Reports of one job that may be on their way. */
const MOST_REPORTS = 16;
const LOW = 2 ** 32;

/** A job on the thread that runs it. */
export class RunningJob implements CurrentJob {
  readonly #lane: Lane;
  readonly #slot: number;
  #controller: AbortController | null = null;
  #unread = 0;
  /** Where a task runs it. */
  task: OwnedTask<unknown> | null = null;

  constructor(lane: Lane, slot: number) {
    this.#lane = lane;
    this.#slot = slot;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.isCancelled) this.abort();
    }
    return this.#controller.signal;
  }

  get isCancelled(): boolean {
    const { words, layout } = this.#lane.control;
    return (Atomics.load(words, layout.ofSlot(this.#slot, FLAGS)) & CANCEL_REQUESTED) !== 0;
  }

  /** It is wanted no more. */
  abort(): void {
    const reason = new DOMException("the job is wanted no more by who has submitted it", "AbortError");
    this.#controller?.abort(reason);
    this.task?.abort(reason);
  }

  get deadline(): number {
    const { slots } = this.#lane.control;
    const high = slots.get(this.#slot, DEADLINE + 1);
    const deadline = high * LOW + (slots.get(this.#slot, DEADLINE) >>> 0);
    return deadline === 0 ? Infinity : deadline;
  }

  get lane(): number {
    return this.#lane.control.lane;
  }

  progress(value: unknown): boolean {
    if (this.#unread >= MOST_REPORTS) this.#lane.takeEnds();
    if (this.#unread >= MOST_REPORTS || this.isCancelled) return false;
    const isSent = this.#lane.report(this.#slot, value, () => this.#unread--);
    if (isSent) this.#unread++;
    return isSent;
  }
}
