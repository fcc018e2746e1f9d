import { WouldBlock } from "../../io/fd.ts";
import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import { type CallKind, IoCall } from "./io_call.ts";
import type { IoWaiter, ScheduledIo } from "./scheduled_io.ts";
import type { Queue } from "../sync/queue.ts";

/** What is waited for. */
export type Interest = "read" | "write" | "urgent";

function isReady(io: ScheduledIo, interest: Interest): boolean {
  if (io.isDeaf) throw new Error(`cannot wait for a descriptor: ${io.whyDeaf}`);
  switch (interest) {
    case "read":
      return io.isReadable;
    case "write":
      return io.isWritable;
    case "urgent":
      return io.isUrgent;
  }
}

function queueOf(io: ScheduledIo, interest: Interest): Queue<IoWaiter> {
  switch (interest) {
    case "read":
      return io.readers;
    case "write":
      return io.writers;
    case "urgent":
      return io.urgents;
  }
}

/** Makes the call where it is worth it, and keeps in mind where it would have blocked. */
export function attempt<T>(
  io: ScheduledIo,
  interest: "read" | "write",
  call: () => T | typeof WouldBlock,
): T | typeof WouldBlock {
  if (!isReady(io, interest)) return WouldBlock;
  const value = call();
  if (value === WouldBlock) {
    if (interest === "read") io.clearReadable();
    else io.clearWritable();
  }
  return value;
}

/** A place among those who wait for one direction. */
class Place implements IoWaiter {
  previous: IoWaiter | null = null;
  next: IoWaiter | null = null;
  waker: Waker;
  #queue: Queue<IoWaiter> | null;

  constructor(queue: Queue<IoWaiter>, waker: Waker) {
    this.waker = waker;
    this.#queue = queue;
    queue.push(this);
  }

  /** Whether it was told. */
  get isTold(): boolean {
    return this.#queue === null;
  }

  ready(): void {
    this.#queue = null;
  }

  leave(): void {
    this.#queue?.remove(this);
    this.#queue = null;
  }
}

/** Waits until a call is worth it. Once it was told it is over, though another task may have read in between. */
export class Ready extends Future<void> {
  #io: ScheduledIo | null;
  #interest: Interest;
  #place: Place | null = null;

  constructor(io: ScheduledIo, interest: Interest) {
    super();
    this.#io = io;
    this.#interest = interest;
  }

  override describe(): string {
    return this.#io === null ? "a descriptor" : this.#io.describe(this.#interest);
  }

  override poll(context: Context): void | Pending {
    const io = this.#io;
    if (io === null) throw consumed("a descriptor's readiness");
    if (!proceed(context)) return Pending;
    const place = this.#place;
    if (place !== null && !place.isTold) {
      place.waker = context.waker;
      return Pending;
    }
    const isReadyNow = this.#isReady(io);
    if (!isReadyNow && place === null) {
      this.#place = new Place(queueOf(io, this.#interest), context.waker);
      return Pending;
    }
    this.#io = null;
    coop.left--;
  }

  #isReady(io: ScheduledIo): boolean {
    try {
      return isReady(io, this.#interest);
    } catch (error) {
      this.#io = null;
      throw error;
    }
  }

  override drop(): void {
    this.#io = null;
    this.#place?.leave();
  }
}

/** A call of somebody else's. */
interface Calling {
  readonly name: string;
  readonly interest: "read" | "write";
  attempt<T>(io: ScheduledIo, call: () => T | typeof WouldBlock): T | typeof WouldBlock;
}

function callingTo(interest: "read" | "write"): Calling {
  return { name: "a descriptor's call", interest, attempt: (io, call) => attempt(io, interest, call) };
}

const READING = callingTo("read");
const WRITING = callingTo("write");

/** Makes a call until it would not block. */
export function called<T>(
  io: ScheduledIo,
  interest: "read" | "write",
  call: () => T | typeof WouldBlock,
): Future<T> {
  const kind: CallKind<ScheduledIo, () => T | typeof WouldBlock, undefined, T> = interest === "read"
    ? READING
    : WRITING;
  return new IoCall(kind, io, io, call, undefined);
}

/** Throws where it is no function. */
export function requireCall(verb: string, call: unknown): void {
  if (typeof call !== "function") throw new TypeError(`cannot ${verb} a descriptor: call is no function`);
}
