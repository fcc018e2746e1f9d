/**
 * Makes threads meet where they hardly ever do: from `perturb` on, each function of the global `Atomics` takes its time
 * before it does what it is to do, by chance, and the same chance for the same seed. What has taken a function out of
 * `Atomics` before is let alone.
 *
 * @module
 */

/** `pause` is for spinning, `wait` and `notify` for shared buffers, which the pool's words are not. */
const NAMES = ["add", "and", "compareExchange", "exchange", "load", "or", "store", "sub", "xor"] as const;

/** One in so many takes longer. */
const SPINS = 16;
const SLEEPS = 512;
const LONGEST_SPIN = 2_000;
const LONGEST_SLEEP_MS = 0.05;

/** Delays this thread's atomic accesses until what it gives is called. */
export function perturb(seed: number): () => void {
  const { wait } = Atomics;
  const never = new Int32Array(new SharedArrayBuffer(4));
  let state = Math.imul(seed + 1, 0x9e3779b9) | 1;
  const chance = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const delay = (): void => {
    const drawn = chance();
    if (drawn % SLEEPS === 0) wait(never, 0, 0, LONGEST_SLEEP_MS * (chance() / 2 ** 32));
    else if (drawn % SPINS === 0) { for (let i = chance() % LONGEST_SPIN; i > 0; i--); }
  };
  const originals = NAMES.map((name) => [name, Reflect.get(Atomics, name)] as const);
  for (const [name, original] of originals) {
    Reflect.set(Atomics, name, (...args: unknown[]): unknown => {
      delay();
      return Reflect.apply(original, Atomics, args);
    });
  }
  return () => {
    for (const [name, original] of originals) Reflect.set(Atomics, name, original);
  };
}
