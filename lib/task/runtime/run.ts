import { AsyncLocalStorage } from "node:async_hooks";
import { environment } from "../../../ffi/environment.ts";
import { hostName } from "../../../ffi/mod.ts";
import { requireFlag, requireNames, shown } from "../../io/arguments.ts";
import { Clock } from "../time/clock.ts";
import { BUDGET, coop } from "./coop.ts";
import { enter } from "./current.ts";
import { Pending } from "../future.ts";
import { HostLoop } from "./host_loop.ts";
import { Instruments } from "../instruments/instruments.ts";
import { PollPoller } from "../reactor/poll_poller.ts";
import { Runtime } from "./runtime.ts";
import { SleepFuture } from "../time/sleep.ts";
import type { Spawnable } from "../futures/to_future.ts";
import { spawnInto } from "../spawn.ts";
import type { OwnedTask } from "../task.ts";
import { turn } from "./turn.ts";

/** How long the thread stays in epoll_wait before the host's own timers and sockets get their turn. */
const PARK_MS = 1;
/** Parks in a row that woke no task, before the thread sleeps in the host's loop. */
const PARKS = 8;
/** Where that sleep cannot be ended by a descriptor, the thread goes on parking, for longer. */
const LONG_PARK_MS = 20;
/** How long busy tasks may keep the host's loop from its turn. */
const LONGEST_TURN_MS = 20;
/** Deno looks at its sockets each 61 turns of a loop that is never idle, at 1 to 3 µs a turn; the others at each. */
const HOST_TURNS = hostName === "deno" ? 64 : 4;
/** Parks for nothing while a promise was waited for, after which such turns have cost as much as a watch does. */
const PARKS_FOR_NOTHING = 64;
const MICROTASK_ROUNDS = 3;
/** Bursts of tasks that promises wake, between two looks at the reactor. */
const BURSTS = 16;

/** Turns until `isOver` says so, which is asked after each burst of tasks. */
async function drive(runtime: Runtime, main: OwnedTask<unknown>, isOver: () => boolean): Promise<void> {
  const { clock, executor, feed, instruments, timers } = runtime;
  let awake: () => void = () => {};
  using loop = new HostLoop(runtime, () => awake(), { foreground: true });
  let parks = 0;
  let lastTurn = performance.now();
  let polled = false;
  let foundNothing = false;
  let parksForNothing = 0;
  let bursts = 0;
  let turns = 0;
  for (;;) {
    const count = runtime.poll();
    turns += count;
    if (count > 0) {
      polled = true;
      foundNothing = false;
      parks = 0;
    }
    if (isOver()) return;
    // An async function waits all along, mostly for what tasks settle in their own turn.
    const ofMain = (main.isAsync ? 1 : 0) + feed.promises;
    const hadReactions = runtime.hasReactions || (polled && runtime.promises > ofMain);
    if (hadReactions) {
      runtime.hasReactions = false;
      await microtasks();
      // What the promises' reactions wake is polled before anybody else is asked.
      if (executor.queued > 0 && ++bursts < BURSTS) continue;
    }
    bursts = 0;
    const now = performance.now();
    if (instruments !== null && clock.isHosts) {
      // The clock was last read at the end of the look.
      instruments.looked(now, now - executor.clock, turns, hadReactions);
    }
    turns = 0;
    const { isIdle } = runtime;
    // The promise may be the host's, and then the host is to have its turn; or one of ours.
    const isForNothing = isIdle && foundNothing && runtime.promises > 0;
    let timeout = 0;
    if (now - lastTurn >= LONGEST_TURN_MS) {
      foundNothing = false;
      await hostTurns(HOST_TURNS);
      lastTurn = now;
    } else if (isIdle && hadReactions) {
      polled = false;
      await hostTurns(1);
    } else if (isIdle && feed.hasThread && runtime.promises === 0 && timers.left === Infinity) {
      timeout = Infinity;
    } else if (
      isIdle && !runtime.mayStep &&
      (parks >= PARKS || (loop.hasWatch && (isForNothing || runtime.promises > ofMain)) ||
        (isForNothing && parksForNothing >= PARKS_FOR_NOTHING)) &&
      loop.canWatch
    ) {
      await new Promise<void>((resolve) => {
        awake = resolve;
        loop.sleep();
      });
      lastTurn = performance.now();
    } else if (isForNothing) {
      foundNothing = false;
      parksForNothing++;
      await hostTurns(HOST_TURNS);
      lastTurn = now;
    } else if (isIdle) {
      const park = parks++ < PARKS ? PARK_MS : LONG_PARK_MS;
      timeout = Math.min(park, timers.left);
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

/** A poll that takes longer keeps the other tasks waiting. */
const SLOW_MS = 10;
const NAMES = ["deadline", "asyncContext", "clock", "poller", "slowPoll", "pollTimes", "marks"];

/** How `run` runs. */
export interface RunOptions {
  /**
   * How many milliseconds tasks that are left when `main` has ended may go on: 0 where nothing is said. Those that
   * are left then are dropped.
   */
  deadline?: number;
  /** `Task.current()` is an async function's own after its `await`s too, as far as the host carries it: some 100 ns each. */
  asyncContext?: boolean;
  /** `"paused"` for a clock that stands at 0, for tests: see `@oxbow/oxbow/testing`. */
  clock?: "real" | "paused";
  /** Who asks the kernel which descriptors are ready: `"epoll"` where nothing is said, or poll(2). */
  poller?: "epoll" | "poll";
  /**
   * From how many milliseconds a poll is warned of on the console, once for each task's name: 10 where nothing is
   * said, `false` for never. It costs no poll anything: where several tasks had their turns, who took so long is
   * not known, and polls are timed for a second, for a fiftieth of the time, to name it when it does so again.
   */
  slowPoll?: number | false;
  /** `metrics().pollTimes` tells how long polls take: 70 to 250 ns each. */
  pollTimes?: boolean;
  /**
   * Each poll is a `measure` of the host's performance entries, by its task's name, for a `PerformanceObserver`: some
   * microseconds each. The host keeps them until `performance.clearMeasures()`.
   */
  marks?: boolean;
}

/**
 * Runs `main` and every task that it spawns on this thread, until `main` has ended; tasks that are left are
 * dropped where they stand: a coroutine's `finally` blocks run, and what an async function awaits is rejected.
 * Throws what `main` throws. One runtime runs on a thread at a time; another one can follow.
 */
export async function run<T>(main: () => Spawnable<T>, options: RunOptions = {}): Promise<T> {
  const { deadline = 0, asyncContext = false, poller = forcedPoller() } = checked(main, options);
  using runtime = new Runtime(
    poller === "poll" ? new PollPoller() : undefined,
    new Clock(options.clock === "paused"),
  );
  const leave = enter(runtime);
  try {
    runtime.instruments = instrumentsOf(runtime, options);
    if (asyncContext) turn.ofAsync = new AsyncLocalStorage();
    const task = spawnInto(runtime.executor, null, main, []);
    await drive(runtime, task, () => task.isFinished);
    if (deadline > 0) await grace(runtime, task, deadline);
    coop.left = BUDGET;
    const value = task.poll({ waker: task });
    if (value === Pending) throw new Error("the main task ended without a result");
    return value;
  } finally {
    turn.ofAsync = null;
    leave();
  }
}

function checked(main: unknown, options: RunOptions): RunOptions {
  if (typeof main !== "function") throw new TypeError("cannot run: main is no function");
  requireNames("cannot run", "options are", options, NAMES);
  const { deadline } = options;
  if (deadline !== undefined && !(deadline >= 0)) {
    throw new RangeError(`cannot run: deadline is ${shown(deadline)}, and no count of milliseconds`);
  }
  requireFlag("cannot run", "asyncContext", options.asyncContext);
  const { clock, poller } = options;
  if (clock !== undefined && clock !== "real" && clock !== "paused") {
    throw new TypeError(`cannot run: clock is ${shown(clock)}, neither "real" nor "paused"`);
  }
  if (poller !== undefined && poller !== "epoll" && poller !== "poll") {
    throw new TypeError(`cannot run: poller is ${shown(poller)}, neither "epoll" nor "poll"`);
  }
  const { slowPoll } = options;
  if (slowPoll !== undefined && slowPoll !== false && !(typeof slowPoll === "number" && slowPoll > 0)) {
    throw new RangeError(`cannot run: slowPoll is ${shown(slowPoll)}, neither milliseconds nor false`);
  }
  requireFlag("cannot run", "pollTimes", options.pollTimes);
  requireFlag("cannot run", "marks", options.marks);
  return options;
}

function instrumentsOf(runtime: Runtime, options: RunOptions): Instruments | null {
  const { slowPoll = SLOW_MS, pollTimes = false, marks = false } = options;
  if (slowPoll === false && !pollTimes && !marks) return null;
  return new Instruments(runtime.executor, { slowPoll: slowPoll || Infinity, pollTimes, marks });
}

/** The suite runs on each. */
function forcedPoller(): string | undefined {
  return environment("OXBOW_POLLER");
}

async function grace(runtime: Runtime, main: OwnedTask<unknown>, deadline: number): Promise<void> {
  const { executor } = runtime;
  const ends = runtime.now() + deadline;
  const end = new SleepFuture(ends, true);
  end.poll({ waker: { wake() {} } });
  await drive(runtime, main, () => executor.live === 0 || runtime.now() >= ends);
  end.drop();
}
