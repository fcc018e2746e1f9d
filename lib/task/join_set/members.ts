import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import type { JoinHandle } from "../join_handle.ts";
import { turn } from "../runtime/turn.ts";
import { Queue } from "./queue.ts";

/** A task of a set: what its end wakes. */
export class Member<T> implements Context, Waker {
  previous: Member<T> | null = null;
  next: Member<T> | null = null;
  readonly task: JoinHandle<T>;
  #members: Members<T> | null;

  constructor(members: Members<T>, task: JoinHandle<T>) {
    this.#members = members;
    this.task = task;
  }

  get id(): number {
    return this.task.id;
  }

  get name(): string {
    return this.task.name;
  }

  get isFinished(): boolean {
    return this.task.isFinished;
  }

  abort(reason?: unknown): void {
    this.task.abort(reason);
  }

  get waker(): Waker {
    return this;
  }

  /** Has the task tell of its end. Who spawns waits for nothing yet: no turn is given to the task ahead of its own. */
  listen(): void {
    const { task } = turn;
    turn.task = null;
    try {
      this.task.poll(this);
    } finally {
      turn.task = task;
    }
  }

  /** The task's own: it has ended. */
  wake(): void {
    const members = this.#members;
    this.#members = null;
    members?.ended(this);
  }

  /** Its end is told to nobody. */
  detach(): void {
    this.#members = null;
    this.task.drop();
  }

  /** What the task, which has ended, came to. */
  take(): T {
    const { left } = coop;
    coop.left = 1;
    try {
      const value = this.task.poll(this);
      if (value === Pending) throw new Error("a task that has ended gave no value");
      return value;
    } finally {
      coop.left = left;
    }
  }
}

/** Somebody who waits for a task to end. */
export interface Waiting {
  previous: Waiting | null;
  next: Waiting | null;
  waker: Waker | null;
}

/** The tasks of a set, those who wait for one to end, and which have. */
export class Members<T> {
  size = 0;
  #running: Queue<Member<T>> = new Queue();
  #ended: Queue<Member<T>> = new Queue();
  #waiting: Queue<Waiting> = new Queue();

  add(task: JoinHandle<T>): Member<T> {
    const member = new Member(this, task);
    if (!task.isFinished) member.listen();
    this.size++;
    this.#running.push(member);
    if (task.isFinished) member.wake();
    return member;
  }

  ended(member: Member<T>): void {
    this.#running.remove(member);
    this.#ended.push(member);
    this.#wakeOne();
  }

  /** Whether there is a task to be taken, or none to wait for. */
  get isReady(): boolean {
    return this.#ended.first !== null || this.size === 0;
  }

  /** The first that ended, which is not among them any more. */
  take(): Member<T> | undefined {
    const member = this.#ended.first;
    if (member === null) return undefined;
    this.#ended.remove(member);
    this.size--;
    return member;
  }

  wait(next: Waiting): void {
    this.#waiting.push(next);
  }

  leave(next: Waiting): void {
    this.#waiting.remove(next);
  }

  /** One who waited is done, or was dropped: the next one's turn. */
  passOn(): void {
    if (this.isReady) this.#wakeOne();
  }

  #wakeOne(): void {
    this.#waiting.first?.waker?.wake();
  }

  abortAll(reason: unknown): void {
    for (const member of this.#running.all()) member.abort(reason);
  }

  detachAll(): void {
    const all = [...this.#running.all(), ...this.#ended.all()];
    this.#running = new Queue();
    this.#ended = new Queue();
    this.size = 0;
    for (const member of all) member.detach();
    this.#wakeOne();
  }
}

/** Waits for a task to end, takes it out of its set, and gives what `result` makes of it, or of there being none. */
export class Next<T, R> extends Future<R> implements Waiting {
  previous: Waiting | null = null;
  next: Waiting | null = null;
  waker: Waker | null = null;
  #members: Members<T> | null;
  #result: (member: Member<T> | undefined) => R;

  constructor(members: Members<T>, result: (member: Member<T> | undefined) => R) {
    super();
    this.#members = members;
    this.#result = result;
  }

  override describe(): string {
    return this.#members === null ? "joinNext()" : `joinNext() of ${this.#members.size} tasks`;
  }

  override poll(context: Context): R | Pending {
    const members = this.#members;
    if (members === null) throw consumed("joinNext()");
    if (!members.isReady) {
      if (this.waker === null) members.wait(this);
      this.waker = context.waker;
      return Pending;
    }
    if (!proceed(context)) return Pending;
    coop.left--;
    const member = members.take();
    this.drop();
    const result = this.#result;
    return result(member);
  }

  override drop(): void {
    const members = this.#members;
    if (members === null) return;
    this.#members = null;
    if (this.waker !== null) members.leave(this);
    this.waker = null;
    members.passOn();
  }
}
