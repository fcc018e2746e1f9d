import { type Context, Future, type Pending } from "../../future.ts";
import { type Spawnable, toFuture } from "../../futures/to_future.ts";
import { coop } from "../../runtime/coop.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { type Named, type OwnedTask, TaskExtras } from "../../task.ts";
import { ofAsync } from "../current_job.ts";
import type { Waits } from "./runner.ts";
import type { RunningJob } from "./running_job.ts";

/** What jobs come to that are to be waited for. */
export interface Ends {
  finish(slot: number, value: unknown): void;
  fail(slot: number, error: unknown): void;
}

/** Jobs that go on beside each other, on a runtime. */
export class Waiting implements Waits {
  readonly #runtime: Runtime;
  readonly #ends: Ends;
  promises = 0;

  constructor(runtime: Runtime, ends: Ends) {
    this.#runtime = runtime;
    this.#ends = ends;
  }

  pending(): void {
    this.#runtime.promisePending();
  }

  settled(): void {
    this.#runtime.promiseSettled();
    this.#runtime.executor.rouse();
  }

  goOn(slot: number, job: RunningJob, body: Spawnable<unknown>, of: Named): void {
    if (body instanceof Future || !("then" in body)) this.#spawn(slot, job, body, of);
    else this.#await(slot, body);
  }

  #spawn(slot: number, job: RunningJob, body: Spawnable<unknown>, of: Named): void {
    const owner = {
      childEnded: (task: OwnedTask<unknown>): void => {
        if (task.hasFailed) this.#ends.fail(slot, task.error);
        else this.#ends.finish(slot, valueOf(task));
      },
    };
    const future = new OfJob(job, toFuture(body));
    job.task = this.#runtime.executor.spawn(null, future, new TaskExtras("", owner), of);
  }

  #await(slot: number, promise: PromiseLike<unknown>): void {
    this.#runtime.promisePending();
    this.promises++;
    const settled = (): void => {
      this.promises--;
      this.#runtime.promiseSettled();
    };
    // A thenable of somebody's own may throw, and call back twice.
    new Promise((resolve) => resolve(promise)).then((value) => {
      settled();
      this.#ends.finish(slot, value);
    }, (error) => {
      settled();
      this.#ends.fail(slot, error);
    });
  }
}

/** A job's future, in which `currentJob` is that job. */
class OfJob extends Future<unknown> {
  readonly #job: RunningJob;
  readonly #future: Future<unknown>;

  constructor(job: RunningJob, future: Future<unknown>) {
    super();
    this.#job = job;
    this.#future = future;
  }

  override poll(context: Context): unknown | Pending {
    return ofAsync.run(this.#job, () => this.#future.poll(context));
  }

  override drop(): void {
    ofAsync.run(this.#job, () => this.#future.drop());
  }

  override describe(): string {
    return this.#future.describe();
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
