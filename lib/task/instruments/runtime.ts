import { existingRuntime } from "../runtime/current.ts";
import type { Runtime as Driven } from "../runtime/runtime.ts";
import { dumpOf, type RuntimeDump } from "./dump.ts";
import { metricsOf, type RuntimeMetrics } from "./metrics.ts";

const MAKE = Symbol("make");

/**
 * A runtime, to be looked at: what it has done, and what its tasks wait for. Looking changes nothing: no task is
 * polled or woken by it.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, Runtime, sleep, spawn } from "@oxbow/oxbow/task";
 *
 * function* nap(): Coroutine<void> {
 *   yield* sleep(60_000);
 * }
 *
 * await run(function* (): Coroutine<void> {
 *   spawn(nap);
 *   yield* sleep(1);
 *   const runtime = Runtime.current();
 *   const { name, state } = runtime.dump().tasks[1];
 *   console.log(name, state, runtime.metrics().alive); // nap waiting 2
 * });
 * ```
 *
 * Follows tokio's `RuntimeMetrics` and `Handle::dump`.
 */
export class Runtime {
  readonly #runtime: Driven;

  private constructor(key: symbol, runtime: Driven) {
    if (key !== MAKE) throw new TypeError("cannot make a Runtime: call Runtime.current");
    this.#runtime = runtime;
  }

  /** The thread's: whose task has its turn, or which `run` or `attach` has made. Throws where there is none. */
  static current(): Runtime {
    const runtime = existingRuntime();
    if (runtime === undefined) {
      throw new Error("cannot tell the current runtime: none is on this thread; call run(main) or attach()");
    }
    return new Runtime(MAKE, runtime);
  }

  /** Its counters, and what there is now. They can be read after it has ended, too. */
  metrics(): RuntimeMetrics {
    return metricsOf(this.#runtime);
  }

  /** Its tasks, each with what it waits for. Takes a microsecond or two for each. */
  dump(): RuntimeDump {
    return dumpOf(this.#runtime);
  }
}
