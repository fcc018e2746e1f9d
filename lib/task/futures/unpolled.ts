/**
 * Futures that were collected without having been polled or dropped, such as a `sleep(5)` without its `await`: told
 * on the console where `OXBOW_DEBUG` is 1 in the environment, once for each place that makes them.
 */
import { environment } from "../../../ffi/environment.ts";
import type { Context } from "./future.ts";

/** Must not reach the future, which would then never be collected. */
interface Made {
  isUsed: boolean;
  where: string;
}

interface Pollable {
  poll(context: Context): unknown;
  drop(): void;
}

const told: Set<string> = new Set();

const registry = new FinalizationRegistry<Made>(({ isUsed, where }) => {
  if (isUsed || told.has(where)) return;
  told.add(where);
  console.warn(`oxbow: a future was collected, and never polled: await it, yield* it, or drop it\n${where}`);
});

/** Whether futures are watched. */
export const isDebug: boolean = environment("OXBOW_DEBUG") === "1";

/** The first line of the stack that is not of the futures' own files, without its column: one for a whole chain. */
function place(): string {
  const lines = new Error().stack?.split("\n") ?? [];
  const line = lines.find((line) => /:\d+/.test(line) && !line.includes("/lib/task/")) ?? "";
  return line.replace(/:\d+(\)?)$/, "$1");
}

/** Watches a future from its making to its first use. Costs microseconds. */
export function watch(future: Pollable): void {
  const made: Made = { isUsed: false, where: place() };
  const { poll, drop } = future;
  function use(): void {
    made.isUsed = true;
    Reflect.deleteProperty(future, "poll");
    Reflect.deleteProperty(future, "drop");
  }
  future.poll = function (context: Context): unknown {
    use();
    return poll.call(future, context);
  };
  future.drop = function (): void {
    use();
    drop.call(future);
  };
  registry.register(future, made);
}
