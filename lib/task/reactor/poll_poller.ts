import { errno, libc, SystemError, word } from "../../../ffi/mod.ts";
import { PollFds } from "../../../ffi/layout/poll_fds.ts";
import { EPOLLERR, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } from "../../io/epoll.ts";
import { type Fd, numberOf } from "../../io/fd.ts";
import type { Poller } from "./poller.ts";

const POLLNVAL = 0x20;
const ALL = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP;
const EINTR = 4;
const EEXIST = 17;
const LARGEST_TIMEOUT = 0x7fffffff;

/**
 * poll(2), which knows levels alone and is given all descriptors at each call: a twin for systems without epoll, and
 * for tests. An entry is asked about only those directions that have not been told of since they were last rearmed,
 * so that levels become edges.
 */
export class PollPoller implements Poller {
  readonly descriptor = null;
  readonly needsRearming = true;
  #entries: PollFds = new PollFds();
  #fds: Fd[] = [];
  #tokens: number[] = [];
  /** What is asked of each entry. */
  #wanted: number[] = [];
  #places: Map<number, number> = new Map();
  /** Which entries the last wait has found something of, and what. */
  #readyTokens: number[] = [];
  #readyEvents: number[] = [];
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  add(fd: Fd, token: number): void {
    const number = numberOf(fd);
    if (this.#fds.some((other) => !other.isClosed && numberOf(other) === number)) {
      throw new SystemError(EEXIST, "poll");
    }
    this.#places.set(token, this.#fds.length);
    this.#fds.push(fd);
    this.#tokens.push(token);
    this.#wanted.push(0);
    this.#want(this.#fds.length - 1, ALL);
  }

  rearm(_fd: Fd, token: number, events: number): void {
    const place = this.#places.get(token);
    if (place !== undefined) this.#want(place, this.#wanted[place] | events);
  }

  /** Of what was told of once is told no more anyway. */
  hush(): void {}

  #want(place: number, events: number): void {
    const fd = this.#fds[place];
    this.#wanted[place] = events;
    this.#entries.set(place, events === 0 || fd.isClosed ? -1 : numberOf(fd), events);
  }

  delete(_fd: Fd, token: number): void {
    const place = this.#places.get(token);
    if (place === undefined) return;
    this.#places.delete(token);
    const last = this.#fds.length - 1;
    if (place !== last) {
      this.#fds[place] = this.#fds[last];
      this.#tokens[place] = this.#tokens[last];
      this.#wanted[place] = this.#wanted[last];
      this.#entries.move(last, place);
      this.#places.set(this.#tokens[place], place);
    }
    this.#fds.pop();
    this.#tokens.pop();
    this.#wanted.pop();
  }

  wait(timeoutMs: number): number {
    const timeout = timeoutMs === Infinity ? -1 : Math.min(Math.ceil(timeoutMs), LARGEST_TIMEOUT) | 0;
    const entries = this.#entries;
    this.#readyTokens.length = 0;
    this.#readyEvents.length = 0;
    // Closed by its owner without having been deregistered: its number may be another file's by now.
    for (let i = 0; i < this.#fds.length; i++) if (this.#fds[i].isClosed) entries.set(i, -1, 0);
    const count = libc().poll(entries.pointer, word(this.#fds.length), timeout);
    if (count < 0) {
      const failure = errno();
      if (failure === EINTR) return 0;
      throw new SystemError(failure, "poll");
    }
    for (let i = 0, left = count; left > 0; i++) {
      if (entries.fd(i) < 0 || entries.found(i) === 0) continue;
      left--;
      const found = entries.found(i);
      this.#readyTokens.push(this.#tokens[i]);
      this.#readyEvents.push(found & POLLNVAL ? EPOLLERR : found);
      // An error or a hang-up is told of whatever is asked, and so only once.
      const isLast = (found & ~ALL) !== 0;
      this.#want(i, isLast ? 0 : this.#wanted[i] & ~found);
    }
    return count;
  }

  token(i: number): number {
    return this.#readyTokens[i];
  }

  events(i: number): number {
    return this.#readyEvents[i];
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#fds.length = 0;
    this.#places.clear();
  }
}
