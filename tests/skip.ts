/**
 * Why tests are skipped. Deno's and Bun's reports drop the reason, so it is printed for the runner to read.
 *
 * @module
 */
import { spawnSync } from "node:child_process";

/** What `{ skip }` takes: the reason, which names what is lacking here, or `false`. */
export function skipping(reason: string | false): string | false {
  if (reason !== false) console.log(`skipping: ${reason}`);
  return reason;
}

/** Skips what needs a program that can tell its version. */
export function unlessInstalled(program: string): string | false {
  return skipping(spawnSync(program, ["--version"]).status === 0 ? false : `${program} is not installed`);
}
