import { type Coroutine, Future } from "../../future.ts";
import type { Spawnable } from "../../futures/to_future.ts";
import { coop } from "../../runtime/coop.ts";
import { currentRuntime } from "../../runtime/current.ts";
import { type OwnedTask, TaskExtras } from "../../task.ts";
import { FUNCTION, PIN } from "../control/layout.ts";
import { ofAsync, onStack } from "../current_job.ts";
import { FIRST_FUNCTION } from "../directory.ts";
import type { Lane, Runs } from "../lane.ts";
import { WANT_THREAD } from "../messages.ts";
import { LoadedFunction } from "./loaded_function.ts";
import { isWaitable } from "./range_function.ts";
import { RunningJob } from "./running_job.ts";

/** How long jobs are run one after another before the thread looks at its timers and descriptors. */
const TURN_MS = 1;
/** As many of one turn, however short. */
const JOBS_A_TURN = 256;

type Callable = (...args: unknown[]) => unknown;

/** Runs jobs on a worker's thread: those that are done when they return at once, the others as tasks beside each other. */
export class Runner implements Runs {
  readonly #lane: Lane;
  readonly #functions: LoadedFunction[] = [];
  /** Those that go on, by their slots. */
  readonly #running: Map<number, RunningJob> = new Map();
  /** Found within a job that waits, and not to be run there. */
  #postponed: number[] = [];
  promises = 0;

  constructor(lane: Lane) {
    this.#lane = lane;
    onStack.make = this.#make;
  }

  poll(): number {
    const { parking, queues } = this.#lane.control;
    if (this.#postponed.length > 0) this.#runPostponed();
    let count = 0;
    let end = 0;
    while (count < JOBS_A_TURN) {
      const slot = queues.find();
      if (slot < 0) break;
      parking.found();
      count++;
      if (!this.#run(slot)) continue;
      const now = performance.now();
      if (end === 0) end = now + TURN_MS;
      else if (now >= end) break;
    }
    return count;
  }

  #runPostponed(): void {
    for (const slot of this.#postponed.splice(0)) this.#run(slot);
  }

  /** Runs the job of a slot that was found, where that is still to be run. */
  #run(slot: number): boolean {
    const { slots, runner } = this.#lane.control;
    const fn = slots.get(slot, FUNCTION);
    if (fn < FIRST_FUNCTION) {
      this.#lane.message(slot);
      return false;
    }
    const loaded = this.#functionAt(fn);
    if (loaded.fn === null) {
      this.#load(slot, loaded);
      return false;
    }
    if (!slots.begin(slot, runner)) {
      this.#told(slot);
      return false;
    }
    if (loaded.isSync) this.#call(slot, loaded.fn);
    else this.#callWaitable(slot, loaded, loaded.fn);
    return true;
  }

  #functionAt(number: number): LoadedFunction {
    const { directory } = this.#lane;
    return this.#functions[number] ??= new LoadedFunction(directory.at(number), directory.cells);
  }

  /** The job is not begun before its module is there: where this thread ends meanwhile, another one runs it. */
  #load(slot: number, loaded: LoadedFunction): void {
    const { slots, runner } = this.#lane.control;
    const fn = slots.get(slot, FUNCTION);
    loaded.waiting.push(slot);
    if (loaded.waiting.length > 1) return;
    const runtime = currentRuntime();
    runtime.promisePending();
    loaded.load().then(
      () => {
        this.#spread(loaded.waiting.splice(0));
        runtime.promiseSettled();
        runtime.executor.rouse();
      },
      (error) => {
        // A slot may be another job's by now.
        const failing = loaded.waiting.splice(0);
        this.#spread(failing.filter((slot) => slots.get(slot, FUNCTION) !== fn));
        for (const slot of failing) {
          if (slots.get(slot, FUNCTION) === fn && slots.begin(slot, runner)) this.#fail(slot, error);
        }
        runtime.promiseSettled();
        runtime.executor.rouse();
      },
    );
  }

  /** Puts what nobody else could take for a while where all may take it, in its order. */
  #spread(found: number[]): void {
    const { queues, parking, slots } = this.#lane.control;
    for (const slot of found.reverse()) {
      if (slots.get(slot, PIN) !== 0 || !queues.push(slot)) this.#postponed.unshift(slot);
    }
    parking.workAdded();
  }

  /** Of a function that has never given anything to wait for. */
  #call(slot: number, fn: Callable): void {
    const { slot: outer, job } = onStack;
    let value: unknown;
    try {
      const args = this.#lane.payload.unpackArguments(slot);
      onStack.slot = slot;
      onStack.job = null;
      value = fn(...args);
    } catch (error) {
      onStack.slot = outer;
      onStack.job = job;
      this.#fail(slot, error);
      return;
    }
    onStack.slot = outer;
    onStack.job = job;
    if (this.#isWaitable(value)) this.#goOn(slot, this.#make(slot), value);
    else this.#finish(slot, value);
  }

  /** Whether it is to be waited for. What throws when it is asked, such as a proxy, is sent as it is, which fails. */
  #isWaitable(value: unknown): value is Spawnable<unknown> {
    try {
      return isWaitable(value);
    } catch {
      return false;
    }
  }

  #callWaitable(slot: number, loaded: LoadedFunction, fn: Callable): void {
    const job = this.#make(slot);
    const { slot: outer } = onStack;
    let value: unknown;
    try {
      const args = this.#lane.payload.unpackArguments(slot);
      onStack.slot = -1;
      value = ofAsync.run(job, fn, ...args);
    } catch (error) {
      onStack.slot = outer;
      this.#fail(slot, error);
      return;
    }
    onStack.slot = outer;
    if (this.#isWaitable(value)) this.#goOn(slot, job, value);
    else {
      loaded.isSync = !loaded.isAsync;
      this.#finish(slot, value);
    }
  }

  #make = (slot: number): RunningJob => new RunningJob(this.#lane, slot);

  #goOn(slot: number, job: RunningJob, body: Spawnable<unknown>): void {
    this.#running.set(slot, job);
    if (body instanceof Future || !("then" in body)) this.#spawn(slot, job, body);
    else this.#awaitPromise(slot, body);
    this.#told(slot);
  }

  #spawn(slot: number, job: RunningJob, body: Future<unknown> | Coroutine<unknown>): void {
    const owner = {
      childEnded: (task: OwnedTask<unknown>): void => {
        this.#running.delete(slot);
        if (task.hasFailed) this.#fail(slot, task.error);
        else this.#finish(slot, valueOf(task));
      },
    };
    const { executor } = currentRuntime();
    const extras = new TaskExtras("", owner);
    const of = this.#functionAt(this.#lane.control.slots.get(slot, FUNCTION));
    job.task = body instanceof Future
      ? executor.spawn(null, body, extras, of)
      : executor.spawn(body, null, extras, of);
  }

  #awaitPromise(slot: number, promise: PromiseLike<unknown>): void {
    const runtime = currentRuntime();
    runtime.promisePending();
    this.promises++;
    const settled = (): void => {
      this.promises--;
      runtime.promiseSettled();
      this.#running.delete(slot);
    };
    // A thenable of somebody's own may throw, and call back twice.
    new Promise((resolve) => resolve(promise)).then((value) => {
      settled();
      this.#finish(slot, value);
    }, (error) => {
      settled();
      this.#fail(slot, error);
    });
  }

  postpone(slot: number): void {
    this.#postponed.push(slot);
  }

  /** The submitter of a job that runs here may want it no more. */
  #told(slot: number): void {
    const job = this.#running.get(slot);
    if (job === undefined || !job.isCancelled) return;
    job.abort();
  }

  #finish(slot: number, value: unknown): void {
    try {
      this.#lane.payload.packResult(slot, value);
    } catch (error) {
      this.#fail(slot, error);
      return;
    }
    this.#end(slot, false);
  }

  #fail(slot: number, error: unknown): void {
    const { payload } = this.#lane;
    try {
      payload.packError(slot, error);
    } catch {
      payload.packError(slot, new Error("the job has thrown something that throws when it is looked at"));
    }
    this.#end(slot, true);
  }

  #end(slot: number, failed: boolean): void {
    const { slots, queues, parking, runner } = this.#lane.control;
    if (!slots.finish(slot, runner, failed)) return;
    queues.deliver(slot);
    parking.wake(slots.owner(slot));
  }

  help(): boolean {
    const { parking, queues, slots } = this.#lane.control;
    for (;;) {
      const slot = queues.find();
      if (slot < 0) break;
      parking.found();
      const fn = slots.get(slot, FUNCTION);
      if (fn < FIRST_FUNCTION || this.#functionAt(fn).mayNest) {
        this.#run(slot);
        this.#spread(this.#postponed.splice(0));
        return true;
      }
      this.#postponed.push(slot);
    }
    const { length } = this.#postponed;
    this.#spread(this.#postponed.splice(0));
    if (length > 0 && this.#lane.directory.askForThread()) this.#lane.tellOpener(WANT_THREAD);
    return false;
  }
}

/** What a task has come to that has ended by a value. */
function valueOf(task: OwnedTask<unknown>): unknown {
  const { left } = coop;
  coop.left = 1;
  try {
    return task.poll({ waker: { wake() {} } });
  } finally {
    coop.left = left;
  }
}
