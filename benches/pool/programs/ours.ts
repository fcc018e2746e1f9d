/**
 * This library's pool with the jobs of `work.ts`.
 *
 * @module
 */
import { job, type JobHandle, Pool, type Submit } from "../../../lib/task/pool.ts";
import type { increment, turn, turns } from "./work.ts";

const WORK = new URL("work.ts", import.meta.url);

/** A pool that is open. */
export interface Ours extends AsyncDisposable {
  readonly increment: Submit<typeof increment>;
  readonly turn: Submit<typeof turn>;
  readonly turns: Submit<typeof turns>;
  ready(): Promise<void>;
  /** The kernel's number of the thread of that lane. */
  threadId(lane: number): JobHandle<number>;
}

/** Opens a pool with so many threads. */
export function openOurs(threads: number): Ours {
  const pool = Pool.open({ threads });
  const threadId = job<typeof import("./thread_id.ts"), "threadId">(
    new URL("thread_id.ts", import.meta.url),
    "threadId",
  );
  return {
    increment: pool.job<typeof increment>(WORK, "increment"),
    turn: pool.job<typeof turn>(WORK, "turn"),
    turns: pool.job<typeof turns>(WORK, "turns"),
    ready: () => pool.ready(),
    threadId: (lane) => pool.runWith({ lane }, threadId),
    [Symbol.asyncDispose]: () => pool.close(),
  };
}
