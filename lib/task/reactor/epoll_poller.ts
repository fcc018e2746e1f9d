import { Epoll, EPOLLET, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } from "../../io/epoll.ts";
import type { Fd } from "../../io/fd.ts";
import type { Poller } from "./poller.ts";

const READS = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;

/** epoll(7), by edges. */
export class EpollPoller implements Poller {
  readonly needsRearming = false;
  #epoll: Epoll = new Epoll();

  get descriptor(): number {
    return this.#epoll.fd.number;
  }

  get isClosed(): boolean {
    return this.#epoll.isClosed;
  }

  add(fd: Fd, token: number): void {
    this.#epoll.add(fd, READS | EPOLLOUT, token);
  }

  rearm(fd: Fd, token: number): void {
    this.#epoll.modify(fd, READS | EPOLLOUT, token);
  }

  hush(fd: Fd, token: number): void {
    this.#epoll.modify(fd, READS, token);
  }

  delete(fd: Fd): void {
    // Closed already, the kernel has forgotten it.
    if (!fd.isClosed) this.#epoll.delete(fd);
  }

  wait(timeoutMs: number): number {
    return this.#epoll.wait(timeoutMs);
  }

  token(i: number): number {
    return this.#epoll.token(i);
  }

  events(i: number): number {
    return this.#epoll.events(i);
  }

  [Symbol.dispose](): void {
    this.#epoll[Symbol.dispose]();
  }
}
