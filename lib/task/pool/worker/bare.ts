import { existingRuntime } from "../../runtime/current.ts";
import type { Lane } from "../lane.ts";
import type { Runner } from "./runner.ts";

/** How long jobs may keep the host's loop from its turn. */
const LONGEST_TURN_MS = 20;
/** How long the thread waits for a module, before it takes other jobs meanwhile. */
const LOAD_MS = 50;

/**
 * The thread's life without a runtime, which takes as long to load as all the rest: jobs that are done when they return,
 * and the loading of their modules. Ends where the pool stops, or a job needs more.
 */
export async function runBare(lane: Lane, runner: Runner): Promise<void> {
  const { parking } = lane.control;
  let lastTurn = performance.now();
  while (!parking.isStopping) {
    const count = lane.poll();
    if (runner.needsRuntime) return;
    if (runner.loading !== null) {
      if (!await isOverWithin(runner.loading, LOAD_MS)) return;
      lastTurn = performance.now();
    } else if (existingRuntime() !== undefined) return;
    else if (count === 0 && !lane.spin()) lane.sleep(Infinity);
    else if (performance.now() - lastTurn >= LONGEST_TURN_MS) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      lastTurn = performance.now();
    }
  }
}

async function isOverWithin(loading: Promise<void>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(resolve, ms, false));
  const isOver = await Promise.race([loading.then(() => true), late]);
  clearTimeout(timer);
  return isOver;
}
