import { libc } from "../../../ffi/libc.ts";
import { existingRuntime } from "../runtime/current.ts";
import type { Source } from "../runtime/source.ts";
import { createBell } from "./control/bed.ts";
import type { Control } from "./control/control.ts";
import {
  CANCEL_REQUESTED,
  DEADLINE,
  FAILED,
  FLAGS,
  FREE,
  FUNCTION,
  MESSAGE,
  PHASE_BITS,
  PHASE_MASK,
  PIN,
  RUNNING,
  SEQUENCE,
} from "./control/layout.ts";
import { laneOf } from "./control/slots.ts";
import { type PoolClosedError, WorkerCrashError } from "./errors.ts";
import { type Directory, FIRST_FUNCTION } from "./directory.ts";
import type { HandleOwner, JobHandle } from "./job_handle.ts";
import { ARRIVED, PROGRESS, WANT_THREAD } from "./messages.ts";
import type { Payload } from "./payload/payload.ts";
import { Spin } from "./spin.ts";
import { WaitingLine } from "./waiting_line.ts";

/** Who runs jobs on this thread. */
export interface Runs {
  /** Runs what there is, for a moment. Returns how much. */
  poll(): number;
  /** Runs one job within another one that waits; `false` where there is none that can be run so. */
  help(): boolean;
  /** It was found, and is to be run in the next turn. */
  postpone(slot: number): void;
  /** Whether there are such, so that the thread is not to sleep. */
  readonly hasPostponed: boolean;
  /** How many promises of async functions it waits for. */
  readonly promises: number;
}

/** Who starts the threads, and sees to their ends. */
export interface Starts {
  /** A job was submitted: there may be too few threads for it. */
  submitted(pin: number): void;
  /** A worker would like to have one more. */
  wanted(): void;
  /** That lane's thread is there. */
  arrived(lane: number): void;
  /** Looks whether a thread has ended, where nobody else is told. */
  look(): void;
  /** Why that lane's last thread has ended. */
  causeOf(lane: number): unknown;
}

/** How long a thread that waits for a job sleeps before it looks whether the workers live. */
const LOOK_MS = 100;

/** A thread's part of a pool: the jobs that it has submitted, and where it is a worker, those that it runs. */
export class Lane implements Source, HandleOwner {
  readonly control: Control;
  readonly directory: Directory;
  readonly payload: Payload;
  /** Any lane may write to it at any time, so that it is open until the opener closes it for all. */
  readonly event: number;
  /** By the slots of this lane, from its first. */
  readonly #handles: (JobHandle<unknown> | null)[];
  /** Those that have no slot yet, with what they submit. */
  readonly #line: WaitingLine = new WaitingLine();
  readonly #first: number;
  #inFlight = 0;
  #awaited = 0;
  readonly #spin: Spin = new Spin(() => this.#hasWork());
  /** For who waits for ends alone. */
  readonly #waitSpin: Spin = new Spin(() => this.control.queues.hasOwn());
  /** What is called once a report was read, by its slot. */
  readonly #reports: Map<number, () => void> = new Map();
  /** Who waits until nothing is in flight. */
  onDrained: (() => void) | null = null;
  runs: Runs | null = null;
  starts: Starts | null = null;
  /** Why nothing is submitted any more. */
  closed: PoolClosedError | null = null;
  /** A worker's: called once the pool stops. */
  onStop: (() => void) | null = null;
  /** How many jobs the lane's last thread has left. */
  #orphans: number;

  constructor(control: Control, directory: Directory, payload: Payload) {
    this.control = control;
    this.directory = directory;
    this.payload = payload;
    const { slots } = control.shape;
    this.#first = control.lane * slots;
    this.#handles = new Array<JobHandle<unknown> | null>(slots).fill(null);
    const { lane, parking } = control;
    const number = parking.eventFd(lane);
    this.event = number < 0 ? createBell() : number;
    parking.setEventFd(this.event);
    parking.hasMore = () => this.#line.size > 0 && control.slots.hasFree();
    this.#orphans = control.recovery.sweep(this.#dropOrphan);
  }

  get hasThread(): boolean {
    return this.runs !== null;
  }

  get isAwaited(): boolean {
    return this.#awaited > 0;
  }

  get promises(): number {
    return this.runs === null ? 0 : this.runs.promises;
  }

  get threads(): number {
    return this.directory.threads;
  }

  /** How many of its jobs have not ended. */
  get inFlight(): number {
    return this.#inFlight + this.#line.size;
  }

  awaits(change: number): void {
    this.#awaited += change;
  }

  glance(): void {
    this.takeEnds();
  }

  /**
   * Submits a job of that number, whose end the handle is told. `pin` is the only lane that may run it, or -1;
   * `deadline` when it is to have ended, in milliseconds since 1970, or 0. Throws what cannot be sent, and after the pool
   * was closed.
   */
  submit(
    handle: JobHandle<unknown>,
    fn: number,
    args: readonly unknown[],
    pin: number,
    deadline: number,
  ): void {
    if (this.closed !== null) throw this.closed;
    if (this.#line.size > 0 || !this.#place(handle, fn, args, pin, deadline)) {
      this.poll();
      if (this.#line.size > 0 || !this.#place(handle, fn, args, pin, deadline)) {
        this.#line.push({ handle, fn, args, pin, deadline });
      }
    }
    if (this.starts !== null) this.starts.submitted(pin);
    else if (this.control.parking.sleepers === 0 && this.directory.askForThread()) {
      this.tellOpener(WANT_THREAD);
    }
  }

  /** A worker's: sends the opener a message with nothing in it. */
  tellOpener(message: number): void {
    this.#send(message, 0, []);
  }

  /** Puts the job in a slot and hints it; `false` where no slot is free. */
  #place(
    handle: JobHandle<unknown>,
    fn: number,
    args: readonly unknown[],
    pin: number,
    deadline: number,
  ): boolean {
    const { slots, queues, parking } = this.control;
    const slot = slots.take();
    if (slot < 0) return false;
    try {
      this.payload.packArguments(slot, args);
    } catch (error) {
      slots.free(slot);
      throw error;
    }
    slots.set(slot, FUNCTION, fn);
    if (deadline > 0) {
      slots.set(slot, DEADLINE, deadline % 2 ** 32);
      slots.set(slot, DEADLINE + 1, deadline / 2 ** 32);
    }
    if (pin >= 0) slots.set(slot, PIN, pin + 1);
    handle.slot = slot;
    this.#handles[slot - this.#first] = handle;
    this.#inFlight++;
    slots.publish(slot);
    let hasWoken: boolean;
    if (pin >= 0) {
      queues.inject(pin, slot);
      hasWoken = parking.wake(pin);
    } else {
      if (!queues.push(slot)) queues.inject(this.control.lane === 0 ? 1 : this.control.lane, slot);
      hasWoken = parking.workAdded();
    }
    this.#spin.arm(hasWoken);
    this.#waitSpin.arm(hasWoken);
    return true;
  }

  /** Sends a lane something that is no job; gives its slot, or -1 where none is free. */
  #send(fn: number, to: number, args: readonly unknown[]): number {
    const { slots, queues, parking } = this.control;
    const slot = slots.take();
    if (slot < 0) return -1;
    try {
      this.payload.packArguments(slot, args);
    } catch (error) {
      slots.free(slot);
      throw error;
    }
    slots.set(slot, FUNCTION, fn);
    slots.set(slot, FLAGS, MESSAGE);
    slots.set(slot, PIN, to + 1);
    slots.publish(slot);
    queues.inject(to, slot);
    parking.wake(to);
    return slot;
  }

  /** A worker's: reports to who has submitted the job; `false` where no slot is free. Calls `read` once it was read. */
  report(job: number, value: unknown, read: () => void): boolean {
    const { slots } = this.control;
    const slot = this.#send(PROGRESS, slots.owner(job), [job, slots.get(job, SEQUENCE), value]);
    if (slot >= 0) this.#reports.set(slot, read);
    return slot >= 0;
  }

  abandon(handle: JobHandle<unknown>, _reason: unknown): void {
    if (this.withdraw(handle)) return;
    const { slot } = handle;
    const { slots, queues, parking, words, layout } = this.control;
    this.#forget(slot);
    handle.slot = -1;
    const state = slots.state(slot);
    Atomics.or(words, layout.ofSlot(slot, FLAGS), CANCEL_REQUESTED);
    if ((state & PHASE_MASK) !== RUNNING || slots.isLinked(slot)) return;
    const lane = laneOf(state >>> PHASE_BITS);
    queues.inject(lane, slot);
    parking.wake(lane);
  }

  /** Cancels a job that nobody has begun; `false` where somebody has. Its handle is to be ended by who asks. */
  withdraw(handle: JobHandle<unknown>): boolean {
    const { slot } = handle;
    if (slot < 0) {
      this.#line.remove(handle);
      return true;
    }
    if (!this.control.slots.cancel(slot)) return false;
    this.#forget(slot);
    handle.slot = -1;
    this.payload.drop(slot);
    this.#release(slot);
    return true;
  }

  #forget(slot: number): JobHandle<unknown> | null {
    const handle = this.#handles[slot - this.#first];
    this.#handles[slot - this.#first] = null;
    return handle;
  }

  /** The slot's job is over, and so is what it held. */
  #release(slot: number): void {
    this.control.slots.free(slot);
    this.#inFlight--;
    this.#moveUp();
    if (this.inFlight === 0 && this.onDrained !== null) this.onDrained();
  }

  /** Gives slots to those that wait for one, as far as there are any. */
  #moveUp(): void {
    for (let next = this.#line.first(); next !== null; next = this.#line.first()) {
      const { handle, fn, args, pin, deadline } = next;
      try {
        if (!this.#place(handle, fn, args, pin, deadline)) return;
        this.#line.remove(handle);
      } catch (error) {
        this.#line.remove(handle);
        handle.fail(error);
      }
    }
  }

  poll(): number {
    const { runs } = this;
    const count = this.takeEnds() + (runs === null ? this.#takeMessages() : runs.poll());
    if (this.#line.size > 0) this.#moveUp();
    if (this.onStop !== null && this.control.parking.isStopping) this.onStop();
    if (count > 0) {
      this.#spin.arm(false);
      // Whoever adds jobs is to wake another one, since this one goes on with what it has got.
      if (runs !== null) this.control.parking.found();
    }
    return count;
  }

  /** What has come for this lane alone: ends, deaths. */
  takeEnds(): number {
    const { parking, queues } = this.control;
    let count = 0;
    for (let slot = queues.takeDelivered(); slot >= 0; slot = queues.takeDelivered()) {
      this.#ended(slot);
      count++;
    }
    if (parking.hasDeaths()) this.#survey();
    if (this.#orphans > 0) this.#orphans = this.control.recovery.sweep(this.#dropOrphan);
    return count;
  }

  #ended(slot: number): void {
    const { slots, recovery } = this.control;
    if (this.#orphans > 0 && this.#handles[slot - this.#first] === null && recovery.holds(slot)) {
      this.#dropOrphan(slot);
      recovery.settle(slot);
      return;
    }
    if (slots.get(slot, FUNCTION) < FIRST_FUNCTION) {
      this.#forgetMessage(slot);
      return;
    }
    const handle = this.#handles[slot - this.#first];
    if (handle === null) this.payload.drop(slot);
    else {
      // What it has reported lies in the inbox since before its end.
      if (handle.hears) this.#takeMessages();
      this.#settle(handle, slot);
    }
    this.#release(slot);
  }

  #settle(handle: JobHandle<unknown>, slot: number): void {
    this.#forget(slot);
    handle.slot = -1;
    try {
      if (this.control.slots.phase(slot) === FAILED) handle.fail(this.payload.unpackError(slot));
      else handle.settle(this.payload.unpackResult(slot));
    } catch (error) {
      handle.fail(error);
    }
  }

  /** A slot that the lane's last thread has left is over. */
  #dropOrphan = (slot: number): void => this.payload.drop(slot);

  #forgetMessage(slot: number): void {
    this.payload.drop(slot);
    this.control.slots.free(slot);
    const read = this.#reports.get(slot);
    this.#reports.delete(slot);
    read?.();
    this.#moveUp();
  }

  /** Threads have ended: what they ran is lost, and what they had taken is hinted again. */
  #survey(): void {
    const { ended, lost } = this.control.recovery.survey();
    for (const slot of ended) this.#ended(slot);
    for (const slot of lost) {
      if (this.control.slots.get(slot, FUNCTION) < FIRST_FUNCTION) {
        this.#forgetMessage(slot);
        continue;
      }
      const handle = this.#forget(slot);
      if (handle !== null) {
        handle.slot = -1;
        handle.fail(this.#crashOf(slot));
      }
      this.payload.drop(slot);
      this.#release(slot);
    }
  }

  #crashOf(slot: number): WorkerCrashError {
    const lane = laneOf(this.control.slots.runner(slot));
    const { module, name } = this.directory.at(this.control.slots.get(slot, FUNCTION));
    const cause = this.starts?.causeOf(lane);
    const why = cause === undefined ? "" : `: ${cause instanceof Error ? cause.message : String(cause)}`;
    return new WorkerCrashError(
      `the job ${name} of ${module} was lost: its worker, thread ${lane} of the pool, has ended${why}; ` +
        "the pool goes on with another one, and runs the job no second time",
      { cause },
    );
  }

  #takeMessages(): number {
    const { queues } = this.control;
    let count = 0;
    for (let slot = queues.takeInjected(); slot >= 0; slot = queues.takeInjected()) {
      if (this.control.slots.get(slot, FUNCTION) < FIRST_FUNCTION) this.message(slot);
      else this.runs?.postpone(slot);
      count++;
    }
    return count;
  }

  /** Something was sent that is no job. */
  message(slot: number): void {
    const { slots, runner } = this.control;
    const state = slots.state(slot);
    const fn = slots.get(slot, FUNCTION);
    if (fn >= FIRST_FUNCTION || !slots.begin(slot, runner, state)) {
      this.passed(slot);
      return;
    }
    if (fn === PROGRESS) this.#reported(slot);
    else {
      this.#answer(slot);
      if (fn === ARRIVED) this.starts?.arrived(slots.owner(slot));
      else this.starts?.wanted();
    }
  }

  /** A slot was found where nothing is to be run any more: who waits to use it again could not while it was to be. */
  passed(slot: number): void {
    const { slots, parking } = this.control;
    if (slots.phase(slot) === FREE) parking.wake(slots.owner(slot));
  }

  #reported(slot: number): void {
    const [job, sequence, value] = this.payload.unpackArguments(slot);
    const { slots } = this.control;
    const isOf = typeof job === "number" && slots.get(job, SEQUENCE) === sequence;
    const handle = isOf ? this.#handles[job - this.#first] : null;
    if (handle === null) this.#answer(slot);
    else handle.reported(value, () => this.#answer(slot));
  }

  #answer(slot: number): void {
    const { slots, queues, parking, runner } = this.control;
    this.payload.packResult(slot, undefined);
    if (!slots.finish(slot, runner, false)) return;
    queues.deliver(slot);
    parking.wake(slots.owner(slot));
  }

  #hasWork(): boolean {
    const { parking, queues } = this.control;
    return this.hasThread ? queues.hasWork() || parking.isStopping : queues.hasOwn();
  }

  get #hasPostponed(): boolean {
    return this.runs !== null && this.runs.hasPostponed;
  }

  spin(): boolean {
    if (this.#hasPostponed) return true;
    if (!this.hasThread) return this.isAwaited && this.#spin.look();
    const { parking } = this.control;
    return parking.beginSearch() ? this.#spin.look() : this.#hasWork();
  }

  sleep(timeoutMs: number): void {
    if (this.#hasPostponed) return;
    this.control.parking.parkFutex(timeoutMs, this.hasThread);
  }

  lieDown(): boolean {
    return !this.#hasPostponed && this.control.parking.enterEvent(this.hasThread);
  }

  getUp(): void {
    this.control.parking.leaveEvent(this.hasThread);
  }

  waitFor(handle: JobHandle<unknown>, until: number): void {
    const { parking } = this.control;
    const spin = this.#waitSpin;
    while (!handle.isFinished) {
      this.takeEnds();
      if (this.runs === null) this.#takeMessages();
      if (this.#line.size > 0) this.#moveUp();
      if (handle.isFinished) break;
      if (this.runs !== null && this.runs.help()) continue;
      if (spin.look()) continue;
      const now = performance.now();
      const { deadline } = handle;
      if (deadline !== null && now >= deadline.at) deadline.pass();
      const left = Math.min(until, deadline?.at ?? Infinity) - now;
      if (left <= 0 || parking.isStopping) break;
      parking.parkFutex(Math.min(left, LOOK_MS), false);
      this.starts?.look();
    }
    // What slept in the host's loop is told by its eventfd no more: it is to lie down again.
    existingRuntime()?.executor.rouse();
  }

  /** Ends all that is in flight by `error`. The slots of what runs stay taken until it has ended. */
  failAll(error: Error): void {
    for (const { handle } of this.#line.drain()) handle.fail(error);
    for (const handle of this.#handles) handle?.cancel(error);
  }

  /** The opener's, once all threads have ended. */
  [Symbol.dispose](): void {
    const { parking, shape } = this.control;
    for (let lane = 0; lane < shape.lanes; lane++) {
      const number = parking.eventFd(lane);
      if (number >= 0) libc().close(number);
    }
  }
}
