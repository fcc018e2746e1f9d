import { EventFd } from "../io/event_fd.ts";
import { Fd } from "../io/fd.ts";
import { coop, proceed } from "./runtime/coop.ts";
import { currentRuntime } from "./runtime/current.ts";
import { wakeSafely } from "./runtime/report.ts";
import { Queue } from "./sync/queue.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import type { Reactor } from "./reactor/reactor.ts";
import type { ScheduledIo } from "./reactor/scheduled_io.ts";

/**
 * The words of a hub's cells: the eventfd's number; who uses it now, and whether it is closed; how often the hub has
 * looked at its places, and at which of these times it was last rung; its nonce; then the places. A place holds the
 * generation of who has it, and in the lowest bit whether it was notified, so that a stale handle changes nothing.
 *
 * A notifier notes the notification, reads the count of looks, rings where nobody has rung at that count, and notes the
 * count last. The hub takes the ring, counts, and looks. So a ring that is left out was another's that is still to be
 * answered; and a thread that dies in between has the next one ring once more, and holds nobody up.
 */
const DESCRIPTOR = 0;
const USERS = 1;
const LOOKS = 2;
const RUNG = 3;
const NONCE = 4;
const FIRST = 5;
const PLACES = 1024;
const CLOSED = 0x4000_0000;
const GIVEN = 1;
const GENERATIONS = 2 ** 30;

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

const hubs: WeakMap<Reactor, Hub[]> = new WeakMap();
/** Counted for the whole thread, so that no two of a hub's are alike. */
let generations = 0;

/** Not 0, and hardly another thread's. */
function nextNonce(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] | 1;
}

let wait: (notify: RemoteNotify, notified: Notified) => void;
let leave: (notify: RemoteNotify, notified: Notified) => void;

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
  #waiting: Queue<Notified> = new Queue();

  constructor() {
    const { reactor } = currentRuntime();
    let own = hubs.get(reactor);
    if (own === undefined) hubs.set(reactor, own = []);
    let hub = own.find((hub) => !hub.isFull);
    if (hub === undefined) own.push(hub = new Hub(reactor));
    this.#hubs = own;
    this.#hub = hub;
    generations = generations % (GENERATIONS - 1) + 1;
    this.#generation = generations;
    this.#place = hub.take(this, generations);
  }

  /** For `postMessage`; `RemoteNotifier.of` takes it there. */
  get handle(): RemoteNotifyHandle {
    return { cells: this.#hub.cells, place: this.#place, generation: this.#generation };
  }

  /** Waits for a notification, and takes it: of several who wait the first does. Safe to drop. */
  notified(): Future<void> {
    return new Notified(this);
  }

  /** As the other thread's. */
  notify(): void {
    this.#isGiven = true;
    this.#wakeOne();
  }

  #wakeOne(): void {
    const { first } = this.#waiting;
    if (first?.waker) wakeSafely(first.waker);
  }

  /** `notified`'s own: whether there was a notification, which is taken. */
  take(): boolean {
    if (this.#isDisposed) {
      throw new Error("cannot wait for a RemoteNotify: it was disposed, or its runtime has ended");
    }
    const isGiven = this.#isGiven;
    this.#isGiven = false;
    return isGiven;
  }

  /** A notification that the one who leaves was woken for is the next one's. */
  #leave(notified: Notified): void {
    const wasFirst = this.#waiting.first === notified;
    this.#waiting.remove(notified);
    if (wasFirst && this.#isGiven) this.#wakeOne();
  }

  static {
    wait = (notify, notified) => notify.#waiting.push(notified);
    leave = (notify, notified) => notify.#leave(notified);
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
    for (let waiting = this.#waiting.first; waiting !== null;) {
      const { next, waker } = waiting;
      if (waker !== null) wakeSafely(waker);
      waiting = next;
    }
  }
}

class Notified extends Future<void> {
  previous: Notified | null = null;
  next: Notified | null = null;
  waker: Waker | null = null;
  #notify: RemoteNotify | null;

  constructor(notify: RemoteNotify) {
    super();
    this.#notify = notify;
  }

  override describe(): string {
    return "notified() from another thread";
  }

  override poll(context: Context): void | Pending {
    const notify = this.#notify;
    if (notify === null) throw consumed("notified()");
    if (!proceed(context)) return Pending;
    if (!this.#isTaken(notify)) {
      if (this.waker === null) wait(notify, this);
      this.waker = context.waker;
      return Pending;
    }
    coop.left--;
    this.drop();
  }

  #isTaken(notify: RemoteNotify): boolean {
    try {
      return notify.take();
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  override drop(): void {
    const notify = this.#notify;
    this.#notify = null;
    if (this.waker !== null && notify !== null) leave(notify, this);
    this.waker = null;
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
      generation > 0 && generation < GENERATIONS;
    if (!isOne) throw new TypeError("cannot notify: handle is none of a RemoteNotify's");
    return new RemoteNotifier(new Int32Array(cells), place, generation);
  }

  /**
   * Notifies. Gives `false` where nobody listens any more, because the `RemoteNotify` was disposed or its runtime has
   * ended. Never waits.
   */
  notify(): boolean {
    const words = this.#words;
    const mine = this.#generation << 1;
    if (Atomics.load(words, USERS) & CLOSED) return this.#hangUp();
    const before = Atomics.compareExchange(words, FIRST + this.#place, mine, mine | GIVEN);
    if (before !== mine && before !== (mine | GIVEN)) return false;
    const looks = Atomics.load(words, LOOKS);
    if (Atomics.load(words, RUNG) === looks) return true;
    const bell = bellOf(words);
    if (bell === undefined) return this.#hangUp();
    bell.write();
    Atomics.store(words, RUNG, looks);
    return true;
  }

  /** This thread's descriptor of a hub that is closed is of no use any more. */
  #hangUp(): false {
    const nonce = this.#words[NONCE];
    bells.get(nonce)?.close();
    bells.delete(nonce);
    return false;
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
    // The last of those who kept the hub from closing it.
    if (Atomics.sub(words, USERS, 1) === (CLOSED | 1) && users < CLOSED) {
      Fd.unsafeOwn(words[DESCRIPTOR]).close();
    }
  }
}
