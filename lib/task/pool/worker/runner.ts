import type { Spawnable } from "../../futures/to_future.ts";
import type { Named } from "../../task.ts";
import { FUNCTION, PIN } from "../control/layout.ts";
import { ofAsync, onStack } from "../current_job.ts";
import { FIRST_FUNCTION } from "../directory.ts";
import type { Lane, Runs } from "../lane.ts";
import { WANT_THREAD } from "../messages.ts";
import { crossingLoader } from "./crossing_loader.ts";
import { LoadedFunction } from "./loaded_function.ts";
import { RunningJob } from "./running_job.ts";
import { isWaitable } from "./waitable.ts";

/** How long jobs are run one after another before the thread looks at its timers and descriptors. */
const TURN_MS = 1;
/** As many of one turn, however short. */
const JOBS_A_TURN = 256;

type Callable = (...args: unknown[]) => unknown;

/** What waits for jobs, once there was one that is to be waited for. */
export interface Waits {
  /** Goes on with what the job has given, until that has come to an end. */
  goOn(slot: number, job: RunningJob, body: Spawnable<unknown>, of: Named): void;
  /** A promise of the host's is waited for. */
  pending(): void;
  /** It is waited for no more, and there may be something to do. */
  settled(): void;
  readonly promises: number;
}

/** What jobs wait for until it is loaded. */
interface Loading {
  readonly waiting: number[];
  load(): Promise<unknown>;
}

/** A job that has given something to be waited for, when nobody could. */
interface Unheard {
  readonly slot: number;
  readonly job: RunningJob;
  readonly body: Spawnable<unknown>;
}

/** Runs jobs on a worker's thread: those that are done when they return at once, the others as tasks beside each other. */
export class Runner implements Runs {
  readonly #lane: Lane;
  readonly #functions: LoadedFunction[] = [];
  /** Those that go on, by their slots. */
  readonly #running: Map<number, RunningJob> = new Map();
  /** Found within a job that waits, and not to be run there. */
  #postponed: number[] = [];
  #waits: Waits | null = null;
  readonly #unheard: Unheard[] = [];
  /** How much is being loaded. */
  #loads = 0;
  #needsRuntime = false;
  /** Ends when nothing is loaded any more. */
  loading: Promise<void> | null = null;

  constructor(lane: Lane) {
    this.#lane = lane;
    onStack.make = this.#make;
  }

  get promises(): number {
    return this.#waits === null ? 0 : this.#waits.promises;
  }

  /** Whether there is a job that cannot go on before `begin`. */
  get needsRuntime(): boolean {
    return this.#needsRuntime && this.#waits === null;
  }

  /** From now on jobs may be waited for. */
  begin(waits: Waits): void {
    this.#waits = waits;
    for (let i = 0; i < this.#loads; i++) waits.pending();
    for (const { slot, job, body } of this.#unheard.splice(0)) this.#goOn(slot, job, body);
  }

  poll(): number {
    const { parking, queues } = this.#lane.control;
    if (this.#postponed.length > 0) this.#runPostponed();
    let count = 0;
    let end = 0;
    while (count < JOBS_A_TURN && !this.needsRuntime) {
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
    const state = slots.state(slot);
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
    if (!crossingLoader.areLoaded && this.#lane.payload.argumentsCross(slot)) {
      this.#load(slot, crossingLoader);
      return false;
    }
    if (loaded.isAsync && this.#waits === null) {
      this.#needsRuntime = true;
      this.#postponed.push(slot);
      return false;
    }
    if (!slots.begin(slot, runner, state)) {
      this.#told(slot);
      this.#lane.passed(slot);
      return false;
    }
    if (loaded.isSync) this.#call(slot, loaded.fn);
    else this.#callWaitable(slot, loaded, loaded.fn);
    return true;
  }

  #functionAt(number: number): LoadedFunction {
    return this.#functions[number] ??= new LoadedFunction(this.#lane.directory, number);
  }

  /** The job is not begun before what it needs is there: where this thread ends meanwhile, another one runs it. */
  #load(slot: number, loading: Loading): void {
    loading.waiting.push(slot);
    if (loading.waiting.length > 1) return;
    this.#loads++;
    this.#waits?.pending();
    const loaded = loading.load().then(
      () => this.#spread(loading.waiting.splice(0)),
      (error) => {
        const { slots, runner } = this.#lane.control;
        const others = loading.waiting.splice(0).filter((slot) => {
          const state = slots.state(slot);
          // It may be another job's by now.
          if (loading !== crossingLoader && this.#functions[slots.get(slot, FUNCTION)] !== loading) {
            return true;
          }
          if (slots.begin(slot, runner, state)) this.fail(slot, error);
          else this.#lane.passed(slot);
          return false;
        });
        this.#spread(others);
      },
    ).then(() => {
      if (--this.#loads === 0) this.loading = null;
      this.#waits?.settled();
    });
    this.loading = this.loading === null ? loaded : this.loading.then(() => loaded);
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
      this.fail(slot, error);
      return;
    }
    onStack.slot = outer;
    onStack.job = job;
    if (this.#isWaitable(value)) this.#goOn(slot, this.#make(slot), value);
    else this.finish(slot, value);
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
      this.fail(slot, error);
      return;
    }
    onStack.slot = outer;
    if (this.#isWaitable(value)) this.#goOn(slot, job, value);
    else {
      loaded.isSync = !loaded.isAsync;
      this.finish(slot, value);
    }
  }

  #make = (slot: number): RunningJob => new RunningJob(this.#lane, slot);

  #goOn(slot: number, job: RunningJob, body: Spawnable<unknown>): void {
    this.#running.set(slot, job);
    if (this.#waits === null) {
      this.#needsRuntime = true;
      this.#unheard.push({ slot, job, body });
      return;
    }
    this.#waits.goOn(slot, job, body, this.#functionAt(this.#lane.control.slots.get(slot, FUNCTION)));
    this.#told(slot);
  }

  get hasPostponed(): boolean {
    return this.#postponed.length > 0 && !this.needsRuntime;
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

  /** The job has come to a value. */
  finish(slot: number, value: unknown): void {
    try {
      this.#lane.payload.packResult(slot, value);
    } catch (error) {
      this.fail(slot, error);
      return;
    }
    this.#end(slot, false);
  }

  /** The job has failed. */
  fail(slot: number, error: unknown): void {
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
    if (this.#running.size > 0) this.#running.delete(slot);
    if (!slots.finish(slot, runner, failed)) return;
    queues.deliver(slot);
    parking.wake(slots.owner(slot));
  }

  /** Whether it can be run while another job holds the thread. */
  #mayNest(slot: number): boolean {
    const { control: { slots }, payload } = this.#lane;
    const fn = slots.get(slot, FUNCTION);
    if (fn < FIRST_FUNCTION) return true;
    return this.#functionAt(fn).mayNest && (crossingLoader.areLoaded || !payload.argumentsCross(slot));
  }

  help(): boolean {
    const { parking, queues } = this.#lane.control;
    for (;;) {
      const slot = queues.find();
      if (slot < 0) break;
      parking.found();
      if (this.#mayNest(slot)) {
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
