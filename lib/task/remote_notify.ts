import { EventFd } from "../io/event_fd.ts";
import { Fd } from "../io/fd.ts";
import { currentRuntime } from "./current.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import type { Reactor } from "./reactor/reactor.ts";
import type { ScheduledIo } from "./reactor/scheduled_io.ts";

/** The words of a hub's cells: the eventfd's number, who uses it now and whether it is closed, whether it rings. */
const DESCRIPTOR = 0;
const USERS = 1;
const RINGS = 2;
const NONCE = 3;
const FIRST = 4;
const PLACES = 1024;
const CLOSED = 0x4000_0000;

/** What goes to another thread by `postMessage`. */
export interface RemoteNotifyHandle {
  readonly cells: SharedArrayBuffer;
  readonly place: number;
  readonly generation: number;
}

/** One eventfd and a table of who is rung for by it, for a thousand notifications of a reactor's. */
class Hub implements Disposable {
  readonly cells: SharedArrayBuffer = new SharedArrayBuffer(4 * (FIRST + PLACES));
  #words: Int32Array = new Int32Array(this.cells);
  #event: EventFd = new EventFd();
  #reactor: Reactor;
  #io: ScheduledIo;
  #places: (RemoteNotify | null)[] = [];
  #free: number[] = [];
  #used = 0;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
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

  take(notify: RemoteNotify): number {
    const place = this.#free.pop() ?? this.#places.length;
    this.#places[place] = notify;
    this.#used++;
    return place;
  }

  give(place: number): void {
    this.#places[place] = null;
    this.#free.push(place);
    this.#used--;
  }

  #listen(): void {
    this.#io.clearReadable();
    this.#io.waitReadable({ wake: () => this.#ring() });
  }

  #ring(): void {
    if (this.#event.fd.isClosed) return;
    this.#event.read();
    // From now on another thread rings again; what it has noted before is found below.
    Atomics.store(this.#words, RINGS, 0);
    for (let place = 0; place < this.#places.length; place++) {
      const generation = Atomics.exchange(this.#words, FIRST + place, 0);
      if (generation !== 0) this.#places[place]?.rung(generation);
    }
    this.#listen();
  }

  [Symbol.dispose](): void {
    this.#reactor.deregister(this.#io);
    // Who uses it now makes a descriptor of its own of it. One that died at that keeps it from being closed.
    if (Atomics.or(this.#words, USERS, CLOSED) === 0) this.#event.close();
  }
}

const hubs: WeakMap<Reactor, Hub[]> = new WeakMap();
let generations = 0;

/** Not 0, and hardly another thread's. */
function nextNonce(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] | 1;
}

/**
 * A notification that other threads may give: tokio's `Notify`, whose `notify` is called in a worker. It is kept until it
 * is taken, once, however often it was given; a storm of them is one write into an eventfd. A worker that dies with
 * the handle leaves nothing behind but a descriptor.
 *
 * @example
 * ```ts
 * import { RemoteNotifier, RemoteNotify, run } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   using notify = new RemoteNotify();
 *   const { handle } = notify; // for worker.postMessage(handle); there:
 *   RemoteNotifier.of(handle).notify();
 *   await notify.notified();
 *   console.log("notified");
 * });
 * ```
 */
export class RemoteNotify implements Disposable {
  #hubs: Hub[];
  #hub: Hub;
  #place: number;
  #generation: number;
  #isGiven = false;
  #isDisposed = false;
  #waker: Waker | null = null;

  constructor() {
    const { reactor } = currentRuntime();
    let own = hubs.get(reactor);
    if (own === undefined) hubs.set(reactor, own = []);
    let hub = own.find((hub) => !hub.isFull);
    if (hub === undefined) own.push(hub = new Hub(reactor));
    this.#hubs = own;
    this.#hub = hub;
    this.#place = hub.take(this);
    generations = generations % 0x7fff_ffff + 1;
    this.#generation = generations;
  }

  /** For `postMessage`; `RemoteNotifier.of` takes it there. */
  get handle(): RemoteNotifyHandle {
    return { cells: this.#hub.cells, place: this.#place, generation: this.#generation };
  }

  /** Waits for a notification, and takes it. Safe to drop. One task waits at a time. */
  notified(): Future<void> {
    return new Notified(this);
  }

  /** As the other thread's. */
  notify(): void {
    this.#isGiven = true;
    const waker = this.#waker;
    this.#waker = null;
    waker?.wake();
  }

  /** The hub's own: another thread has notified. */
  rung(generation: number): void {
    if (generation === this.#generation) this.notify();
  }

  /** `notified`'s own: whether there was one. */
  take(waker: Waker): boolean {
    if (this.#isDisposed) throw new Error("cannot wait for a RemoteNotify that was disposed");
    const isGiven = this.#isGiven;
    this.#isGiven = false;
    this.#waker = isGiven ? null : waker;
    return isGiven;
  }

  /** `notified`'s own: wakes nobody. */
  forget(): void {
    this.#waker = null;
  }

  /** Takes no notification any more; who waits for one fails. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#hub.give(this.#place);
    if (this.#hub.isEmpty) {
      this.#hubs.splice(this.#hubs.indexOf(this.#hub), 1);
      this.#hub[Symbol.dispose]();
    }
    const waker = this.#waker;
    this.#waker = null;
    waker?.wake();
  }
}

class Notified extends Future<void> {
  #notify: RemoteNotify | null;

  constructor(notify: RemoteNotify) {
    super();
    this.#notify = notify;
  }

  override poll(context: Context): void | Pending {
    if (this.#notify === null) throw consumed("notified()");
    if (!this.#notify.take(context.waker)) return Pending;
    this.#notify = null;
  }

  override drop(): void {
    this.#notify?.forget();
    this.#notify = null;
  }
}

/** This thread's descriptors of other threads' hubs, by their nonces. */
const bells: Map<number, EventFd> = new Map();

/** A `RemoteNotify` as another thread has it. */
export class RemoteNotifier {
  #words: Int32Array;
  #place: number;
  #generation: number;

  private constructor(words: Int32Array, place: number, generation: number) {
    this.#words = words;
    this.#place = place;
    this.#generation = generation;
  }

  /** Of what `RemoteNotify.handle` was. Throws a `TypeError` for what is none. */
  static of(handle: RemoteNotifyHandle): RemoteNotifier {
    const { cells, place, generation } = handle;
    const isOne = cells instanceof SharedArrayBuffer && cells.byteLength === 4 * (FIRST + PLACES) &&
      Number.isInteger(place) && place >= 0 && place < PLACES && Number.isInteger(generation) &&
      generation > 0;
    if (!isOne) throw new TypeError("cannot notify: handle is none of a RemoteNotify's");
    return new RemoteNotifier(new Int32Array(cells), place, generation);
  }

  /** Notifies. Gives `false` where nobody listens any more, because the runtime there has ended. Never waits. */
  notify(): boolean {
    const words = this.#words;
    if (Atomics.load(words, USERS) & CLOSED) return false;
    Atomics.store(words, FIRST + this.#place, this.#generation);
    if (Atomics.exchange(words, RINGS, 1) !== 0) return true;
    const bell = bellOf(words);
    bell?.write();
    return bell !== undefined;
  }
}

/** A descriptor of this thread's own, so that the runtime's end closes nothing under it. */
function bellOf(words: Int32Array): EventFd | undefined {
  const nonce = words[NONCE];
  const known = bells.get(nonce);
  if (known !== undefined) return known;
  const users = Atomics.add(words, USERS, 1);
  try {
    if (users & CLOSED) return undefined;
    const bell = new EventFd(Fd.unsafeOwn(words[DESCRIPTOR]).dup());
    bells.set(nonce, bell);
    return bell;
  } finally {
    Atomics.sub(words, USERS, 1);
  }
}
