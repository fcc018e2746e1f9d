import { messageOf, requireNames } from "./dlopen.ts";
import { host } from "./host.ts";
import { type Candidate, search } from "./search.ts";

/** A path that `dlopen` would try, and what becomes of it. */
export interface Finding extends Candidate {
  /** `"later"` is never tried, since one before it is chosen. */
  readonly outcome: "chosen" | "failed" | "later";
  /** The loader's message where it failed. */
  readonly reason?: string;
}

/**
 * What `dlopen(names, …)` would choose, and why, path by path in the order in which it tries them: the chosen
 * library is loaded for it, which runs its constructors, and closed.
 *
 * @example
 * ```ts
 * import { find } from "@oxbow/oxbow/ffi";
 *
 * for (const { path, place, outcome } of find(["libmkl_rt.so.3", "libopenblas.so.0", "libc.so.6"])) {
 *   console.log(`${path}: ${outcome} (${place})`); // ..., libc.so.6: chosen (the system's loader)
 * }
 * ```
 */
export function find(names: readonly string[]): Finding[] {
  requireNames(names);
  let chosen = false;
  return [...search(names)].map((candidate): Finding => {
    if (chosen) return { ...candidate, outcome: "later" };
    try {
      host.open(candidate.path).close();
    } catch (error) {
      return { ...candidate, outcome: "failed", reason: messageOf(error) };
    }
    chosen = true;
    return { ...candidate, outcome: "chosen" };
  });
}
