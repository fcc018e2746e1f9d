/**
 * The jobs that the contenders of `../` do: the same module for each of them.
 *
 * @module
 */

/** As good as nothing, but its result can be checked. */
export function increment(n: number): number {
  return n + 1;
}

/** How long a job took by itself, and what it came to. */
export interface Turn {
  readonly state: number;
  readonly ms: number;
}

/** A generator of Lehmer's, as many times as asked: no compiler shortens it. */
export function lehmer(times: number): number {
  let state = 1;
  for (let i = 0; i < times; i++) state = state * 48271 % 0x7fffffff;
  return state;
}

/** `lehmer`, with the time that it took. */
export function turn(times: number): Turn {
  const start = performance.now();
  return { state: lehmer(times), ms: performance.now() - start };
}

/** Several turns, one after the other. */
export function turns(each: readonly number[]): Turn[] {
  return each.map(turn);
}
