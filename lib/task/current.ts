import type { Runtime } from "./runtime.ts";

let current: Runtime | undefined;

/** Makes `runtime` the thread's own until the returned function is called. */
export function enter(runtime: Runtime): () => void {
  if (current !== undefined) throw new Error("cannot run a runtime here: another one runs on this thread");
  current = runtime;
  return () => current = undefined;
}

/** The thread's runtime. Throws where none runs. */
export function currentRuntime(): Runtime {
  if (current === undefined) {
    throw new Error("cannot do this here: no runtime runs on this thread; call run(main)");
  }
  return current;
}
