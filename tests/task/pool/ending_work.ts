/** Jobs that end their thread, each in another state of a job. */
import process from "node:process";
import { setTimeout as hostSleep } from "node:timers/promises";
import { type Coroutine, sleep } from "../../../lib/task/mod.ts";
import { currentJob, currentPool, job } from "../../../lib/task/pool.ts";

type Work = typeof import("./ending_work.ts");

function end(): never {
  process.exit(1);
}

export function inItsCall(): void {
  end();
}

export async function whileItsPromiseWaits(): Promise<void> {
  setTimeout(end, 1);
  await hostSleep(1e6);
}

export async function afterItsPromise(): Promise<void> {
  await hostSleep(1);
  end();
}

export function* inItsCoroutine(): Coroutine<void> {
  yield* sleep(1);
  end();
}

/** When it is told that it is wanted no more. */
export function* inItsCleanUp(flag: Int32Array): Coroutine<void> {
  try {
    Atomics.store(flag, 0, 1);
    yield* sleep(1e6);
  } finally {
    end();
  }
}

/** When it is asked whether it is to be waited for. */
export function inItsThen(): unknown {
  return {
    get then(): never {
      return end();
    },
  };
}

/** When what it gives is being cloned, with much of it behind. */
export function inItsResult(): unknown {
  return {
    before: new Uint8Array(1 << 20),
    get end(): never {
      return end();
    },
  };
}

/** When what it throws is being cloned. */
export function inItsError(): never {
  throw new RangeError("its message", {
    cause: {
      get end(): never {
        return end();
      },
    },
  });
}

/** When one of its reports is being cloned, and others have been sent. */
export function inItsReport(): void {
  for (let i = 0; i < 10; i++) currentJob()?.progress(i);
  currentJob()?.progress({
    get end(): never {
      return end();
    },
  });
}

/** When arguments of a job that it submits are being cloned. */
export function inItsSubmission(): void {
  currentPool()?.run(job<Work, "give">(new URL(import.meta.url), "give"), {
    get end(): never {
      return end();
    },
  });
}

/** Holds the thread for another job, which is run within, and ends it. */
export function whileItHelps(): void {
  const { lane = 0 } = currentJob() ?? {};
  currentPool()?.runWith({ lane }, job<Work, "inItsCall">(new URL(import.meta.url), "inItsCall")).waitSync();
}

/** Waits for its own job on the other thread, which is told of nothing. */
export async function whileItWaitsForAnother(flag: Int32Array): Promise<void> {
  const { lane = 0 } = currentJob() ?? {};
  setTimeout(end, 1);
  await currentPool()?.runWith({ lane: 3 - lane }, job<Work, "wait">(new URL(import.meta.url), "wait"), flag);
}

export function give(value: unknown): unknown {
  return value;
}

/** As many bytes as do not lie in its slot. */
export function giveMuch(): Uint8Array {
  return new Uint8Array(100_000);
}

/** Until the flag is raised. */
export async function wait(flag: Int32Array): Promise<void> {
  while (Atomics.load(flag, 0) === 0) await hostSleep(1);
}

/** Never ends, beside others. */
export async function waitForGood(flag: Int32Array): Promise<void> {
  Atomics.store(flag, 0, 1);
  await hostSleep(1e6);
}

export function addOne(words: Int32Array): void {
  Atomics.add(words, 0, 1);
}
