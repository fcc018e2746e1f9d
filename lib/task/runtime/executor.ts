import { Slab } from "../../slab.ts";
import type { Coroutine, Future, Waker } from "../future.ts";
import { RunQueue } from "./run_queue.ts";
import { wakeSafely } from "./report.ts";
import { type Living, type Named, OwnedTask, type Runnable, type TaskExtras } from "../task.ts";

/** How often the task that was woken by the last one may go first, before the others have their turn: tokio's. */
const NEXT_IN_A_ROW = 3;

/** What an executor tells its runtime. */
export interface ExecutorHost {
  /** There is work, and nobody looks at the queue. */
  roused(): void;
  /** A task has failed, and nobody waits for it. */
  failed(task: OwnedTask<unknown>, error: unknown): void;
  /** Somebody has seen its error after all. */
  seen(task: OwnedTask<unknown>): void;
}

/** What is to be told when the task that is polled has had its turn. */
export interface AfterTurn {
  turnEnded(): void;
}

/** What is told of each turn, where somebody wants to know. */
export interface TurnWatch {
  /** A turn of `runnable` took from one time of `performance.now()` to the other. */
  hadTurn(runnable: Runnable, began: number, ended: number): void;
}

/**
 * The tasks of one thread. The first task that the polled one wakes goes next, while its message is in the cache;
 * the others, and one that wakes itself, take their turn in the order in which they were woken.
 */
export class Executor {
  readonly #host: ExecutorHost;
  #queue: RunQueue = new RunQueue();
  #next: Runnable | null = null;
  #nextInARow = 0;
  /** Who has its turn. */
  #polled: Runnable | null = null;
  /** Those that gave up their turn until the reactor has been asked, and the array that takes the next ones. */
  #deferred: Waker[] = [];
  #spare: Waker[] = [];
  /** Every task that has not ended, so that all can be dropped. */
  #living: Slab<Living> = new Slab();
  #spawned = 0;
  #polls = 0;
  /** Why what is spawned from now on ends at once: the runtime has ended. */
  #end: { reason: unknown } | null = null;
  /** Nobody looks at the queue unless told. */
  isAsleep = false;
  /** Milliseconds of the runtime's clock, as last read. */
  clock = 0;
  /** Times each turn, and is told of it. */
  watch: TurnWatch | null = null;
  /** Who had the last turn of the last `run`. */
  last: Runnable | null = null;
  /** Told once, after the turn that is going on, or the next one. */
  afterTurn: AfterTurn | null = null;

  constructor(host: ExecutorHost) {
    this.#host = host;
  }

  /** Whether nothing waits for its turn. */
  get isIdle(): boolean {
    return this.#next === null && this.#queue.length === 0 && this.#deferred.length === 0;
  }

  /** How many tasks have not ended. */
  get live(): number {
    return this.#living.size;
  }

  /** How many tasks were made. */
  get spawned(): number {
    return this.#spawned;
  }

  /** How many turns were given. */
  get polls(): number {
    return this.#polls;
  }

  /** How many wait for their turn. */
  get queued(): number {
    return this.#queue.length + (this.#next === null ? 0 : 1);
  }

  /** How many of them do not fit in the ring. */
  get overflow(): number {
    return this.#queue.overflow;
  }

  /** How many have given up their turn until the reactor has been asked. */
  get deferred(): number {
    return this.#deferred.length;
  }

  /** Every task that has not ended. */
  *living(): Generator<Living> {
    for (const [, living] of this.#living) yield living;
  }

  /** Whether all was dropped, and nothing gets a turn any more. */
  get hasEnded(): boolean {
    return this.#end !== null;
  }

  /** Whether a task has its turn. */
  get isRunning(): boolean {
    return this.#polled !== null;
  }

  /** Makes a task of one of the two, polled for the first time in its turn: after those that wait for theirs. */
  spawn<T>(
    coroutine: Coroutine<T> | null,
    future: Future<T> | null,
    extras: TaskExtras | null,
    fn: Named,
  ): OwnedTask<T> {
    this.#spawned++;
    const task = new OwnedTask(this, coroutine, future, extras, fn);
    if (this.#end !== null) task.abort(this.#end.reason);
    else this.#enqueue(task);
    return task;
  }

  /** Keeps what must be dropped with the runtime. Returns the key that `ended` takes. */
  keep(living: Living): number {
    return this.#living.insert(living);
  }

  /** A task's own: it has ended. */
  ended(key: number): void {
    this.#living.remove(key);
  }

  /** A task's own: it has failed, and nobody waits for it. */
  failed(task: OwnedTask<unknown>, error: unknown): void {
    this.#host.failed(task, error);
  }

  /** A task's own: its error was seen. */
  seen(task: OwnedTask<unknown>): void {
    this.#host.seen(task);
  }

  /** A task's own: queues it. */
  push(runnable: Runnable): void {
    if (this.#next === null && this.#polled !== null && this.#polled !== runnable) this.#next = runnable;
    else this.#enqueue(runnable);
  }

  #enqueue(runnable: Runnable): void {
    this.#queue.push(runnable);
    if (this.isAsleep) this.rouse();
  }

  /** Ends the runtime's sleep, where it sleeps. */
  rouse(): void {
    if (!this.isAsleep) return;
    this.isAsleep = false;
    this.#host.roused();
  }

  /** Wakes the task once the reactor has been asked: whatever is ready goes first. */
  defer(waker: Waker): void {
    this.#deferred.push(waker);
  }

  wakeDeferred(): void {
    const deferred = this.#deferred;
    if (deferred.length === 0) return;
    this.#deferred = this.#spare;
    for (let i = 0; i < deferred.length; i++) wakeSafely(deferred[i]);
    deferred.length = 0;
    this.#spare = deferred;
  }

  /** Gives up to `budget` turns, so that the reactor is asked between bursts. Returns how many. */
  run(budget: number): number {
    if (this.watch !== null) return this.#runWatched(budget, this.watch);
    const before = this.#polls;
    const end = before + budget;
    try {
      while (this.#polls < end) {
        const runnable = this.#take();
        if (runnable === null) break;
        this.#polls++;
        this.#polled = runnable;
        runnable.run();
        if (this.afterTurn !== null) this.endTurn();
      }
    } finally {
      this.last = this.#polled;
      this.#polled = null;
    }
    return this.#polls - before;
  }

  #runWatched(budget: number, watch: TurnWatch): number {
    let polls = 0;
    try {
      for (; polls < budget; polls++) {
        const runnable = this.#take();
        if (runnable === null) break;
        this.#polls++;
        this.#polled = runnable;
        const began = performance.now();
        runnable.run();
        const ended = performance.now();
        if (this.afterTurn !== null) this.endTurn();
        watch.hadTurn(runnable, began, ended);
      }
    } finally {
      this.last = null;
      this.#polled = null;
    }
    return polls;
  }

  /** A turn has ended that was given by other means than `run`. */
  endTurn(): void {
    const told = this.afterTurn;
    this.afterTurn = null;
    told?.turnEnded();
  }

  /** Takes it out of the queue, where it is next. */
  takeNext(runnable: Runnable): boolean {
    if (this.#next !== null || this.#queue.first !== runnable) return false;
    this.#queue.shift();
    return true;
  }

  #take(): Runnable | null {
    const next = this.#next;
    if (next === null) {
      this.#nextInARow = 0;
      return this.#queue.shift();
    }
    this.#next = null;
    if (++this.#nextInARow <= NEXT_IN_A_ROW) return next;
    this.#nextInARow = 0;
    this.#queue.push(next);
    return this.#queue.shift();
  }

  /** Drops every task where it stands, and at once those that are spawned at that; their handles fail with `reason`. */
  end(reason: unknown): void {
    this.#end = { reason };
    for (const [, living] of this.#living) living.abort(reason);
  }

  /** A future that is to be awaited: whether it was refused, since nothing gets a turn any more. */
  refuses(living: Living): boolean {
    if (this.#end === null) return false;
    living.abort(this.#end.reason);
    return true;
  }
}
