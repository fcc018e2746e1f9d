/**
 * Handles that were collected without having been disposed: what they held is released, and told on the
 * console where `OXBOW_DEBUG` is 1 in the environment, with the place where they were made.
 */
import { environment } from "../../ffi/environment.ts";

/** Must not reach the handle, which would then never be collected. */
interface Remains {
  readonly what: string;
  readonly made: string;
  readonly release: () => void;
}

let debug: boolean | undefined;

function isDebug(): boolean {
  return debug ??= environment("OXBOW_DEBUG") === "1";
}

const registry = new FinalizationRegistry<Remains>(({ what, made, release }) => {
  if (isDebug()) console.warn(`oxbow: ${what} was collected, and never disposed: use \`using\`${made}`);
  try {
    release();
  } catch (error) {
    // A collector has no caller to throw to, and an uncaught error would end the process.
    console.warn(`oxbow: ${what} was collected, and what it held was not released:`, error);
  }
});

/** Calls `release` once `handle` was collected. `release` must not reach the handle. */
export function watch(handle: WeakKey, what: string, release: () => void): void {
  const stack = isDebug() ? new Error("it was made here").stack ?? "" : "";
  registry.register(handle, { what, made: stack && `\n${stack}`, release }, handle);
}

/** For a handle that was disposed. */
export function unwatch(handle: WeakKey): void {
  registry.unregister(handle);
}
