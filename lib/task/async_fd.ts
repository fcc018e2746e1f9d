import type { Fd } from "../io/fd.ts";
import { currentRuntime } from "./current.ts";
import { consumed, type Context, Future, Pending } from "./future.ts";
import type { Reactor } from "./reactor/reactor.ts";
import type { ScheduledIo } from "./reactor/scheduled_io.ts";

/**
 * Any descriptor that epoll(7) can watch, to be waited for: tokio's `AsyncFd`. The descriptor must be non-blocking and
 * stays its owner's; it is watched by edges, so a call is made until it would block, which is then told by
 * `clearReadable` or `clearWritable`. One task waits for each direction at a time.
 *
 * @example
 * ```ts
 * import { AsyncFd, run, sleep, spawn } from "@oxbow/oxbow/task";
 * import { EventFd, WouldBlock } from "@oxbow/oxbow/io";
 *
 * await run(async () => {
 *   using counter = new EventFd();
 *   using watched = new AsyncFd(counter.fd);
 *   spawn(async () => {
 *     await sleep(1);
 *     counter.write(5);
 *   });
 *   let count = counter.read();
 *   while (count === WouldBlock) {
 *     watched.clearReadable();
 *     await watched.readable();
 *     count = counter.read();
 *   }
 *   console.log(count); // 5
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
    return new Readable(this.#io);
  }

  /** Waits until a write is worth its call. Safe to drop. */
  writable(): Future<void> {
    return new Writable(this.#io);
  }

  /** A read would have blocked: `readable` waits for the next edge. */
  clearReadable(): void {
    this.#io.clearReadable();
  }

  /** A write would have blocked: `writable` waits for the next edge. */
  clearWritable(): void {
    this.#io.clearWritable();
  }

  /** Watches the descriptor no more; who waits for it goes on. It is not closed. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#reactor.deregister(this.#io);
  }
}

class Readable extends Future<void> {
  #io: ScheduledIo | null;

  constructor(io: ScheduledIo) {
    super();
    this.#io = io;
  }

  override poll(context: Context): void | Pending {
    if (this.#io === null) throw consumed("readable()");
    if (!this.#io.isReadable) {
      this.#io.waitReadable(context.waker);
      return Pending;
    }
    this.#io = null;
  }

  override drop(): void {
    this.#io?.forgetReader();
    this.#io = null;
  }
}

class Writable extends Future<void> {
  #io: ScheduledIo | null;

  constructor(io: ScheduledIo) {
    super();
    this.#io = io;
  }

  override poll(context: Context): void | Pending {
    if (this.#io === null) throw consumed("writable()");
    if (!this.#io.isWritable) {
      this.#io.waitWritable(context.waker);
      return Pending;
    }
    this.#io = null;
  }

  override drop(): void {
    this.#io?.forgetWriter();
    this.#io = null;
  }
}
