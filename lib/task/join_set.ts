import { coop, proceed } from "./coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import type { Spawnable } from "./futures/to_future.ts";
import { spawn } from "./spawn.ts";
import type { JoinHandle } from "./task.ts";

/** A task of a {@linkcode JoinSet}, which waits for it. */
export type AbortHandle = Pick<JoinHandle<unknown>, "id" | "name" | "isFinished" | "abort">;

/** What a task of a set came to. */
export interface Joined<T> {
  /** The task's. */
  id: number;
  value: T;
}

/** What a task of a set came to, also where it failed. */
export type JoinedSettled<T> = PromiseSettledResult<T> & {
  /** The task's. */
  id: number;
};

/** One task of a set, which wakes it at its end. In one of two lists: of those that run, of those that ended. */
class Member<T> implements Context, Waker {
  previous: Member<T> | null = null;
  next: Member<T> | null = null;
  hasEnded = false;
  readonly task: JoinHandle<T>;
  #members: Members<T> | null;

  constructor(members: Members<T>, task: JoinHandle<T>) {
    this.#members = members;
    this.task = task;
  }

  get waker(): Waker {
    return this;
  }

  /** The task's own: it has ended. */
  wake(): void {
    if (!this.hasEnded) this.#members?.ended(this);
  }

  /** The set knows nothing of it any more. */
  forget(): void {
    this.#members = null;
    this.task.drop();
  }
}
