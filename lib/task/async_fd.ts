import type { Fd, WouldBlock } from "../io/fd.ts";
import { currentRuntime } from "./runtime/current.ts";
import type { Future } from "./future.ts";
import { attempt, called, Ready, requireCall } from "./reactor/readiness.ts";
import type { Reactor } from "./reactor/reactor.ts";
import type { ScheduledIo } from "./reactor/scheduled_io.ts";

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
    return called(this.#io, "read", call);
  }

  /** As `read`, for a call that writes. */
  write<T>(call: () => T | typeof WouldBlock): Future<T> {
    requireCall("write", call);
    return called(this.#io, "write", call);
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
