import type { Runtime } from "./runtime.ts";

/** Who owns the thread, for as long as `run` does. */
let owner: Runtime | undefined;
/** Who lives in the host's loop. */
let attached: Runtime | undefined;
/** Whose tasks have their turn. */
let polled: Runtime | undefined;
let make: (() => Runtime) | undefined;

/** `attach`'s own: how a runtime is made where none is. */
export function provideDefault(attach: () => Runtime): void {
  make = attach;
}

/** Makes `runtime` the thread's own until the returned function is called. */
export function enter(runtime: Runtime): () => void {
  if (owner !== undefined) {
    throw new Error("cannot run a runtime here: another one runs on this thread; spawn a task on it");
  }
  owner = runtime;
  return () => owner = undefined;
}

/** A runtime's own: its tasks have their turn. Returns whose had it before. */
export function swapPolled(runtime: Runtime | undefined): Runtime | undefined {
  const before = polled;
  polled = runtime;
  return before;
}

/** The thread's runtime: whose task has its turn, who owns the thread, or one that lives in the host's loop. */
export function currentRuntime(): Runtime {
  return polled ?? owner ?? hostsRuntime();
}

/** The thread's runtime, where there is one. */
export function existingRuntime(): Runtime | undefined {
  return polled ?? owner ?? attached;
}

/** The thread's runtime in the host's loop, made where there is none. */
export function hostsRuntime(): Runtime {
  if (attached === undefined) {
    if (make === undefined) {
      throw new Error("cannot do this here: no runtime runs on this thread; call run(main)");
    }
    attached = make();
  }
  return attached;
}

/** `attach`'s own: it has ended. */
export function forgetHostsRuntime(): void {
  attached = undefined;
}
