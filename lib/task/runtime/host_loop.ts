import { Watch } from "../../jit/watch.ts";
import type { Runtime } from "./runtime.ts";

/** How often descriptors are looked at where no machine code can watch them. */
const LOOK_MS = 2;
/** What setTimeout takes; the timer is set again then. */
const LONGEST_TIMEOUT_MS = 0x7fffffff;

/**
 * A runtime's sleep in the host's own loop: it ends when a descriptor is ready, a timer due, or a task woken, and
 * nothing runs before.
 */
export class HostLoop implements Disposable {
  readonly #runtime: Runtime;
  readonly #onWake: () => void;
  readonly #foreground: boolean;
  #watch: Watch | null = null;
  #mayWatch = true;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isAsleep = false;

  /** A sleep `foreground` keeps the process alive, whatever it waits for. */
  constructor(runtime: Runtime, onWake: () => void, options: { foreground: boolean }) {
    this.#runtime = runtime;
    this.#onWake = onWake;
    this.#foreground = options.foreground;
  }

  /** Whether the watch is made: the first of a process takes 10 ms. */
  get hasWatch(): boolean {
    return this.#watch !== null;
  }

  /** Whether a descriptor can end the sleep at once: where not it is looked at each 2 ms. */
  get canWatch(): boolean {
    if (this.#watch !== null) return true;
    const { descriptor } = this.#runtime.reactor;
    if (!this.#mayWatch || descriptor === null) return false;
    try {
      this.#mayWatch = Watch.isAvailable;
      if (this.#mayWatch) this.#watch = new Watch(descriptor, this.#wake);
    } catch {
      // Descriptors, threads or memory have run out, which C's loader tells as text alone: they may be there later.
    }
    return this.#watch !== null;
  }

  /** Begins the sleep: `onWake` is called once, in a turn of the host's loop. */
  sleep(): void {
    const { executor, feed, reactor, timers } = this.#runtime;
    this.#isAsleep = true;
    this.#runtime.hostSleeps++;
    executor.isAsleep = true;
    this.#runtime.onRouse = this.#wake;
    let timeout = feed.lieDown() ? timers.left : 0;
    if (reactor.registrations > 0) {
      const isForeground = feed.hasOthers || feed.isAwaited;
      if (this.canWatch) this.#arm(isForeground);
      else if (isForeground) timeout = Math.min(timeout, LOOK_MS);
    }
    if (timeout < Infinity || this.#foreground) {
      this.#timer = setTimeout(this.#wake, Math.min(Math.ceil(timeout), LONGEST_TIMEOUT_MS));
    }
  }

  #arm(isForeground: boolean): void {
    const watch = this.#watch;
    if (watch === null) return;
    if (isForeground) watch.ref();
    else watch.unref();
    watch.arm();
  }

  #wake: () => void = () => {
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    this.#runtime.feed.getUp();
    this.#runtime.executor.isAsleep = false;
    this.#watch?.disarm();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#onWake();
  };

  [Symbol.dispose](): void {
    this.#isAsleep = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#watch?.[Symbol.dispose]();
  }
}
