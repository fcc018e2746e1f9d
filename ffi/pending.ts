/**
 * What callbacks leave behind for the native call that they ran in: an exception that may not cross C, calls
 * that were refused, and closing that must wait until no callback runs. Each checked call looks at one flag
 * when it is back from C, and settles where it is up.
 */

interface Pending {
  /** `flags[0]` is up where there is something to settle. Machine code may raise it: see thread_guard.ts. */
  flags: Int32Array<ArrayBuffer>;
  /** How many callbacks there are that C may call. */
  callbacks: number;
  /** How many of them run. */
  running: number;
  /** What a callback has thrown, whose native call is not back yet. */
  kept: { readonly error: unknown } | null;
  takeRefusal: () => string | undefined;
}

/** The code of each callback works on it directly: a call could find the stack at its end. */
export const pending: Pending = {
  flags: new Int32Array(1),
  callbacks: 0,
  running: 0,
  kept: null,
  takeRefusal: () => undefined,
};

const deferred: (() => void)[] = [];

/** Throws what is kept where no checked call has come to throw it: queued when no callback runs any more. */
export function throwUncaught(): void {
  const { kept } = pending;
  if (kept === null) return;
  pending.kept = null;
  throw kept.error;
}

/** Runs `act` once no callback runs: at once, or when the native call that runs them is back. */
export function whenIdle(act: () => void): void {
  if (pending.running === 0) return act();
  deferred.push(act);
  pending.flags[0] = 1;
}

/** As many bytes of the stack as eight times their number. */
const ROOM: readonly number[] = new Array(2048).fill(0);

function nothing(): void {}

/**
 * Throws a `RangeError` where the stack has no room for a callback. Node ends the process where one finds
 * none, so it is found out before C is called, at half a microsecond.
 */
export function probe(): void {
  Reflect.apply(nothing, undefined, ROOM);
}

/** For a call that settles nothing, but holds its views until it is back from C. */
export function keepAlive(..._held: unknown[]): void {}

/** For a checked call that is back from C and has found the flag up. It has held its views until now. */
export function settle(name: string, ..._held: unknown[]): void {
  if (pending.running === 0) { for (const act of deferred.splice(0)) act(); }
  const { kept } = pending;
  if (kept !== null) {
    pending.kept = null;
    throw kept.error;
  }
  if (deferred.length > 0) return;
  pending.flags[0] = 0;
  const refusal = pending.takeRefusal();
  if (refusal !== undefined) throw new Error(`${refusal} (seen when ${name} was back)`);
}
