/** Waits that are polled by hand, and what must hold of them wherever they are dropped. */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, type Future, Pending, run, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { Probe } from "../probe.ts";

/** Polls once, and gives the value that must be there. */
export function ready<T>(future: Future<T>, probe: Probe = new Probe()): T {
  coop.left = BUDGET;
  const value = probe.poll(future);
  if (value === Pending) throw new Error("the future waits, and should not");
  return value;
}

/** Polls once, and there must be nothing yet; the probe counts how often it is woken. */
export function waiting(future: Future<unknown>, probe: Probe = new Probe()): Probe {
  coop.left = BUDGET;
  assertStrictEquals(probe.poll(future), Pending);
  return probe;
}

/** A probe whose waker does something of its own. */
export class Calling extends Probe {
  #call: () => void;

  constructor(call: () => void) {
    super();
    this.#call = call;
  }

  override wake(): void {
    super.wake();
    this.#call();
  }
}

/**
 * Runs three tasks of `body`, of which the second is aborted after `n` turns of the others, for each `n` until all of
 * them have ended first; `check` is called after each round.
 */
export async function abortedEverywhere(
  make: () => { body: (index: number) => Coroutine<void>; check: () => void },
): Promise<void> {
  let rounds = 0;
  for (let isOver = false; !isOver; rounds++) {
    const { body, check } = make();
    await run(async () => {
      const tasks = [0, 1, 2].map((index) => spawn(body, index));
      for (let turn = 0; turn < rounds; turn++) await yieldNow();
      isOver = tasks[1].isFinished;
      tasks[1].abort(new Error("aborted by the test"));
      for (const [index, task] of tasks.entries()) {
        try {
          await task;
        } catch (error) {
          assertEquals([index, String(error)], [1, "Error: aborted by the test"]);
        }
      }
    });
    check();
  }
  if (rounds < 3) throw new Error(`the second task ended after ${rounds} turns: there was nothing to abort`);
}
