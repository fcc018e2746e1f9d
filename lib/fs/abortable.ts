import { requireNames } from "../io/arguments.ts";
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

/** The future, which ends with the signal where there is one. `verb` is what could not be done. */
export function abortable<T>(verb: string, future: Future<T>, options: AbortOptions): Future<T> {
  requireNames(`cannot ${verb}`, "options are", options, NAMES);
  return options.signal === undefined ? future : future.abortable(options.signal);
}
