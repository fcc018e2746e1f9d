import { clearInterval, setInterval } from "node:timers";
import type { Running } from "./running.ts";

/** How often the children that nobody waits for are looked at. The timer keeps no process alive. */
const LOOK_MS = 100;
/** How many of them each new child has looked at, so that a loop that lets no timer come leaves no pile. */
const AT_SPAWN = 4;

/** The one that was looked at longest ago comes first. */
const orphans = new Set<Running>();
let timer: ReturnType<typeof setInterval> | null = null;

/** Waits for a child whose handle was disposed of or forgotten, so that it leaves no zombie. */
export function abandon(child: Running): void {
  if (child.status !== undefined) return;
  child.unwatch();
  if (child.killOnDrop) child.send("SIGKILL");
  if (child.tryWait() !== undefined) return;
  orphans.add(child);
  if (timer !== null) return;
  timer = setInterval(() => reap(orphans.size), LOOK_MS);
  timer.unref();
}

/** Asks up to `most` of them whether they have ended. */
export function reap(most: number = AT_SPAWN): void {
  for (let left = Math.min(most, orphans.size); left > 0; left--) {
    const [child] = orphans;
    orphans.delete(child);
    if (child.tryWait() === undefined) orphans.add(child);
  }
  if (orphans.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}
