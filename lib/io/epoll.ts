import { check, errno, libc, NULL, SystemError } from "../../ffi/mod.ts";
import { EpollEvents } from "../../ffi/layout/epoll_events.ts";
import { Timespec } from "../../ffi/layout/timespec.ts";
import { requireNames, shown } from "./arguments.ts";
import { Fd, numberOf } from "./fd.ts";
import { requireEvents } from "./require_events.ts";

export * from "./epoll_flags.ts";

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const LARGEST_TIMEOUT = 0x7fffffff;
/** The kernel's `EP_MAX_EVENTS` where `struct epoll_event` is the largest. */
const MOST_EVENTS = 0x7ffffff;

const EPERM = 1;
const ENOENT = 2;
const EINTR = 4;
const EBADF = 9;
const ENOMEM = 12;
const EEXIST = 17;
const EINVAL = 22;
const ENOSPC = 28;
const ENOSYS = 38;
const ELOOP = 40;

/** How an `Epoll` is made. */
export interface EpollOptions {
  /** How many events one wait can tell of: 1,024 where nothing is said. */
  maxEvents?: number;
}

/** Why the kernel has refused to watch descriptor `number`, and what to do. */
function hintFor(failure: number, operation: number, number: number): string | undefined {
  switch (failure) {
    case EPERM:
      return `descriptor ${number} is a regular file or a folder, which is always ready: read it without asking`;
    case ENOENT:
      return `descriptor ${number} is not watched here: call add`;
    case EBADF:
      return `descriptor ${number} was closed, and not by its Fd`;
    case EEXIST:
      return `descriptor ${number} is watched here already: call modify`;
    case EINVAL:
      return operation === EPOLL_CTL_MOD
        ? `descriptor ${number} was added with EPOLLEXCLUSIVE: delete it and add it again`
        : `descriptor ${number} is this instance itself, or another, which does not take EPOLLEXCLUSIVE`;
    case ENOSPC:
      return "this user watches as much as /proc/sys/fs/epoll/max_user_watches says";
    case ENOMEM:
      return "the kernel has no memory to watch one more";
    case ELOOP:
      return `descriptor ${number} is an epoll instance that watches this one, or five watch one another in a row`;
    default:
      return undefined;
  }
}

/** Whether the kernel has the call; asked once. */
let hasPwait2 = true;

/**
 * An epoll instance: epoll(7), thin and synchronous. A wait allocates nothing.
 *
 * @example
 * ```ts
 * import { Epoll, EPOLLET, EPOLLIN, EventFd } from "@oxbow/oxbow/io";
 *
 * using event = new EventFd({ initial: 1 });
 * using epoll = new Epoll({ maxEvents: 10 });
 * epoll.add(event.fd, EPOLLIN | EPOLLET, 42);
 * const count = epoll.wait(1000);
 * for (let i = 0; i < count; i++) {
 *   console.log(epoll.token(i), (epoll.events(i) & EPOLLIN) !== 0); // 42 true
 * }
 * ```
 */
export class Epoll implements Disposable {
  /** The instance's own descriptor: readable while there is an event, so that another instance can watch it. */
  readonly fd: Fd;
  #ready: EpollEvents;
  #change: EpollEvents = new EpollEvents(1);
  #timeout: Timespec = new Timespec();
  #count = 0;

  /** Throws a `SystemError`: `EMFILE` where there are as many descriptors as may be. */
  constructor(options: EpollOptions = {}) {
    const what = "cannot make an epoll instance";
    requireNames(what, "options are", options, ["maxEvents"]);
    const { maxEvents = 1024 } = options;
    if (!Number.isInteger(maxEvents) || maxEvents < 1 || maxEvents > MOST_EVENTS) {
      throw new RangeError(
        `${what}: maxEvents is ${shown(maxEvents)}, not an integer from 1 to ${MOST_EVENTS}`,
      );
    }
    this.#ready = new EpollEvents(maxEvents);
    this.fd = Fd.unsafeOwn(check(libc().epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  }

  /**
   * Watches `fd` for `events`; `token`, a safe integer from 0, comes back with them. The kernel remembers the open file
   * and not the `Fd`: one that is closed while a `dup` is open is told of still, and can be deleted no more. So delete
   * before you close what was duplicated. Throws a `SystemError` that says why the kernel has refused: `EEXIST`,
   * `EPERM` for a file, `ELOOP`, `ENOSPC`.
   */
  add(fd: Fd, events: number, token: number): void {
    requireEvents("cannot watch a descriptor", events, true);
    this.#control(EPOLL_CTL_ADD, fd, events, token);
  }

  /** Changes what is watched, and arms a oneshot again. Throws a `SystemError`: `ENOENT` where nothing was. */
  modify(fd: Fd, events: number, token: number): void {
    requireEvents("cannot modify what is watched", events, false);
    this.#control(EPOLL_CTL_MOD, fd, events, token);
  }

  /** Watches `fd` no more. Throws a `SystemError`: `ENOENT` where it was not watched. */
  delete(fd: Fd): void {
    this.#control(EPOLL_CTL_DEL, fd, 0, 0);
  }

  #control(operation: number, fd: Fd, events: number, token: number): void {
    if (!Number.isSafeInteger(token) || token < 0) {
      throw new RangeError(`cannot watch a descriptor: token is ${shown(token)}, not a safe integer from 0`);
    }
    if (!Fd.isFd(fd)) throw new TypeError("cannot watch a descriptor: fd is no Fd");
    const number = numberOf(fd);
    this.#change.set(0, events, token);
    if (libc().epoll_ctl(numberOf(this.fd), operation, number, this.#change.pointer) !== -1) return;
    const failure = errno();
    throw new SystemError(failure, "epoll_ctl", { hint: hintFor(failure, operation, number) });
  }

  /**
   * Blocks the thread until something is ready or `timeoutMs` have passed (for ever where nothing is said),
   * and returns how many events there are, in no order that can be relied on. It is never early: a fraction of a
   * millisecond is waited for to the nanosecond, and rounded up to a millisecond where the kernel is older than 5.11. A
   * signal that interrupts it ends the wait with 0. Throws a `RangeError` for a timeout below 0.
   */
  wait(timeoutMs: number = Infinity): number {
    this.#count = 0;
    if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
      throw new RangeError(`cannot wait: timeoutMs is ${shown(timeoutMs)}, not a count of milliseconds`);
    }
    const count = timeoutMs < LARGEST_TIMEOUT && !Number.isInteger(timeoutMs) && hasPwait2
      ? this.#waitPrecisely(timeoutMs)
      : this.#wait(timeoutMs === Infinity ? -1 : Math.min(Math.ceil(timeoutMs), LARGEST_TIMEOUT) | 0);
    if (count >= 0) return this.#count = count;
    const failure = errno();
    if (failure === EINTR) return 0;
    if (failure === ENOSYS) {
      hasPwait2 = false;
      return this.wait(timeoutMs);
    }
    throw new SystemError(failure, "epoll_wait");
  }

  #wait(timeout: number): number {
    return libc().epoll_wait(numberOf(this.fd), this.#ready.pointer, this.#ready.capacity, timeout);
  }

  #waitPrecisely(timeoutMs: number): number {
    const { epoll_pwait2 } = libc();
    if (epoll_pwait2 === undefined) {
      hasPwait2 = false;
      return this.#wait(Math.ceil(timeoutMs));
    }
    this.#timeout.milliseconds = timeoutMs;
    const { pointer, capacity } = this.#ready;
    return epoll_pwait2(numberOf(this.fd), pointer, capacity, this.#timeout.pointer, NULL);
  }

  /** The events of the `i`th of the last wait. Throws a `RangeError` where it told of fewer. */
  events(i: number): number {
    if ((i >>> 0) !== i || i >= this.#count) this.#refuse(i);
    return this.#ready.events(i);
  }

  /** The token of the `i`th of the last wait. Throws a `RangeError` where it told of fewer. */
  token(i: number): number {
    if ((i >>> 0) !== i || i >= this.#count) this.#refuse(i);
    return this.#ready.token(i);
  }

  #refuse(i: number): never {
    throw new RangeError(`cannot tell of event ${shown(i)}: the last wait told of ${this.#count}`);
  }

  get isClosed(): boolean {
    return this.fd.isClosed;
  }

  /** What was watched is watched no more. */
  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}
