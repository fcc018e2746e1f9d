import type { Fd } from "../../io/fd.ts";
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
    const entry = this.#dispatch.vacantEntry();
    this.#generation = (this.#generation + 1) % GENERATIONS;
    const io = new ScheduledIo(fd, this.#generation * KEYS + entry.key, this.#poller);
    this.#poller.add(fd, io.token);
    entry.insert(io);
    return io;
  }

  /** Watches the descriptor no more. To be called before it is closed; a task that waits for it goes on. */
  deregister(io: ScheduledIo): void {
    if (!this.#poller.isClosed) this.#poller.delete(io.fd, io.token);
    this.#dispatch.remove(io.token % KEYS);
    io.end();
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

  [Symbol.dispose](): void {
    for (const [, io] of this.#dispatch) io.end();
    this.#poller[Symbol.dispose]();
  }
}
