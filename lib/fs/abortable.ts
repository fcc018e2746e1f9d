import { requireNames, shown } from "../io/arguments.ts";
import type { Future } from "../task/future.ts";

/** How long a call is waited for. */
export interface AbortOptions {
  /**
   * Fails with the signal's reason once it is aborted. A call that no thread has begun is never made then; one that has
   * goes on, and nobody learns of it.
   */
  signal?: AbortSignal;
}

const NAMES: readonly string[] = ["signal"] satisfies (keyof AbortOptions)[];

/** Throws for what is neither a signal nor left out. */
export function requireSignal(what: string, signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new TypeError(`${what}: signal is ${shown(signal)}, and no AbortSignal`);
}

/** What `make` makes once the options were looked at, ended with the signal where there is one. */
export function abortable<T>(what: string, options: AbortOptions, make: () => Future<T>): Future<T> {
  requireNames(what, "options are", options, NAMES);
  const { signal } = options;
  requireSignal(what, signal);
  const future = make();
  return signal === undefined ? future : future.abortable(signal);
}
