import process from "node:process";
import { descriptors } from "../../../../ffi/descriptors.ts";
import { isWorker } from "../../../../ffi/is_worker.ts";
import { Epoll, EPOLLIN } from "../../../io/epoll.ts";
import { EventFd } from "../../../io/event_fd.ts";
import { Fd, WouldBlock } from "../../../io/fd.ts";
import { TimerFd } from "../../../io/timer_fd.ts";
import { isAlive, type Thread } from "../../../mem/thread.ts";
import { currentRuntime } from "../../runtime/current.ts";
import type { Reactor } from "../../reactor/reactor.ts";
import type { ScheduledIo } from "../../reactor/scheduled_io.ts";
import { report } from "../../runtime/report.ts";

const SYS_PIDFD_OPEN = 434;
/** Linux 6.9: of a thread, and readable once that has ended. */
const PIDFD_THREAD = 0o200;
/** How often threads are looked after by an older kernel. */
const LOOK_MS = 100;
const MOST_EVENTS = 64;
const EVENT = 0;
const TIMER = 1;
const FIRST_PEER = 2;

/** A channel, as one who waits for other threads sees it. */
export interface Listener {
  /** Something may have changed, of which another thread has told. */
  rung(): void;
  /** A thread has ended that may have had ends. */
  peerEnded(): void;
  /** This thread ends. */
  threadEnds(): void;
}

interface Peer {
  readonly thread: Thread;
  readonly key: number;
  /** None where the kernel cannot watch threads. */
  readonly fd: Fd | null;
  readonly listeners: Set<Listener>;
}

interface Hold {
  readonly reactor: Reactor;
  readonly io: ScheduledIo;
  count: number;
}

/**
 * What a thread is woken by: an eventfd that others write into, and descriptors of the threads that it waits for, in an
 * epoll instance that a runtime watches while somebody waits. It is there as long as the thread.
 */
class Bell {
  readonly #epoll = new Epoll({ maxEvents: MOST_EVENTS });
  readonly #event = new EventFd();
  readonly number: number = this.#event.fd.number;
  /** The reactors in which each waits. */
  readonly #waiting: Map<Listener, Hold[]> = new Map();
  readonly #holds: Hold[] = [];
  #isSweeping = false;
  readonly #peers: Map<number, Peer> = new Map();
  readonly #keys: Map<string, Peer> = new Map();
  #nextKey = FIRST_PEER;
  #timer: TimerFd | null = null;
  /** Those that have joined a channel. */
  readonly members: Set<Listener> = new Set();

  constructor() {
    this.#epoll.add(this.#event.fd, EPOLLIN, EVENT);
    if (isWorker) process.once("exit", () => this.#end());
  }

  /** Has the current runtime wake the listener, whom others ring for. */
  hold(listener: Listener): void {
    const { reactor } = currentRuntime();
    let own = this.#waiting.get(listener);
    if (own === undefined) this.#waiting.set(listener, own = []);
    if (own.some((hold) => hold.reactor === reactor)) return;
    let hold = this.#holds.find((hold) => hold.reactor === reactor);
    if (hold === undefined) {
      hold = { reactor, io: reactor.register(this.#epoll.fd), count: 0 };
      this.#holds.push(hold);
      this.#listen(hold);
    }
    hold.count++;
    own.push(hold);
  }

  /** The listener waits no more. The runtime watches on for a turn of the host's loop: most wait again at once. */
  release(listener: Listener): void {
    const own = this.#waiting.get(listener);
    if (own === undefined) return;
    this.#waiting.delete(listener);
    for (const hold of own) hold.count--;
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    setImmediate(() => this.#sweep());
  }

  #sweep(): void {
    this.#isSweeping = false;
    for (const hold of this.#holds.filter(({ count }) => count === 0)) {
      this.#holds.splice(this.#holds.indexOf(hold), 1);
      hold.reactor.deregister(hold.io);
    }
  }

  #listen(hold: Hold): void {
    hold.io.clearReadable();
    hold.io.waitReadable({ wake: () => this.#ready(hold) });
  }

  #ready(hold: Hold): void {
    if (hold.io.isDeaf) {
      // The runtime has ended; those who waited in it were dropped.
      const at = this.#holds.indexOf(hold);
      if (at !== -1) this.#holds.splice(at, 1);
      return;
    }
    this.#listen(hold);
    this.#look();
  }

  #look(): void {
    let isRung = false;
    const ended: Peer[] = [];
    let count: number;
    do {
      count = this.#epoll.wait(0);
      for (let i = 0; i < count; i++) {
        const token = this.#epoll.token(i);
        if (token === EVENT) isRung = this.#event.read() !== WouldBlock || isRung;
        else if (token === TIMER) ended.push(...this.#lookAfter());
        else {
          const peer = this.#peers.get(token);
          if (peer !== undefined) ended.push(peer);
        }
      }
      for (const peer of ended) this.#forget(peer);
    } while (count === MOST_EVENTS);
    for (const peer of ended) {
      for (const listener of peer.listeners) safely(() => listener.peerEnded());
    }
    if (!isRung) return;
    for (const listener of [...this.#waiting.keys()]) safely(() => listener.rung());
  }

  /** Has the listener told when the thread has ended, until it leaves. */
  watch(listener: Listener, thread: Thread): void {
    const name = `${thread.id} ${thread.start}`;
    let peer = this.#keys.get(name);
    if (peer === undefined) {
      const fd = openThread(thread);
      peer = { thread, key: this.#nextKey++, fd, listeners: new Set() };
      this.#keys.set(name, peer);
      this.#peers.set(peer.key, peer);
      if (fd !== null) this.#epoll.add(fd, EPOLLIN, peer.key);
      else this.#setTimer();
    }
    peer.listeners.add(listener);
  }

  #setTimer(): void {
    if (this.#timer !== null) return;
    this.#timer = new TimerFd();
    this.#timer.set({ after: 0, interval: LOOK_MS });
    this.#epoll.add(this.#timer.fd, EPOLLIN, TIMER);
  }

  #lookAfter(): Peer[] {
    this.#timer?.read();
    const unwatched = [...this.#peers.values()].filter(({ fd }) => fd === null);
    const ended = unwatched.filter(({ thread }) => !isAlive(thread));
    if (ended.length === unwatched.length) {
      if (this.#timer !== null) this.#epoll.delete(this.#timer.fd);
      this.#timer?.close();
      this.#timer = null;
    }
    return ended;
  }

  #forget(peer: Peer): void {
    this.#peers.delete(peer.key);
    this.#keys.delete(`${peer.thread.id} ${peer.thread.start}`);
    if (peer.fd === null || peer.fd.isClosed) return;
    this.#epoll.delete(peer.fd);
    peer.fd.close();
  }

  /** The listener has left its channel. */
  leave(listener: Listener): void {
    this.release(listener);
    this.members.delete(listener);
    for (const peer of this.#peers.values()) {
      if (peer.listeners.delete(listener) && peer.listeners.size === 0) this.#forget(peer);
    }
  }

  #end(): void {
    for (const member of [...this.members]) safely(() => member.threadEnds());
    // Others would ring for one that could not leave by a number that is somebody else's then.
    if (this.members.size > 0) return;
    for (const peer of this.#peers.values()) peer.fd?.close();
    this.#timer?.close();
    this.#event.close();
    this.#epoll.close();
    bell = undefined;
  }
}

export type { Bell };

/** Its descriptor; none where it cannot be watched, or is gone by now. */
function openThread(thread: Thread): Fd | null {
  const number = Number(descriptors().pidfd_open(SYS_PIDFD_OPEN, thread.id, PIDFD_THREAD));
  if (number < 0) return null;
  const fd = Fd.unsafeOwn(number);
  if (isAlive(thread)) return fd;
  fd.close();
  return null;
}

function safely(act: () => void): void {
  try {
    act();
  } catch (error) {
    report(error);
  }
}

let bell: Bell | undefined;

/** This thread's. */
export function threadBell(): Bell {
  return bell ??= new Bell();
}
