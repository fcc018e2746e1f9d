import { CoroutineFuture } from "./coroutine.ts";
import { currentRuntime, enter } from "./current.ts";
import { Executor } from "./executor.ts";
import { type Context, type Coroutine, delivery, Future, Pending, type Waker } from "./future.ts";
import { fromPromise } from "./promise.ts";
import { Reactor } from "./reactor.ts";
import type { JoinHandle } from "./task.ts";
import { Timers } from "./timers.ts";

/** Polls between two looks at the reactor, so that a burst of tasks does not starve the sockets. */
const POLLS_A_TURN = 256;
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

/** What a task may be: a future, a coroutine, a promise. */
export type Spawnable<T> = Future<T> | Coroutine<T> | PromiseLike<T>;

function isCoroutine<T>(body: Spawnable<T>): body is Coroutine<T> {
  if (Object(body) !== body) {
    throw new TypeError(`cannot make a task of ${String(body)}: it is no future, coroutine or promise`);
  }
  return Symbol.iterator in body && "next" in body;
}

/** The future that drives any kind of task. */
export function toFuture<T>(body: Spawnable<T>): Future<T> {
  if (body instanceof Future) return body;
  return isCoroutine(body) ? new CoroutineFuture(body) : fromPromise(body);
}

/** Tells the end of a future to a promise's two functions. */
class Deliver<T> extends Future<void> {
  #future: Future<T>;
  #resolve: (value: T) => void;
  #reject: (reason: unknown) => void;
  #settled: () => void;

  constructor(
    future: Future<T>,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
    settled: () => void,
  ) {
    super();
    this.#future = future;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#settled = settled;
  }

  override poll(context: Context): void | Pending {
    try {
      const value = this.#future.poll(context);
      if (value === Pending) return Pending;
      this.#resolve(value);
    } catch (error) {
      this.#reject(error);
    }
    this.#future[delivery] = undefined;
    this.#settled();
  }

  override drop(): void {
    this.#future[delivery] = undefined;
    this.#future.drop();
  }
}

/**
 * One thread's executor, reactor and timers, and the loop that owns the thread: tasks are polled while
 * there are any; promises get a turn of the host's loop; then the thread parks in epoll_wait.
 */
export class Runtime implements Disposable {
  readonly executor: Executor = new Executor();
  readonly reactor: Reactor = new Reactor();
  readonly timers: Timers = new Timers();
  /** Tasks that gave up their turn until the reactor has been asked. */
  #deferred: Waker[] = [];
  /** Promises that tasks wait for, and whether one of ours has been settled since the host's last turn. */
  #pending = 0;
  #settled = true;

  /** Milliseconds of a clock that never goes back. */
  now(): number {
    return performance.now();
  }

  /** Makes a task of what the function gives. */
  spawn<T>(body: Spawnable<T>): JoinHandle<T> {
    return this.executor.spawn(toFuture(body));
  }

  /** A future's own, when it is awaited. */
  deliver<T>(future: Future<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.executor.spawn(new Deliver(future, resolve, reject, () => this.#settled = true));
    return promise;
  }

  /** Wakes the task once the reactor has been asked: whatever is ready goes first. */
  defer(waker: Waker): void {
    this.#deferred.push(waker);
  }

  /** A promise's future's own: a task has begun to wait for it. */
  promisePending(): void {
    this.#pending++;
    this.#settled = true;
  }

  /** A promise's future's own: it has been settled. */
  promiseSettled(): void {
    this.#pending--;
    this.#settled = true;
  }

  /** Turns until the task has ended. */
  async drive(main: JoinHandle<unknown>): Promise<void> {
    let parks = 0;
    let lastTurn = this.now();
    let polled = false;
    let foundNothing = false;
    // A main that is an async function waits all along, mostly for what tasks settle in their own turn.
    const ofMain = this.#pending;
    for (;;) {
      if (this.executor.run(POLLS_A_TURN) > 0) {
        polled = true;
        foundNothing = false;
        parks = 0;
      }
      if (main.isFinished) return;
      if (polled && ofMain > 0) await microtasks();
      const now = this.now();
      const isIdle = this.#isIdle;
      if (now - lastTurn >= LONGEST_PARK_MS || (isIdle && foundNothing && this.#pending > 0)) {
        foundNothing = false;
        await hostTurns(this.#pending > 0 ? DENO_TURNS : 1);
        lastTurn = now;
        this.reactor.turn(0);
      } else if (isIdle && (this.#settled || (polled && this.#pending > ofMain))) {
        // What the promises' reactions wake is polled before the thread parks.
        polled = false;
        this.#settled = false;
        await hostTurns(1);
        this.reactor.turn(0);
      } else if (!isIdle) {
        this.reactor.turn(0);
      } else {
        const park = parks++ < SHORT_PARKS ? SHORTEST_PARK_MS : LONGEST_PARK_MS;
        foundNothing = this.reactor.turn(Math.min(park, Math.max(0, this.timers.next - now))) === 0;
      }
      this.timers.expire(this.now());
      this.#wakeDeferred();
    }
  }

  get #isIdle(): boolean {
    return this.executor.isIdle && this.#deferred.length === 0;
  }

  #wakeDeferred(): void {
    if (this.#deferred.length === 0) return;
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const waker of deferred) waker.wake();
  }

  /** Drops every task where it stands, then the reactor. */
  [Symbol.dispose](): void {
    this.executor.abortAll(new DOMException("the runtime ended before the task", "AbortError"));
    this.reactor[Symbol.dispose]();
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
 * dropped where they stand: a coroutine's `finally` blocks run, while an async function that is left waits for
 * ever, as promises do. Throws what `main` throws. One runtime runs on a thread at a time.
 */
export async function run<T>(main: () => Spawnable<T>): Promise<T> {
  using runtime = new Runtime();
  const leave = enter(runtime);
  try {
    const handle = runtime.spawn(main());
    await runtime.drive(handle);
    const value = handle.poll({ waker: { wake() {} } });
    if (value === Pending) throw new Error("the main task ended without a result");
    return value;
  } finally {
    leave();
  }
}

/**
 * Makes a task of the running runtime: `fn` is called with `args`, and what it gives is polled from the
 * next turn on. A coroutine is given as its function and arguments, so that the function can be hoisted:
 * V8 takes microseconds for a generator function written inline. Throws where no runtime runs.
 */
export function spawn<A extends unknown[], T>(fn: (...args: A) => Spawnable<T>, ...args: A): JoinHandle<T> {
  return currentRuntime().spawn(fn(...args));
}
