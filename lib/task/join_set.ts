import type { Coroutine, Future } from "./future.ts";
import { type Spawnable, toFuture } from "./futures/to_future.ts";
import { type Member, Members, Next } from "./join_set/members.ts";
import { spawn } from "./spawn.ts";
import type { JoinHandle } from "./join_handle.ts";

/** A task of a {@linkcode JoinSet}, which the set waits for. */
export type AbortHandle = Pick<JoinHandle<unknown>, "id" | "name" | "isFinished" | "abort">;

/** A task of a set that has ended. */
export interface Joined<T> {
  /** The task's. */
  id: number;
  value: T;
}

/** A task of a set that has ended, also where it failed. */
export type JoinedSettled<T> = PromiseSettledResult<T> & {
  /** The task's. */
  id: number;
};

function joined<T>(member: Member<T> | undefined): Joined<T> | undefined {
  return member && { id: member.id, value: member.take() };
}

function joinedSettled<T>(member: Member<T> | undefined): JoinedSettled<T> | undefined {
  if (member === undefined) return undefined;
  const { id } = member;
  try {
    return { id, status: "fulfilled", value: member.take() };
  } catch (reason) {
    return { id, status: "rejected", reason };
  }
}

function* values<T>(set: JoinSet<T>): Coroutine<T[]> {
  using _aborted = set;
  const values: T[] = [];
  for (let next = yield* set.joinNext(); next !== undefined; next = yield* set.joinNext()) {
    values.push(next.value);
  }
  return values;
}

function* end(set: JoinSet<unknown>): Coroutine<void> {
  set.abortAll();
  while ((yield* set.joinNextSettled()) !== undefined);
}

/**
 * Tasks that are waited for in the order in which they end. An end costs the same whatever the size of the set, for
 * only what has ended is looked at. A set that is disposed aborts its tasks.
 *
 * @example
 * ```ts
 * import { JoinSet, run, sleep } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   using set = new JoinSet<string>();
 *   set.spawn(() => sleep(9).map(() => "slow"));
 *   set.spawn(() => sleep(1).map(() => "fast"));
 *   for await (const value of set) console.log(value); // fast, then slow
 * });
 * ```
 *
 * Follows tokio's `JoinSet`.
 */
export class JoinSet<T> implements Disposable, AsyncDisposable {
  #members: Members<T> = new Members();

  /** How many tasks there are that were not taken out: those that have ended, too. */
  get size(): number {
    return this.#members.size;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** `spawn` into the set. */
  spawn<A extends unknown[]>(fn: (...args: A) => Spawnable<T>, ...args: A): AbortHandle {
    return this.add(spawn(fn, ...args));
  }

  /** Takes in a task that was spawned. Throws where somebody waits for it already. */
  add(task: JoinHandle<T>): AbortHandle {
    return this.#members.add(task);
  }

  /**
   * The next task that has ended, which leaves the set; `undefined` once the set is empty. Throws what the task
   * threw, or why it was aborted: the set is as good as before. Dropping the future loses no task.
   */
  joinNext(): Future<Joined<T> | undefined> {
    return new Next<T, Joined<T> | undefined>(this.#members, joined);
  }

  /** `joinNext` that tells how the task failed, instead of throwing it. */
  joinNextSettled(): Future<JoinedSettled<T> | undefined> {
    return new Next<T, JoinedSettled<T> | undefined>(this.#members, joinedSettled);
  }

  /** `joinNext` that does not wait: `undefined` where no task has ended. */
  tryJoinNext(): Joined<T> | undefined {
    return joined(this.#members.take());
  }

  /**
   * The values of all tasks, in the order in which they ended. Where one has failed it throws that and aborts the
   * others, as it does where it is dropped.
   */
  joinAll(): Future<T[]> {
    return toFuture(values(this));
  }

  /** Aborts all tasks, which stay in the set until they are joined. */
  abortAll(reason?: unknown): void {
    this.#members.abortAll(reason);
  }

  /** Aborts all tasks and waits for their ends: an async function's is when it has heard of it. */
  shutdown(): Future<void> {
    return toFuture(end(this));
  }

  /** Lets all tasks go on, and forgets them. */
  detachAll(): void {
    this.#members.detachAll();
  }

  /** The values of the tasks, in the order in which they end. Throws what one throws: the others stay in the set. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (let next = await this.joinNext(); next !== undefined; next = await this.joinNext()) yield next.value;
  }

  /** Aborts all tasks, and forgets them. */
  [Symbol.dispose](): void {
    this.abortAll();
    this.detachAll();
  }

  /** Aborts all tasks and waits for their ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}
