import { abandon, describe } from "./coroutine.ts";
import { BUDGET, coop } from "./runtime/coop.ts";
import type { Executor } from "./runtime/executor.ts";
import { report, wakeSafely } from "./runtime/report.ts";
import { turn } from "./runtime/turn.ts";
import { consumed, type Context, type Coroutine, Future, Pending, polling, type Waker } from "./future.ts";

/** What the executor gives turns to. */
export interface Runnable {
  /** One turn. */
  run(): void;
}

/** What lives until it has ended, or its runtime has. */
export interface Living {
  abort(reason: unknown): void;
}

/** What few tasks have. */
export class TaskExtras {
  name: string;
  controller: AbortController | null = null;
  /** Called at the task's end: it listens to a signal no more. */
  ended: (() => void) | null = null;
  /** Who sees to its end, and to its failure. */
  owner: TaskOwner | null;
  /** What it has failed with, or why it was aborted. */
  error: unknown = undefined;

  constructor(name: string, owner: TaskOwner | null) {
    this.name = name;
    this.owner = owner;
  }
}

/** A function, for its name. */
export interface Named {
  readonly name: string;
}

/** Who has spawned a task for itself: a scope. */
export interface TaskOwner {
  /** The task has ended. */
  childEnded(child: OwnedTask<unknown>): void;
}

const DEEPEST = 32;

const QUEUED = 1;
const HAS_TURN = 2;
const FINISHED = 4;
const FAILED = 8;
const TAKEN = 16;
const ABORTED = 32;
/** Somebody waits for its end: its error is theirs to see. */
const OBSERVED = 64;
/** Its promise cannot be dropped: abortion is told by the signal, and it ends when its promise does. */
const ASYNC = 128;
/** Its coroutine waits for a future, which can be asked what it is. */
const PARKED = 256;

/**
 * A future that an executor owns, the leaf that wakes and is woken. It is its own waker, its own context and
 * its own handle, so that a spawn makes one object beside its body, and waking and polling make none.
 */
export class OwnedTask<T> extends Future<T> implements Waker, Context, Runnable, Living {
  /** Unique in its runtime, counted from 1. */
  readonly id: number;
  #executor: Executor;
  /** Its key among the living. */
  #key: number;
  #state = QUEUED;
  /** Its body is one of the two. */
  #coroutine: Coroutine<T> | null;
  #future: Future<T> | null;
  #value: T | Pending = Pending;
  #joiner: Waker | null = null;
  #polls = 0;
  /** In whole milliseconds of the runtime's clock. */
  #born: number;
  #extras: TaskExtras | null;
  /** The function that was spawned, for its name. */
  readonly #fn: Named;

  /** The executor's own, which queues it. */
  constructor(
    executor: Executor,
    coroutine: Coroutine<T> | null,
    future: Future<T> | null,
    extras: TaskExtras | null,
    fn: Named,
  ) {
    super();
    this.id = executor.spawned;
    this.#executor = executor;
    this.#coroutine = coroutine;
    this.#future = future;
    this.#born = Math.trunc(executor.clock);
    this.#extras = extras;
    this.#fn = fn;
    this.#key = executor.keep(this);
  }

  get waker(): Waker {
    return this;
  }

  get isFinished(): boolean {
    return (this.#state & FINISHED) !== 0;
  }

  /** How often it was polled. */
  get polls(): number {
    return this.#polls;
  }

  /** Unparks: queued once, however often it is woken before its turn. A task that has ended stays so. */
  wake(): void {
    if (this.#state & (QUEUED | FINISHED)) return;
    this.#state |= QUEUED;
    this.#executor.push(this);
  }

  /** One turn, given by the executor. Nothing where it had it already, from who waits for it. */
  run(): void {
    if ((this.#state & (QUEUED | FINISHED)) !== QUEUED) return;
    this.#state = (this.#state & ~(QUEUED | PARKED)) | HAS_TURN;
    this.#polls++;
    coop.left = BUDGET;
    polling.context = this;
    polling.instead = null;
    polling.isParked = false;
    turn.task = this;
    try {
      const value = this.#poll();
      if (value !== Pending) this.#finish(value);
    } catch (error) {
      this.#fail(error);
    }
    turn.task = null;
    polling.context = null;
    polling.instead = null;
    this.#state &= ~HAS_TURN;
    if (this.#state & ABORTED) this.#abandon();
  }

  #poll(): T | Pending {
    const coroutine = this.#coroutine;
    if (coroutine !== null) {
      let step = coroutine.next();
      while (!step.done && step.value !== Pending) {
        step = coroutine.throw(new TypeError("cannot wait for what a coroutine yields: use yield*"));
      }
      if (step.done) return step.value;
      if (polling.isParked) this.#state |= PARKED;
      return Pending;
    }
    const future = this.#future;
    return future === null ? Pending : future.poll(this);
  }

  /** A call's own: what the function gave is polled from now on. */
  become(coroutine: Coroutine<T> | null, future: Future<T> | null, isAsync: boolean): T | Pending {
    this.#coroutine = coroutine;
    this.#future = future;
    if (isAsync) this.#state |= ASYNC;
    // Aborted by its own function: the body that it gave is dropped unpolled.
    return this.#state & ABORTED ? Pending : this.#poll();
  }

  /**
   * Drops the task where it stands, its `finally` blocks run; its handle fails with `reason`, or with what such a
   * block throws. A task that aborts itself ends at its next `yield*` or return from `poll`. An async function is
   * told by its signal, and ends when it does. Does nothing once it has finished.
   */
  abort(reason: unknown = new DOMException("the task was aborted", "AbortError")): void {
    if (this.#state & (FINISHED | ABORTED)) {
      // An async function that was told, and has not ended before its runtime.
      if (this.#executor.hasEnded && (this.#state & HAS_TURN) === 0) this.#abandon();
      return;
    }
    this.#state |= ABORTED;
    const extras = this.#extras ??= new TaskExtras("", null);
    extras.error = reason;
    extras.controller?.abort(reason);
    if ((this.#state & HAS_TURN) === 0) this.#abandon();
    else if (turn.task === this && polling.context === this) {
      polling.context = null;
      polling.instead = "aborted";
    }
  }

  #abandon(): void {
    if (this.#state & FINISHED) return;
    if (this.#state & ASYNC && !this.#executor.hasEnded) return;
    const reason = this.#extras?.error;
    const coroutine = this.#coroutine;
    const future = this.#future;
    this.#coroutine = null;
    this.#future = null;
    const before = turn.task;
    turn.task = this;
    // What a finally block does to its own task comes to nothing: it has ended.
    this.#state |= HAS_TURN;
    try {
      if (coroutine !== null) abandon(coroutine);
      else future?.drop();
      this.#fail(reason);
    } catch (error) {
      // It fails by itself, and not as it was told to.
      this.#state &= ~ABORTED;
      this.#fail(error);
    }
    turn.task = before;
    this.#state &= ~HAS_TURN;
  }

  #finish(value: T): void {
    this.#value = value;
    this.#end(FINISHED);
  }

  #fail(error: unknown): void {
    (this.#extras ??= new TaskExtras("", null)).error = error;
    this.#end(FINISHED | FAILED);
  }

  #end(how: number): void {
    this.#state |= how;
    this.#coroutine = null;
    this.#future = null;
    this.#executor.ended(this.#key);
    const joiner = this.#joiner;
    this.#joiner = null;
    const extras = this.#extras;
    if (extras !== null) {
      extras.ended?.();
      if (extras.owner !== null) this.#tell(extras.owner);
      else if (how & FAILED && joiner === null && (this.#state & (OBSERVED | ABORTED)) === 0) {
        this.#executor.failed(this, extras.error);
      }
    }
    if (joiner !== null) wakeSafely(joiner);
  }

  #tell(owner: TaskOwner): void {
    try {
      owner.childEnded(this);
    } catch (error) {
      report(error);
    }
  }

  /** The task's value, once; throws what the task threw, or why it was aborted. */
  override poll(context: Context): T | Pending {
    if (this.#polls === 0 && this.#state === QUEUED && context === turn.task) this.#runAhead();
    const state = this.#state;
    if ((state & FINISHED) === 0) {
      const joiner = this.#joiner;
      if (joiner !== null && joiner !== context.waker) {
        throw new Error("cannot wait for a task: another task waits for it already; share it with shared()");
      }
      this.#state = state | OBSERVED;
      this.#joiner = context.waker;
      return Pending;
    }
    if (coop.left === 0) return this.#exhausted(context);
    coop.left--;
    if (state & TAKEN) throw consumed("a task");
    this.#state = state | TAKEN | OBSERVED;
    if (state & FAILED) {
      this.#executor.seen(this);
      throw this.#extras?.error;
    }
    const value = this.#value;
    this.#value = Pending;
    return value;
  }

  /**
   * The first turn, in the turn of the task that waits for it, which could only suspend, and where nobody's turn is
   * before its own. A task that spawns another and waits for it, and that one again, has no deeper stack for it than
   * `DEEPEST`.
   */
  #runAhead(): void {
    const outer = turn.task;
    if (outer === null || outer.#executor !== this.#executor || turn.depth === DEEPEST) return;
    // Where turns are timed, each is timed by itself.
    if (this.#executor.watch !== null || !this.#executor.takeNext(this)) return;
    const { context, instead } = polling;
    const { left } = coop;
    turn.depth++;
    this.run();
    turn.depth--;
    turn.task = outer;
    coop.left = left;
    const isAborted = (outer.#state & ABORTED) !== 0;
    polling.context = isAborted ? null : context;
    polling.instead = isAborted ? "aborted" : instead;
  }

  #exhausted(context: Context): Pending {
    coop.yields++;
    context.waker.wake();
    return Pending;
  }

  /** Wakes nobody at the end. The task goes on. */
  override drop(): void {
    const state = this.#state;
    const joiner = this.#joiner;
    this.#joiner = null;
    this.#state = state & ~OBSERVED;
    // Another one's than who drops the handle: it asks again.
    if (joiner !== null && joiner !== turn.task) wakeSafely(joiner);
    // It has failed, and who waited for it was dropped before it saw that.
    const unseen = OBSERVED | FAILED;
    if ((state & (unseen | TAKEN | ABORTED)) === unseen) this.#executor.failed(this, this.#extras?.error);
  }

  override describe(): string {
    return `task ${this.id} (${this.title})`;
  }

  /** What it was named, or else its function's name. */
  get title(): string {
    return this.name || this.#fn.name || "anonymous";
  }

  get activity(): "running" | "queued" | "waiting" {
    if (this.#state & HAS_TURN) return "running";
    return this.#state & QUEUED ? "queued" : "waiting";
  }

  /** What it has waited for since its last turn, as that says itself; nothing in its turn, or before the first. */
  get waitsFor(): string {
    if (this.#polls === 0 || this.#state & (HAS_TURN | FINISHED)) return "";
    const coroutine = this.#coroutine;
    if (coroutine === null) return this.#future === null ? "" : this.#future.describe();
    return this.#state & PARKED ? describe(coroutine) : "a yield of its own";
  }

  /** What it was named, or the empty string. */
  get name(): string {
    return this.#extras === null ? "" : this.#extras.name;
  }

  /** Aborted when the task is. */
  get signal(): AbortSignal {
    const extras = this.#extras ??= new TaskExtras("", null);
    if (extras.controller === null) {
      extras.controller = new AbortController();
      if (this.#state & ABORTED) extras.controller.abort(extras.error);
    }
    return extras.controller.signal;
  }

  /** Whether it has ended by an error, which `error` is then. */
  get hasFailed(): boolean {
    return (this.#state & FAILED) !== 0;
  }

  get error(): unknown {
    return this.#extras?.error;
  }

  /** Whether it waits for an async function. */
  get isAsync(): boolean {
    return (this.#state & (ASYNC | FINISHED)) === ASYNC;
  }

  /** Whether its abortion was asked for. */
  get wasAborted(): boolean {
    return (this.#state & ABORTED) !== 0;
  }

  /** When it was spawned, by the runtime's clock, in whole milliseconds. */
  get born(): number {
    return this.#born;
  }
}
