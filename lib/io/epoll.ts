import { check, errno, libc, SystemError } from "../../ffi/mod.ts";
import { EpollEvents } from "../../ffi/layout/epoll_events.ts";
import { Fd, numberOf } from "./fd.ts";

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EINTR = 4;
const LARGEST_TIMEOUT = 0x7fffffff;

/** `events` of epoll_ctl(2), to be or-ed. */
export const EPOLLIN = 0x001;
/** Writable. */
export const EPOLLOUT = 0x004;
/** An error on the descriptor; always told. */
export const EPOLLERR = 0x008;
/** The peer hung up in both directions; always told. */
export const EPOLLHUP = 0x010;
/** The peer will send no more. */
export const EPOLLRDHUP = 0x2000;
/** Wakes one of the epoll instances that watch the descriptor. */
export const EPOLLEXCLUSIVE = 1 << 28;
/** Told once, then not again before `modify`. */
export const EPOLLONESHOT = 1 << 30;
/** Told at each edge, and not for as long as it lasts. */
export const EPOLLET = 1 << 31;

/** An epoll instance: epoll(7), thin and synchronous. A wait allocates nothing. */
export class Epoll implements Disposable {
  #fd: Fd;
  #ready: EpollEvents;
  #change: EpollEvents = new EpollEvents(1);

  /** `maxEvents` is how many one wait can tell of: 1,024 where nothing is said. */
  constructor(options: { maxEvents?: number } = {}) {
    const { maxEvents = 1024 } = options;
    if (!Number.isInteger(maxEvents) || maxEvents < 1) {
      throw new RangeError(`cannot make an epoll instance: maxEvents is ${maxEvents}, and it is at least 1`);
    }
    this.#ready = new EpollEvents(maxEvents);
    this.#fd = Fd.unsafeOwn(check(libc().epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  }

  /** Watches `fd`; `token`, a safe integer from 0, comes back with its events. */
  add(fd: Fd, events: number, token: number): void {
    this.#control(EPOLL_CTL_ADD, fd, events, token);
  }

  /** Changes what is watched, and arms a oneshot again. */
  modify(fd: Fd, events: number, token: number): void {
    this.#control(EPOLL_CTL_MOD, fd, events, token);
  }

  /** Watches `fd` no more. */
  delete(fd: Fd): void {
    this.#control(EPOLL_CTL_DEL, fd, 0, 0);
  }

  #control(operation: number, fd: Fd, events: number, token: number): void {
    if (!Number.isSafeInteger(token) || token < 0) {
      throw new RangeError(`cannot watch a descriptor: token is ${token}, not a safe integer from 0`);
    }
    if (!Fd.isFd(fd)) throw new TypeError("cannot watch a descriptor: fd is no Fd");
    this.#change.set(0, events, token);
    check(libc().epoll_ctl(this.#fd.number, operation, numberOf(fd), this.#change.pointer), "epoll_ctl");
  }

  /**
   * Blocks the thread until something is ready or `timeoutMs` have passed (for ever where nothing is said),
   * and returns how many events there are. A fraction of a millisecond is rounded up, so that a timer is
   * never early. A signal that interrupts it ends the wait with 0. Throws a `RangeError` for a timeout
   * below 0.
   */
  wait(timeoutMs: number = Infinity): number {
    if (!(timeoutMs >= 0)) {
      throw new RangeError(`cannot wait: timeoutMs is ${timeoutMs}, not a count of milliseconds`);
    }
    const timeout = timeoutMs === Infinity ? -1 : Math.min(Math.ceil(timeoutMs), LARGEST_TIMEOUT) | 0;
    const count = libc().epoll_wait(this.#fd.number, this.#ready.pointer, this.#ready.capacity, timeout);
    if (count >= 0) return count;
    const failure = errno();
    if (failure === EINTR) return 0;
    throw new SystemError(failure, "epoll_wait");
  }

  /** The events of the `i`th of the last wait. */
  events(i: number): number {
    return this.#ready.events(i);
  }

  /** The token of the `i`th of the last wait. */
  token(i: number): number {
    return this.#ready.token(i);
  }

  get isClosed(): boolean {
    return this.#fd.isClosed;
  }

  [Symbol.dispose](): void {
    this.#fd.close();
  }
}
