/**
 * The host's collector, for tests and for the programs that they run in children: these import it by
 * `moduleUrl("tests/collector.ts")`. A test that allocated and hoped would depend on how much memory there is.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** After how many collections what is still there is there for good. */
const ROUNDS = 200;
/** What one takes is held by finalizers, or by what they let go of, until the next. */
const ENOUGH = 5;
const TURN_MS = 2;

/** Collects all that nobody reaches, now. Finalizers run in later turns of the host's loop. */
export const gc: () => void = collector();

function collector(): () => void {
  const bun: unknown = Reflect.get(globalThis, "Bun");
  if (bun !== undefined) return runInNewContext("() => Bun.gc(true)", { Bun: bun });
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

/**
 * Collects until `isEnough`, or until it is sure that it never will be; returns whether it is. Without `isEnough`, as
 * often as it takes for all to be collected, and the finalizers to have run.
 *
 * JSC takes what looks like a reference on its stack for one: of many objects the last ones may stay.
 */
export async function collect(isEnough?: () => boolean): Promise<boolean> {
  const rounds = isEnough === undefined ? ENOUGH : ROUNDS;
  for (let round = 0; round < rounds; round++) {
    // V8 keeps what a WeakRef was made for, or gave, until the turn has ended: collecting in `isEnough`'s is in vain.
    await sleep(TURN_MS);
    gc();
    await sleep(TURN_MS);
    if (isEnough?.()) return true;
  }
  return false;
}
