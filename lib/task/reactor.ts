import { Epoll, EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from "../io/epoll.ts";
import type { Fd } from "../io/fd.ts";
import { Slab } from "../slab.ts";
import type { Waker } from "./future.ts";

const READABLE = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
const WRITABLE = EPOLLOUT | EPOLLHUP | EPOLLERR;
const HUNG_UP = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
const KEYS = 2 ** 32;
const GENERATIONS = 2 ** 21;

/**
 * What the reactor knows of one descriptor: what it was last told to be ready for, and who waits for
 * what. Edge-triggered, so readiness stands until a call that would have blocked takes it back.
 */
export class ScheduledIo {
  readonly fd: Fd;
  readonly token: number;
  /** Ready until shown otherwise: the first call is made without asking. */
  #readable = true;
  #writable = true;
  #hungUp = false;
  /** No edge will come any more. */
  #deaf = false;
  #reader: Waker | null = null;
  #writer: Waker | null = null;

  constructor(fd: Fd, token: number) {
    this.fd = fd;
    this.token = token;
  }

  /** Whether a read is worth its call. */
  get isReadable(): boolean {
    return this.#readable;
  }

  get isWritable(): boolean {
    return this.#writable;
  }

  /** A read would have blocked: the next edge makes it readable again. */
  clearReadable(): void {
    this.#readable = false;
  }

  clearWritable(): void {
    this.#writable = false;
  }

  /**
   * A read gave less than it had room for: all there was, so that asking again would only be told to wait.
   * Not after a hang-up, which is no edge of its own.
   */
  drained(): void {
    if (!this.#hungUp) this.#readable = false;
  }

  /** Parks the reader: woken when the descriptor is readable. Throws where another is parked already. */
  waitReadable(waker: Waker): void {
    this.#reader = this.#parked(this.#reader, waker, "read");
  }

  /** Parks the writer: woken when the descriptor is writable. Throws where another is parked already. */
  waitWritable(waker: Waker): void {
    this.#writer = this.#parked(this.#writer, waker, "write");
  }

  #parked(before: Waker | null, waker: Waker, verb: string): Waker {
    if (this.#deaf) {
      throw new Error(`cannot wait to ${verb}: the runtime that watched the descriptor has ended`);
    }
    if (before !== null && before !== waker) {
      throw new Error(`cannot wait to ${verb}: another task waits to ${verb} from the same descriptor`);
    }
    return waker;
  }

  forgetReader(): void {
    this.#reader = null;
  }

  forgetWriter(): void {
    this.#writer = null;
  }

  /** The reactor's own: the descriptor is watched no more. Who waits goes on, and learns why. */
  end(): void {
    this.#deaf = true;
    this.ready(READABLE | WRITABLE);
  }

  /** The reactor's own: an edge. Unparks who waits for it. */
  ready(events: number): void {
    if (events & HUNG_UP) this.#hungUp = true;
    if (events & READABLE) {
      this.#readable = true;
      const reader = this.#reader;
      this.#reader = null;
      reader?.wake();
    }
    if (events & WRITABLE) {
      this.#writable = true;
      const writer = this.#writer;
      this.#writer = null;
      writer?.wake();
    }
  }
}

/**
 * Who waits for which descriptor: a `Slab<ScheduledIo>` under the tokens that epoll gives back. A token
 * carries a generation beside its key, so an event that was on its way when its descriptor was
 * deregistered never wakes the key's next owner.
 */
export class Reactor implements Disposable {
  #epoll: Epoll = new Epoll();
  #dispatch: Slab<ScheduledIo> = new Slab();
  #generation = 0;

  /** The epoll instance's own, readable when an edge is there. */
  get descriptor(): number {
    return this.#epoll.fd.number;
  }

  /** How many descriptors are watched. */
  get registrations(): number {
    return this.#dispatch.size;
  }

  /** Watches both directions of the descriptor, by edges. */
  register(fd: Fd): ScheduledIo {
    const entry = this.#dispatch.vacantEntry();
    this.#generation = (this.#generation + 1) % GENERATIONS;
    const io = new ScheduledIo(fd, this.#generation * KEYS + entry.key);
    this.#epoll.add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, io.token);
    entry.insert(io);
    return io;
  }

  /** Watches the descriptor no more. To be called before it is closed; a task that waits for it goes on. */
  deregister(io: ScheduledIo): void {
    if (!this.#epoll.isClosed && !io.fd.isClosed) this.#epoll.delete(io.fd);
    this.#dispatch.remove(io.token % KEYS);
    io.end();
  }

  /** Blocks up to `timeoutMs` and unparks whoever waited for what became ready. Returns how many edges. */
  turn(timeoutMs: number): number {
    const count = this.#epoll.wait(timeoutMs);
    for (let i = 0; i < count; i++) {
      const token = this.#epoll.token(i);
      const io = this.#dispatch.get(token % KEYS);
      if (io !== undefined && io.token === token) io.ready(this.#epoll.events(i));
    }
    return count;
  }

  [Symbol.dispose](): void {
    for (const [, io] of this.#dispatch) io.end();
    this.#epoll[Symbol.dispose]();
  }
}
