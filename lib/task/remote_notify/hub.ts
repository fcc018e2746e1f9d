import { EventFd } from "../../io/event_fd.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { ScheduledIo } from "../reactor/scheduled_io.ts";
import type { RemoteNotify } from "../remote_notify.ts";
import { CLOSED, DESCRIPTOR, FIRST, GIVEN, LOOKS, NONCE, PLACES, RUNG, USERS } from "./cells.ts";

/** One eventfd and a table of who is rung for by it, for a thousand notifications of a reactor's. */
export class Hub implements Disposable {
  readonly cells: SharedArrayBuffer = new SharedArrayBuffer(4 * (FIRST + PLACES));
  #words: Int32Array = new Int32Array(this.cells);
  #event: EventFd = new EventFd();
  #reactor: Reactor;
  #io: ScheduledIo;
  #places: (RemoteNotify | null)[] = [];
  #free: number[] = [];
  #used = 0;
  #isClosed = false;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    this.#words[RUNG] = -1;
    this.#words[DESCRIPTOR] = this.#event.fd.number;
    this.#words[NONCE] = nextNonce();
    this.#io = reactor.register(this.#event.fd);
    this.#listen();
  }

  get isFull(): boolean {
    return this.#used === PLACES;
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  take(notify: RemoteNotify, generation: number): number {
    const place = this.#free.pop() ?? this.#places.length;
    this.#places[place] = notify;
    Atomics.store(this.#words, FIRST + place, generation << 1);
    this.#used++;
    return place;
  }

  give(place: number): void {
    this.#places[place] = null;
    Atomics.store(this.#words, FIRST + place, 0);
    this.#free.push(place);
    this.#used--;
  }

  #listen(): void {
    this.#io.clearReadable();
    this.#io.waitReadable({ wake: () => this.#rung() });
  }

  #rung(): void {
    if (this.#io.isDeaf) this.#close();
    if (this.#isClosed) return;
    this.#event.read();
    Atomics.add(this.#words, LOOKS, 1);
    // Before the notifications, one of which may dispose of the hub.
    this.#listen();
    for (let place = 0; place < this.#places.length; place++) {
      const at = FIRST + place;
      if ((Atomics.load(this.#words, at) & GIVEN) === 0) continue;
      Atomics.and(this.#words, at, ~GIVEN);
      this.#places[place]?.notify();
    }
  }

  [Symbol.dispose](): void {
    this.#reactor.deregister(this.#io);
    this.#close();
  }

  /** Nobody is woken from other threads any more, and those who wait learn of it. */
  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const notify of this.#places) notify?.[Symbol.dispose]();
    // Who uses it now makes a descriptor of its own of it. One that died at that keeps it from being closed.
    if (Atomics.or(this.#words, USERS, CLOSED) === 0) this.#event.close();
  }
}

/** Not 0, and hardly another thread's. */
function nextNonce(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] | 1;
}
