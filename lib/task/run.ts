import { BUDGET, coop } from "./coop.ts";
import { enter } from "./current.ts";
import { Pending } from "./future.ts";
import { Runtime } from "./runtime.ts";
import { PromiseFuture } from "./promise.ts";
import { type Spawnable, toFuture } from "./futures/to_future.ts";
import type { Task } from "./task.ts";

/**
 * How long the thread may stay in epoll_wait before the host's own timers and sockets get their turn: the
 * shortest for the first few times that no task was woken, then the longest.
 */
const SHORTEST_PARK_MS = 1;
const LONGEST_PARK_MS = 20;
const SHORT_PARKS = 16;
/** Deno looks at its sockets and timers each 61 turns of a loop that is never idle, at 1 to 2 µs a turn. */
const DENO_TURNS = 64;
const MICROTASK_ROUNDS = 3;

/**
 * Turns until the task has ended. `ofMain` is 1 where main is an async function: its promise waits all along,
 * mostly for what tasks settle in their own turn.
 */
async function drive(runtime: Runtime, main: Task<unknown>, ofMain: number): Promise<void> {
  const { executor, timers } = runtime;
  let parks = 0;
  let lastTurn = runtime.now();
  let polled = false;
  let foundNothing = false;
  for (;;) {
    if (runtime.poll() > 0) {
      polled = true;
      foundNothing = false;
      parks = 0;
    }
    if (main.isFinished) return;
    if (polled && ofMain > 0) await microtasks();
    const now = runtime.now();
    const isIdle = executor.isIdle;
    let timeout = 0;
    if (now - lastTurn >= LONGEST_PARK_MS || (isIdle && foundNothing && runtime.promises > 0)) {
      foundNothing = false;
      await hostTurns(runtime.promises > 0 ? DENO_TURNS : 1);
      lastTurn = now;
    } else if (isIdle && (runtime.hasReactions || (polled && runtime.promises > ofMain))) {
      // What the promises' reactions wake is polled before the thread parks.
      polled = false;
      runtime.hasReactions = false;
      await microtasks();
      if (executor.isIdle) await hostTurns(1);
    } else if (isIdle) {
      const park = parks++ < SHORT_PARKS ? SHORTEST_PARK_MS : LONGEST_PARK_MS;
      timeout = Math.min(park, Math.max(0, timers.next - now));
    }
    const edges = runtime.look(timeout);
    if (timeout > 0) foundNothing = edges === 0;
  }
}

/** The reactions of promises that were settled, and what these settle: a few rounds, at 30 ns each. */
async function microtasks(): Promise<void> {
  for (let round = 0; round < MICROTASK_ROUNDS; round++) await null;
}

/** Turns of the host's loop: microtasks, then what its timers and sockets have ready. */
async function hostTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/**
 * Runs `main` and every task that it spawns on this thread, until `main` has ended; tasks that are left are
 * dropped where they stand: a coroutine's `finally` blocks run, and what an async function awaits is rejected.
 * Throws what `main` throws. One runtime runs on a thread at a time.
 */
export async function run<T>(main: () => Spawnable<T>): Promise<T> {
  using runtime = new Runtime();
  const leave = enter(runtime);
  try {
    const future = toFuture(main());
    const task = runtime.executor.spawn(null, null, future, null);
    await drive(runtime, task, future instanceof PromiseFuture ? 1 : 0);
    coop.left = BUDGET;
    const value = task.poll({ waker: task });
    if (value === Pending) throw new Error("the main task ended without a result");
    return value;
  } finally {
    leave();
  }
}
