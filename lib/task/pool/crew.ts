import process from "node:process";
import { setInterval } from "node:timers";
import { type Ending, messageChannel, startThread, type WorkerThread } from "../../../ffi/worker_thread.ts";
import { isAlive } from "../../mem/thread.ts";
import type { Control } from "./control/control.ts";
import type { Directory } from "./directory.ts";
import { WorkerCrashError } from "./errors.ts";
import type { Lane, Starts } from "./lane.ts";
import type { Crossings } from "./payload/crossings.ts";
import type { Init } from "./worker/init.ts";

const MODULE = new URL("./worker/main.ts", import.meta.url);
/** How often threads are looked at whose end the host may say nothing of, while jobs are in flight. */
const LOOK_MS = 100;
/** How long a thread that is at its end may take to be gone, between two looks. */
const END_LOOK_MS = 2;

/** A thread of the pool's. */
interface Member {
  readonly lane: number;
  readonly thread: WorkerThread;
  /** How it has ended, as far as the host has said. */
  ending: Ending | null;
  /** It was to be there, or has ended before. */
  readonly onArrival: ((error: Error | null) => void)[];
}

/** Pools whose threads sleep in C, where nothing but a word of theirs wakes them. */
const open: Set<Crew> = new Set();

function stopAll(): void {
  for (const crew of open) crew.stop();
}

/** The threads of a pool, which start when they are needed: the opener's. */
export class Crew implements Starts {
  readonly #lane: Lane;
  readonly #control: Control;
  readonly #directory: Directory;
  readonly #crossings: Crossings;
  readonly #threads: number;
  /** By their lanes. Behind those of the pool's threads are spare ones. */
  readonly #members: (Member | null)[];
  /** Why the last thread of a lane has ended. */
  readonly #causes: Map<number, unknown> = new Map();
  #started = 0;
  #watch: ReturnType<typeof setInterval> | null = null;
  #isStopping = false;

  constructor(lane: Lane, crossings: Crossings, threads: number) {
    this.#lane = lane;
    this.#control = lane.control;
    this.#directory = lane.directory;
    this.#crossings = crossings;
    this.#threads = threads;
    this.#members = new Array<Member | null>(lane.control.shape.lanes).fill(null);
    this.#directory.threads = threads;
    this.#directory.setStarted(0, lane.control.shape.lanes - 1);
  }

  /** How many threads there are, or will be in a moment. */
  get started(): number {
    return this.#started;
  }

  /** Starts all threads of the pool; `arrived` is called for each that is there, or has not come to be. */
  startAll(arrived: (error: Error | null) => void): void {
    for (let lane = 1; lane <= this.#threads; lane++) {
      const member = this.#members[lane] ?? this.#start(lane);
      if (this.#directory.threadOf(lane) !== undefined) arrived(null);
      else member.onArrival.push(arrived);
    }
  }

  submitted(pin: number): void {
    this.#watchLives();
    if (pin > 0) {
      if (this.#members[pin] === null) this.#start(pin);
    } else if (this.#started < this.#threads && this.#lane.inFlight > this.#started) {
      this.#startNext(this.#threads);
    }
  }

  wanted(): void {
    this.#startNext(this.#control.shape.lanes - 1);
  }

  /** Starts a thread on the first lane up to `last` that has none. */
  #startNext(last: number): void {
    for (let lane = 1; lane <= last; lane++) {
      if (this.#members[lane] === null) {
        this.#start(lane);
        return;
      }
    }
  }

  #start(lane: number): Member {
    if (open.size === 0) process.on("exit", stopAll);
    open.add(this);
    const { port1, port2 } = messageChannel();
    const init: Init = {
      control: this.#control.handle,
      directory: this.#directory.handle,
      lane,
      port: port1,
    };
    const onArrival: Member["onArrival"] = [];
    const thread = startThread(MODULE, init, [port1], {
      said() {},
      ended: (ending) => this.#hasEnded(member, ending),
    });
    const member: Member = { lane, thread, ending: null, onArrival };
    this.#crossings.connect(lane, port2);
    this.#members[lane] = member;
    this.#count(1);
    return member;
  }

  #count(change: number): void {
    this.#started += change;
    this.#directory.setStarted(this.#started, this.#control.shape.lanes - 1);
  }

  arrived(lane: number): void {
    for (const told of this.#members[lane]?.onArrival.splice(0) ?? []) told(null);
  }

  /** The host has said so: the thread may still be on its way out. */
  #hasEnded(member: Member, ending: Ending): void {
    member.ending ??= ending;
    if (this.#members[member.lane] !== member) return;
    if (this.#isGone(member)) this.#bury(member);
    else setTimeout(() => this.#hasEnded(member, ending), END_LOOK_MS);
  }

  #isGone({ lane, ending }: Member): boolean {
    const thread = this.#directory.threadOf(lane);
    return thread === undefined ? ending !== null : !isAlive(thread);
  }

  /** The thread has ended: its lane is free, and what it ran is lost. */
  #bury(member: Member): void {
    const { lane, ending, onArrival } = member;
    const hadArrived = this.#directory.threadOf(lane) !== undefined;
    this.#members[lane] = null;
    this.#count(-1);
    const cause = causeOf(ending);
    this.#causes.set(lane, cause);
    this.#directory.setThread(lane, undefined);
    this.#crossings.disconnect(lane);
    this.#control.recovery.seal(lane);
    if (this.#isStopping) return;
    if (hadArrived) this.#start(lane);
    else this.#couldNotStart(cause, onArrival);
    this.#lane.poll();
  }

  #couldNotStart(cause: unknown, onArrival: Member["onArrival"]): void {
    const why = cause instanceof Error ? cause.message : String(cause);
    const error = new WorkerCrashError(`cannot start a thread of the pool: ${why}`, { cause });
    for (const told of onArrival.splice(0)) told(error);
    if (this.#started === 0) this.#lane.failAll(error);
  }

  causeOf(lane: number): unknown {
    return this.#causes.get(lane);
  }

  #watchLives(): void {
    if (this.#watch !== null) return;
    this.#watch = setInterval(() => {
      if (this.#lane.inFlight > 0) this.look();
      else this.#unwatch();
    }, LOOK_MS);
    this.#watch.unref();
  }

  #unwatch(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
  }

  look(): void {
    for (const member of this.#members) {
      if (member !== null && this.#isGone(member)) this.#bury(member);
    }
  }

  /** Tells all threads to end. */
  stop(): void {
    this.#isStopping = true;
    this.#unwatch();
    this.#control.parking.stop();
  }

  /** Ends those that run JavaScript. */
  terminate(): void {
    for (const member of this.#members) member?.thread.terminate();
  }

  /** Whether all threads have ended: then nobody uses the map but the opener. */
  get areGone(): boolean {
    for (const member of this.#members) {
      if (member === null) continue;
      // One that was told to end before it was there, of which the host says when it has ended.
      if (this.#isGone(member)) this.#bury(member);
    }
    const areGone = this.#members.every((member) => member === null);
    if (areGone) {
      open.delete(this);
      if (open.size === 0) process.off("exit", stopAll);
    }
    return areGone;
  }
}

function causeOf(ending: Ending | null): unknown {
  if (ending === null) return new Error("the thread has exited");
  if (ending.kind === "threw") return ending.error;
  return new Error(`the thread has exited with ${ending.code}`);
}
