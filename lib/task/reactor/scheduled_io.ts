import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } from "../../io/epoll.ts";
import type { Fd } from "../../io/fd.ts";
import type { Waker } from "../future.ts";
import { wakeSafely } from "../runtime/report.ts";
import { Queue } from "../sync/queue.ts";
import type { Poller } from "./poller.ts";

const READABLE = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
const WRITABLE = EPOLLOUT | EPOLLHUP | EPOLLERR;
const URGENT = EPOLLPRI | EPOLLERR;
/** So often it is told of room to write that nobody has asked for, before it is told no more. */
const UNASKED = 4;
const HUNG_UP = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

/** One of many who wait for the same direction of a descriptor. Its links are the queue's own. */
export interface IoWaiter {
  previous: IoWaiter | null;
  next: IoWaiter | null;
  /** Whom to wake. */
  readonly waker: Waker;
  /** It waits no more, and is in no queue: its direction is ready, or the descriptor watched no more. */
  ready(): void;
}

/**
 * What the reactor knows of one descriptor: what it was last told to be ready for, and who waits for
 * what. Edge-triggered, so readiness stands until a call that would have blocked takes it back.
 */
export class ScheduledIo {
  readonly fd: Fd;
  readonly token: number;
  readonly #poller: Poller;
  /** How often it was told of room to write that nobody had asked for, since somebody did; `UNASKED` where it is hushed. */
  #unasked = 0;
  /** Ready until shown otherwise: the first call is made without asking. */
  #readable = true;
  #writable = true;
  #hungUp = false;
  /** A read may end before what there is does. */
  #hasGaps = false;
  /** No edge will come any more. */
  #deaf = false;
  #reader: Waker | null = null;
  #writer: Waker | null = null;
  /** Those who share a direction, made where there is one and left to them when they are told. */
  #readers: Queue<IoWaiter> | null = null;
  #writers: Queue<IoWaiter> | null = null;
  /** Why no edge will come, where its owner has said so. */
  #why: string | null = null;
  #urgent = false;
  #urgents: Queue<IoWaiter> | null = null;

  constructor(fd: Fd, token: number, poller: Poller) {
    this.fd = fd;
    this.token = token;
    this.#poller = poller;
  }

  /** Who waits for what, for people. */
  describe(interest: string): string {
    return this.fd.isClosed ? "a closed descriptor" : `descriptor ${this.fd.number} to ${interest}`;
  }

  /** Whether a read is worth its call. */
  get isReadable(): boolean {
    return this.#readable;
  }

  get isWritable(): boolean {
    return this.#writable;
  }

  /** Whether the peer was told to have ended what it sends, or to have gone. */
  get isHungUp(): boolean {
    return this.#hungUp;
  }

  /** Whether there is something exceptional, such as TCP's urgent byte: never before it was told. */
  get isUrgent(): boolean {
    return this.#urgent;
  }

  /** Whether it is watched no more. */
  get isDeaf(): boolean {
    return this.#deaf;
  }

  /** Why it is watched no more, for people. */
  get whyDeaf(): string {
    return this.#why ?? "it is watched no more, for its AsyncFd was disposed or its runtime has ended";
  }

  /** Its owner's, before it is watched no more: what those who wait are told. */
  willEnd(why: string): void {
    this.#why = why;
  }

  /** Those who wait for it to be readable, beside the one that is parked. */
  get readers(): Queue<IoWaiter> {
    return this.#readers ??= new Queue();
  }

  get writers(): Queue<IoWaiter> {
    return this.#writers ??= new Queue();
  }

  get urgents(): Queue<IoWaiter> {
    return this.#urgents ??= new Queue();
  }

  /** A read would have blocked: the next edge makes it readable again. */
  clearReadable(): void {
    this.#readable = false;
    if (this.#poller.needsRearming) this.#poller.rearm(this.fd, this.token, EPOLLIN | EPOLLRDHUP);
  }

  clearWritable(): void {
    this.#writable = false;
    const isHushed = this.#unasked === UNASKED && !this.#deaf;
    this.#unasked = 0;
    if (isHushed || this.#poller.needsRearming) this.#poller.rearm(this.fd, this.token, EPOLLOUT);
  }

  /** Has it told of room to write again, at once where there is some. */
  #hear(): void {
    this.#unasked = 0;
    this.#poller.rearm(this.fd, this.token, EPOLLOUT);
  }

  clearUrgent(): void {
    this.#urgent = false;
    if (this.#poller.needsRearming) this.#poller.rearm(this.fd, this.token, EPOLLPRI);
  }

  /**
   * A read gave less than it had room for: all there was, so that asking again would only be told to wait.
   * Not after a hang-up, which is no edge of its own.
   */
  drained(): void {
    if (!this.#hungUp && !this.#hasGaps) this.clearReadable();
  }

  /**
   * Its owner's: short reads tell nothing, as those of a Unix socket, which end at bytes that carry descriptors and
   * between two senders.
   */
  expectGaps(): void {
    this.#hasGaps = true;
  }

  /** Parks the reader: woken when the descriptor is readable. Throws where another is parked already. */
  waitReadable(waker: Waker): void {
    this.#reader = this.#parked(this.#reader, waker, "read");
  }

  /** Parks the writer: woken when the descriptor is writable. Throws where another is parked already. */
  waitWritable(waker: Waker): void {
    this.#writer = this.#parked(this.#writer, waker, "write");
    if (this.#unasked === UNASKED) this.#hear();
  }

  /** Parks the reader in the place of whoever was parked. */
  takeReader(waker: Waker): void {
    this.#reader = this.#parked(null, waker, "read");
  }

  /** Parks the writer in the place of whoever was parked. */
  takeWriter(waker: Waker): void {
    this.#writer = this.#parked(null, waker, "write");
    if (this.#unasked === UNASKED) this.#hear();
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

  /** Wakes this reader no more: another one that is parked stays so. */
  forgetReader(waker: Waker | null): void {
    if (this.#reader === waker) this.#reader = null;
  }

  forgetWriter(waker: Waker | null): void {
    if (this.#writer === waker) this.#writer = null;
  }

  /** The reactor's own: the descriptor is watched no more. Who waits goes on, and learns why. */
  end(): void {
    this.#deaf = true;
    this.ready(READABLE | WRITABLE | URGENT);
  }

  /**
   * A socket of datagrams, or of this machine, has room anew whenever its peer has taken something: each time would wake
   * the thread for nothing, and once more for what the peer answers.
   */
  #tellUnasked(): void {
    if (this.#unasked === UNASKED || this.fd.isClosed || ++this.#unasked < UNASKED) return;
    this.#poller.hush(this.fd, this.token);
  }

  /** The reactor's own: an edge. Unparks who waits for it. */
  ready(events: number): void {
    if (events === EPOLLOUT && this.#writable) this.#tellUnasked();
    if (events & HUNG_UP) this.#hungUp = true;
    // A read ends where TCP's urgent byte was, and there may be more behind it.
    if (events & EPOLLPRI) this.#hasGaps = true;
    if (events & READABLE) {
      this.#readable = true;
      const reader = this.#reader;
      this.#reader = null;
      if (reader !== null) wakeSafely(reader);
      const readers = this.#readers;
      this.#readers = null;
      if (readers !== null) tellAll(readers);
    }
    if (events & WRITABLE) {
      this.#writable = true;
      const writer = this.#writer;
      this.#writer = null;
      if (writer !== null) wakeSafely(writer);
      const writers = this.#writers;
      this.#writers = null;
      if (writers !== null) tellAll(writers);
    }
    if (events & URGENT) {
      this.#urgent = true;
      const urgents = this.#urgents;
      this.#urgents = null;
      if (urgents !== null) tellAll(urgents);
    }
  }
}

/** Those who wait again at that are in another queue. */
function tellAll(queue: Queue<IoWaiter>): void {
  for (let waiter = queue.first; waiter !== null; waiter = queue.first) {
    queue.remove(waiter);
    const { waker } = waiter;
    waiter.ready();
    wakeSafely(waker);
  }
}
