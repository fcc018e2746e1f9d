/** How long a thread looks before it sleeps: what comes within that costs no wake-up by the kernel. */
const SPIN_MS = 0.03;
/** Looks between two readings of the clock. */
const LOOKS = 32;

const pause: unknown = Reflect.get(Atomics, "pause");

function noPause(): void {}

const rest: () => void = typeof pause === "function" ? () => Reflect.apply(pause, Atomics, []) : noPause;

/** Looking for a moment before sleeping, once for each time that there was something: an idle thread looks no more. */
export class Spin {
  readonly #hasWork: () => boolean;
  #isArmed = true;

  constructor(hasWork: () => boolean) {
    this.#hasWork = hasWork;
  }

  /** There was something: it is worth looking for more. */
  arm(): void {
    this.#isArmed = true;
  }

  /** Whether something has come. */
  look(): boolean {
    if (!this.#isArmed) return this.#hasWork();
    this.#isArmed = false;
    const end = performance.now() + SPIN_MS;
    do {
      for (let i = 0; i < LOOKS; i++) {
        if (this.#hasWork()) return true;
        rest();
      }
    } while (performance.now() < end);
    return false;
  }
}
