import { Fd } from "../../io/fd.ts";
import { Slab } from "../../slab.ts";
import { EpollPoller } from "./epoll_poller.ts";
import type { Poller } from "./poller.ts";
import { ScheduledIo } from "./scheduled_io.ts";

const KEYS = 2 ** 32;
const GENERATIONS = 2 ** 21;

/**
 * Who waits for which descriptor: a `Slab<ScheduledIo>` under the tokens that epoll gives back. A token
 * carries a generation beside its key, so an event that was on its way when its descriptor was
 * deregistered never wakes the key's next owner.
 */
export class Reactor implements Disposable {
  readonly #poller: Poller;
  #dispatch: Slab<ScheduledIo> = new Slab();
  #generation = 0;
  #hasEnded = false;
  /** The runtime's: a descriptor is watched no more, and may have been the last that kept the process alive. */
  onDeregister: (() => void) | null = null;

  constructor(poller: Poller = new EpollPoller()) {
    this.#poller = poller;
  }

  /** One that is readable when a watched descriptor is ready, or `null`. */
  get descriptor(): number | null {
    return this.#poller.descriptor;
  }

  /** How many descriptors are watched. */
  get registrations(): number {
    return this.#dispatch.size;
  }

  /** Watches both directions of the descriptor, by edges. */
  register(fd: Fd): ScheduledIo {
    if (this.#hasEnded) throw new Error("cannot watch a descriptor: the runtime has ended");
    if (!Fd.isFd(fd)) throw new TypeError("cannot watch a descriptor: fd is no Fd");
    const entry = this.#dispatch.vacantEntry();
    this.#generation = (this.#generation + 1) % GENERATIONS;
    const io = new ScheduledIo(fd, this.#generation * KEYS + entry.key, this.#poller);
    this.#poller.add(fd, io.token);
    entry.insert(io);
    return io;
  }

  /** Watches the descriptor no more. To be called before it is closed; a task that waits for it goes on. */
  deregister(io: ScheduledIo): void {
    if (this.#hasEnded) return;
    const key = io.token % KEYS;
    // Its key may be another's by now.
    if (this.#dispatch.get(key) !== io) {
      throw new Error("cannot forget a descriptor: it is watched no more");
    }
    this.#dispatch.remove(key);
    try {
      this.#poller.delete(io.fd, io.token);
    } finally {
      io.end();
    }
    this.onDeregister?.();
  }

  /** Blocks up to `timeoutMs` and unparks whoever waited for what became ready. Returns how many edges. */
  turn(timeoutMs: number): number {
    const count = this.#poller.wait(timeoutMs);
    for (let i = 0; i < count; i++) {
      const token = this.#poller.token(i);
      const io = this.#dispatch.get(token % KEYS);
      if (io !== undefined && io.token === token) io.ready(this.#poller.events(i));
    }
    return count;
  }

  /** Wakes everybody who waits: no edge will come. */
  [Symbol.dispose](): void {
    this.#hasEnded = true;
    const watched = [...this.#dispatch].map(([, io]) => io);
    this.#dispatch = new Slab();
    for (const io of watched) io.end();
    this.#poller[Symbol.dispose]();
  }
}
