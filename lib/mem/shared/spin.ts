const { pause: hosts }: { pause?: () => void; load: unknown } = Atomics;

function nothing(): void {}

/** Where the host has it, `Atomics.pause`, which tells the CPU that this is a spin. */
export const pause: () => void = hosts ?? nothing;

const FIRST = 100;
const MOST = 1000;
const EXPLORED = 64;

/**
 * Spinning that learns how long it pays: twice as long as it took to succeed, half as long after it has failed, down
 * to not at all. One in 64 failures spins for long again, so that a peer that has become quick is found out.
 */
export class Spin {
  #budget = FIRST;
  #failures = 0;

  /** Whether `ready` said so before it no longer paid to ask. */
  until(ready: () => boolean): boolean {
    const limit = this.#failures === EXPLORED ? MOST : this.#budget;
    for (let i = 0; i < limit; i++) {
      if (ready()) {
        this.#budget = Math.min(MOST, Math.max(this.#budget, 2 * i));
        this.#failures = 0;
        return true;
      }
      pause();
    }
    this.#failures = this.#failures === EXPLORED ? 0 : this.#failures + 1;
    this.#budget >>= 1;
    return false;
  }
}
