import { WouldBlock } from "../io/fd.ts";
import { type Context, type Future, Pending } from "../task/future.ts";
import { type CallKind, IoCall } from "../task/reactor/io_call.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { sleep } from "../task/time/sleep.ts";

/** Between one attempt and the next, where no edge tells when that is worth it. */
export class Pause {
  /** The one that goes on. */
  current: Future<void> | null = null;

  /** What an attempt gives that is to be made again then. */
  retryAfter(ms: number): typeof WouldBlock {
    this.current = sleep(ms);
    return WouldBlock;
  }
}

/** A call that also has to be made again after a while: its kind says when. */
export class RetriedCall<S, A, T> extends IoCall<S, A, Pause, T> {
  readonly #pause: Pause;

  constructor(kind: CallKind<S, A, Pause, T>, io: ScheduledIo, self: S, argument: A) {
    const pause = new Pause();
    super(kind, io, self, argument, pause);
    this.#pause = pause;
  }

  override poll(context: Context): T | Pending {
    const pause = this.#pause;
    for (;;) {
      if (pause.current !== null) {
        if (pause.current.poll(context) === Pending) return Pending;
        pause.current = null;
      }
      const value = super.poll(context);
      if (value !== Pending || pause.current === null) return value;
    }
  }

  override drop(): void {
    this.#pause.current?.drop();
    this.#pause.current = null;
    super.drop();
  }
}
