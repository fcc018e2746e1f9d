import { environment } from "../../../ffi/environment.ts";

/**
 * What was held and is forgotten stays held: a collector's time is nobody's, so nothing is released by it. Where
 * `OXBOW_DEBUG` is 1 in the environment it is told on the console, with the place where it was acquired.
 */
const registry = new FinalizationRegistry<string>((told) => console.warn(told));

let debug: boolean | undefined;

/** From now on the guard holds something. */
export function held(guard: WeakKey, what: string): void {
  debug ??= environment("OXBOW_DEBUG") === "1";
  if (debug) watch(guard, what);
}

function watch(guard: WeakKey, what: string): void {
  const { stack } = new Error("it was acquired here");
  registry.register(
    guard,
    `oxbow: ${what} was collected unreleased, and is held for ever: use \`using\`\n${stack}`,
    guard,
  );
}

/** The guard has released what it held. */
export function released(guard: WeakKey): void {
  if (debug) registry.unregister(guard);
}
