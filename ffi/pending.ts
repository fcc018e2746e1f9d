/**
 * What callbacks leave behind for the native call that they ran in: an exception that may not cross C, calls
 * that were refused, and closing that must wait until no callback runs. Each checked call looks at one flag
 * when it is back from C, and settles where it is up.
 */

/** `flags[0]` is up where there is something to settle. Machine code may raise it: see thread_guard.ts. */
export const pending: { flags: Int32Array<ArrayBuffer>; takeRefusal: () => string | undefined } = {
  flags: new Int32Array(1),
  takeRefusal: () => undefined,
};

let kept: { readonly error: unknown } | undefined;
let running = 0;
const deferred: (() => void)[] = [];

/** Whether a callback has thrown, and the native call that it ran in is not back yet. */
export function hasKept(): boolean {
  return kept !== undefined;
}

/** Keeps what a callback has thrown. Where no checked call comes to throw it, it goes uncaught. */
export function keep(error: unknown): void {
  const mine = { error };
  kept = mine;
  pending.flags[0] = 1;
  queueMicrotask(() => {
    if (kept !== mine) return;
    kept = undefined;
    throw error;
  });
}

export function enter(): void {
  running++;
}

export function leave(): void {
  if (--running === 0 && deferred.length > 0) pending.flags[0] = 1;
}

/** Runs `act` once no callback runs: at once, or when the native call that runs them is back. */
export function whenIdle(act: () => void): void {
  if (running === 0) act();
  else deferred.push(act);
}

/** For a checked call that is back from C and has found the flag up. It has held its views until now. */
export function settle(name: string, ..._held: unknown[]): void {
  if (running === 0) { for (const act of deferred.splice(0)) act(); }
  if (kept !== undefined) {
    const { error } = kept;
    kept = undefined;
    throw error;
  }
  pending.flags[0] = 0;
  const refusal = pending.takeRefusal();
  if (refusal !== undefined) throw new Error(`${refusal} (seen when ${name} was back)`);
}
