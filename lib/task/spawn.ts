import { requireNames, shown } from "../io/arguments.ts";
import { listen, unlisten } from "./runtime/abortion.ts";
import { currentRuntime } from "./runtime/current.ts";
import type { Executor } from "./runtime/executor.ts";
import { type Coroutine, Future, Pending } from "./future.ts";
import { isCoroutine, type Spawnable } from "./futures/to_future.ts";
import { fromPromise } from "./promise.ts";
import type { JoinHandle } from "./join_handle.ts";
import { type OwnedTask, TaskExtras } from "./task.ts";
import { turn } from "./runtime/turn.ts";

/** The prototype of generator functions: calling one runs nothing of it. */
const GENERATOR_FUNCTION: object = Object.getPrototypeOf(function* () {});

/** The last one that was found to be: V8 takes 10 ns to look at a prototype. */
let generatorFunction: unknown;

function makesCoroutines<A extends unknown[], T>(
  fn: (...args: A) => Spawnable<T>,
): fn is (...args: A) => Coroutine<T> {
  if (fn === generatorFunction) return true;
  if (Object.getPrototypeOf(fn) !== GENERATOR_FUNCTION) return false;
  generatorFunction = fn;
  return true;
}

/** A function that is called at the task's first poll; what it gives takes this one's place there. */
class Call<A extends unknown[], T> extends Future<T> {
  task: OwnedTask<T> | null = null;
  #fn: (...args: A) => Spawnable<T>;
  #args: A;

  constructor(fn: (...args: A) => Spawnable<T>, args: A) {
    super();
    this.#fn = fn;
    this.#args = args;
  }

  override poll(): T | Pending {
    const { task } = this;
    if (task === null) return Pending;
    const { ofAsync } = turn;
    const body = ofAsync === null ? this.#fn(...this.#args) : ofAsync.run(task, this.#fn, ...this.#args);
    if (body instanceof Future) return task.become(null, body, false);
    return isCoroutine(body) ? task.become(body, null, false) : task.become(null, fromPromise(body), true);
  }
}

/**
 * Makes a task of the thread's runtime: `fn` is called with `args` in the task's first turn, and what it gives is
 * polled. A coroutine is given as its function and arguments, so that the function can be hoisted: V8 takes
 * microseconds for a generator function written inline. Costs some 100 ns.
 */
export function spawn<A extends unknown[], T>(fn: (...args: A) => Spawnable<T>, ...args: A): JoinHandle<T> {
  return spawnInto(currentRuntime().executor, null, fn, args);
}

/** How a task is told apart and ended. */
export interface SpawnOptions {
  /** What `dump` and warnings call it: the function's name where nothing is said. */
  name?: string;
  /** Aborts the task, with the signal's reason. */
  signal?: AbortSignal;
}

/** `spawn`, with a name or a signal that aborts the task. Where that is aborted already the task is never polled. */
export function spawnWith<A extends unknown[], T>(
  options: SpawnOptions,
  fn: (...args: A) => Spawnable<T>,
  ...args: A
): JoinHandle<T> {
  requireNames("cannot spawn", "options are", options, ["name", "signal"]);
  const { name, signal } = options;
  if (name !== undefined && typeof name !== "string") throw new TypeError("cannot spawn: name is no string");
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError("cannot spawn: signal is no AbortSignal");
  }
  const extras = new TaskExtras(name ?? "", null);
  const task = spawnInto(currentRuntime().executor, extras, fn, args);
  if (signal === undefined) return task;
  const abort = () => task.abort(signal.reason);
  if (signal.aborted) abort();
  else {
    const waiter = listen(signal, { wake: abort });
    extras.ended = () => unlisten(signal, waiter);
  }
  return task;
}

/** Makes a task of the executor's. */
export function spawnInto<A extends unknown[], T>(
  executor: Executor,
  extras: TaskExtras | null,
  fn: (...args: A) => Spawnable<T>,
  args: A,
): OwnedTask<T> {
  if (typeof fn !== "function") throw new TypeError(`cannot spawn: fn is ${shown(fn)}, and no function`);
  if (makesCoroutines(fn)) return executor.spawn(fn(...args), null, extras, fn);
  const call = new Call(fn, args);
  const task = executor.spawn(null, call, extras, fn);
  call.task = task;
  return task;
}
