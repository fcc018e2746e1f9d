import { pause } from "../../mem/shared/spin.ts";

/** How long a thread looks before it sleeps: what comes within that costs no wake-up by the kernel. */
const SPIN_MS = 0.03;
/** As long as another core takes to wake, with a job that was given to it: who sleeps meanwhile is to be woken as well. */
const WAKING_MS = 0.15;
/** Looks between two readings of the clock. */
const LOOKS = 16;

/** With one core nobody else would do anything meanwhile. */
const isUseful = navigator.hardwareConcurrency > 1;

/** Looking for a moment before sleeping, once for each time that there was something: an idle thread looks no more. */
export class Spin {
  readonly #hasWork: () => boolean;
  #ms = SPIN_MS;

  constructor(hasWork: () => boolean) {
    this.#hasWork = hasWork;
  }

  /** There was something: it is worth looking for more. It takes longer where a thread was woken for it. */
  arm(hasWoken: boolean): void {
    this.#ms = hasWoken ? WAKING_MS : Math.max(this.#ms, SPIN_MS);
  }

  /** Whether something has come. */
  look(): boolean {
    const ms = this.#ms;
    this.#ms = 0;
    if (ms === 0 || !isUseful) return this.#hasWork();
    const end = performance.now() + ms;
    do {
      for (let i = 0; i < LOOKS; i++) {
        if (this.#hasWork()) return true;
        pause();
      }
    } while (performance.now() < end);
    return false;
  }
}
