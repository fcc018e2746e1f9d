import { registerCrossing } from "../mem/crossing.ts";
import { coop, proceed } from "./runtime/coop.ts";
import { currentRuntime } from "./runtime/current.ts";
import { wakeSafely } from "./runtime/report.ts";
import { Queue } from "./sync/queue.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import type { Reactor } from "./reactor/reactor.ts";
import { GENERATIONS, type RemoteNotifyHandle } from "./remote_notify/cells.ts";
import { Hub } from "./remote_notify/hub.ts";
import { isHandle, RemoteNotifier } from "./remote_notify/remote_notifier.ts";

const hubs: WeakMap<Reactor, Hub[]> = new WeakMap();
/** Counted for the whole thread, so that no two of a hub's are alike. */
let generations = 0;

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
    // The other thread has a RemoteNotifier of it.
    registerCrossing<RemoteNotify, RemoteNotifyHandle>({
      name: "RemoteNotify",
      type: RemoteNotify,
      give: (notify) => notify.handle,
      isData: isHandle,
      take: RemoteNotifier.of,
      drop() {},
    });
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
