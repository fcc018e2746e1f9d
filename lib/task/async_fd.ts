import { type Fd, WouldBlock } from "../io/fd.ts";
import { coop, proceed } from "./runtime/coop.ts";
import { currentRuntime } from "./runtime/current.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import type { Reactor } from "./reactor/reactor.ts";
import type { IoWaiter, ScheduledIo } from "./reactor/scheduled_io.ts";
import type { Queue } from "./sync/queue.ts";

/** What is waited for. */
type Interest = "read" | "write" | "urgent";

/**
 * Any descriptor that epoll(7) can watch, to be waited for: tokio's `AsyncFd`. The descriptor must be non-blocking and
 * stays its owner's. It is watched by edges: a direction is ready until a call that would have blocked has taken that
 * back, which `read`, `write`, `tryRead` and `tryWrite` see to. Any number of tasks may wait at once; an edge wakes
 * them all.
 *
 * @example
 * ```ts
 * import { AsyncFd, run, sleep, spawn } from "@oxbow/oxbow/task";
 * import { EventFd } from "@oxbow/oxbow/io";
 *
 * await run(async () => {
 *   using counter = new EventFd();
 *   using watched = new AsyncFd(counter.fd);
 *   spawn(async () => {
 *     await sleep(1);
 *     counter.write(5);
 *   });
 *   console.log(await watched.read(() => counter.read())); // 5
 * });
 * ```
 */
export class AsyncFd implements Disposable {
  readonly fd: Fd;
  #reactor: Reactor;
  #io: ScheduledIo;
  #isDisposed = false;

  /** Watches the descriptor from now on. Throws a `SystemError`: `EPERM` for a regular file, `EEXIST` for one that is watched already. */
  constructor(fd: Fd) {
    this.fd = fd;
    this.#reactor = currentRuntime().reactor;
    this.#io = this.#reactor.register(fd);
  }

  /** Waits until a read is worth its call: at once, where none has been told to be in vain. Safe to drop. */
  readable(): Future<void> {
    return new Ready(this.#io, "read");
  }

  /** Waits until a write is worth its call. Safe to drop. */
  writable(): Future<void> {
    return new Ready(this.#io, "write");
  }

  /** Waits for what `EPOLLPRI` tells: TCP's urgent byte, a change of a GPIO's or a cgroup's file. Safe to drop. */
  urgent(): Future<void> {
    return new Ready(this.#io, "urgent");
  }

  /**
   * Makes a call that reads until it would not block, waiting in between, and gives what it has given. The call says
   * by `WouldBlock` that there was nothing. Safe to drop: nothing is read then.
   */
  read<T>(call: () => T | typeof WouldBlock): Future<T> {
    requireCall("read", call);
    return new Called(this.#io, "read", call);
  }

  /** As `read`, for a call that writes. */
  write<T>(call: () => T | typeof WouldBlock): Future<T> {
    requireCall("write", call);
    return new Called(this.#io, "write", call);
  }

  /** Makes the call where a read is worth it, and keeps in mind where it would have blocked. Never waits. */
  tryRead<T>(call: () => T | typeof WouldBlock): T | typeof WouldBlock {
    requireCall("read", call);
    return attempt(this.#io, "read", call);
  }

  /** As `tryRead`, for a call that writes. */
  tryWrite<T>(call: () => T | typeof WouldBlock): T | typeof WouldBlock {
    requireCall("write", call);
    return attempt(this.#io, "write", call);
  }

  /**
   * A read would have blocked: `readable` waits for the next edge. To be called in the same turn as the read: an edge
   * that came after it would be forgotten.
   */
  clearReadable(): void {
    this.#io.clearReadable();
  }

  /** A write would have blocked: `writable` waits for the next edge. To be called in the same turn as the write. */
  clearWritable(): void {
    this.#io.clearWritable();
  }

  /** It was seen to: `urgent` waits for the next. */
  clearUrgent(): void {
    this.#io.clearUrgent();
  }

  /** Watches the descriptor no more; who waits for it is told by an error. It is not closed. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#reactor.deregister(this.#io);
  }
}

function requireCall(verb: string, call: unknown): void {
  if (typeof call !== "function") throw new TypeError(`cannot ${verb} a descriptor: call is no function`);
}

function isReady(io: ScheduledIo, interest: Interest): boolean {
  if (io.isDeaf) {
    throw new Error(
      "cannot wait for a descriptor: it is watched no more, for its AsyncFd was disposed or its runtime has ended",
    );
  }
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

function attempt<T>(
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

/** Once it was told it is over, though another task may have read in between. */
class Ready extends Future<void> {
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

class Called<T> extends Future<T> {
  #io: ScheduledIo | null;
  #interest: "read" | "write";
  #call: () => T | typeof WouldBlock;
  #place: Place | null = null;

  constructor(io: ScheduledIo, interest: "read" | "write", call: () => T | typeof WouldBlock) {
    super();
    this.#io = io;
    this.#interest = interest;
    this.#call = call;
  }

  override describe(): string {
    return this.#io === null ? "a descriptor" : this.#io.describe(this.#interest);
  }

  override poll(context: Context): T | Pending {
    const io = this.#io;
    if (io === null) throw consumed("a descriptor's call");
    if (!proceed(context)) return Pending;
    const value = this.#attempt(io);
    if (value !== WouldBlock) {
      coop.left--;
      this.drop();
      return value;
    }
    const place = this.#place;
    if (place !== null && !place.isTold) place.waker = context.waker;
    else this.#place = new Place(queueOf(io, this.#interest), context.waker);
    return Pending;
  }

  #attempt(io: ScheduledIo): T | typeof WouldBlock {
    try {
      return attempt(io, this.#interest, this.#call);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  override drop(): void {
    this.#io = null;
    this.#place?.leave();
  }
}
