import { Clock } from "../time/clock.ts";
import { coop } from "./coop.ts";
import { swapPolled } from "./current.ts";
import { type Delivery, PromiseDelivery } from "./delivery.ts";
import { Executor, type ExecutorHost } from "./executor.ts";
import { Feed } from "./feed.ts";
import type { Future } from "../future.ts";
import type { Instruments } from "../instruments/instruments.ts";
import type { Poller } from "../reactor/poller.ts";
import { report } from "./report.ts";
import { Reactor } from "../reactor/reactor.ts";
import type { OwnedTask } from "../task.ts";
import { Timers } from "../time/timers.ts";
import { UnseenFailures } from "./unseen_failures.ts";

/** Polls between two looks at the reactor, so that a burst of tasks does not starve the sockets. */
const POLLS_A_TURN = 256;
/** Futures that are awaited and polled at once between two turns; the others wait for theirs. */
const AT_ONCE = 256;

/** One thread's executor, reactor and timers. Who gives it its turns is the driver's matter: `run` or `attach`. */
export class Runtime implements ExecutorHost, Disposable {
  readonly executor: Executor = new Executor(this);
  readonly reactor: Reactor;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly feed: Feed;
  /** Whether the host's loop gives it its turns, and not `run`. */
  readonly livesInHost: boolean;
  /** The driver's: called where there is work while it sleeps. */
  onRouse: (() => void) | null = null;
  #atOnce = AT_ONCE;
  #wasFed = false;
  #promises = 0;
  readonly #failures: UnseenFailures = new UnseenFailures();
  /** Whether a promise's reactions may wait to run: one was settled, or begun, since the host's last turn. */
  hasReactions = true;
  /** What observes its turns, where anything does. */
  instruments: Instruments | null = null;
  /** How often the thread slept in the host's loop. */
  hostSleeps = 0;
  #parks = 0;
  #edges = 0;
  readonly #yieldsBefore: number = coop.yields;

  /** `poller` is who asks the kernel: epoll where nothing is said. `clock` runs where nothing is said. */
  constructor(poller?: Poller, clock: Clock = new Clock(false), livesInHost = false) {
    this.livesInHost = livesInHost;
    this.reactor = new Reactor(poller);
    this.reactor.onDeregister = () => this.executor.rouse();
    this.feed = new Feed(this.reactor, livesInHost, () => this.executor.rouse());
    this.clock = clock;
    this.timers = new Timers(clock, this.executor);
    this.executor.clock = this.now();
  }

  /** Milliseconds of a clock that never goes back. */
  now(): number {
    return this.clock.now();
  }

  /** How often the thread blocked for the reactor. */
  get parks(): number {
    return this.#parks;
  }

  /** How many edges the reactor was told of. */
  get edges(): number {
    return this.#edges;
  }

  /** How often a task of the thread has spent its budget since this began. */
  get budgetYields(): number {
    return coop.yields - this.#yieldsBefore;
  }

  /** How many promises tasks wait for. */
  get promises(): number {
    return this.#promises;
  }

  /** A future's own, when it is to be a promise. */
  deliver<T>(future: Future<T>): Promise<T> {
    return new Promise<T>((resolve, reject) =>
      this.begin(new PromiseDelivery(this, future, resolve, reject))
    );
  }

  /** A future's own: polls it for the first time, at once where that may be. */
  begin<T>(delivery: Delivery<T>): void {
    if (this.executor.refuses(delivery)) return;
    if (this.#atOnce === 0 || this.executor.isRunning) {
      delivery.wake();
      return;
    }
    this.#atOnce--;
    const before = swapPolled(this);
    delivery.run();
    swapPolled(before);
    this.executor.endTurn();
    // It may wait for a timer or a descriptor that the sleep knows nothing of; or have woken somebody, who has roused it.
    if (!delivery.isOver) this.executor.rouse();
  }

  /** A promise's future's own: a task has begun to wait for it. */
  promisePending(): void {
    this.#promises++;
    this.hasReactions = true;
  }

  /** A promise's future's own: it has been settled. */
  promiseSettled(): void {
    this.#promises--;
    this.hasReactions = true;
  }

  /** The executor's own. */
  roused(): void {
    this.onRouse?.();
  }

  /** The executor's own: reported once nobody can see the error any more. */
  failed(task: OwnedTask<unknown>, error: unknown): void {
    this.#failures.add(task, error);
  }

  /** The executor's own. */
  seen(task: OwnedTask<unknown>): void {
    this.#failures.seen(task);
  }

  /** Whether nothing waits for its turn, and the thread's sources had nothing when they were last asked. */
  get isIdle(): boolean {
    return !this.#wasFed && this.executor.isIdle;
  }

  /** Polls the thread's sources and a burst of tasks. Returns how many. */
  poll(): number {
    this.#atOnce = AT_ONCE;
    const before = swapPolled(this);
    try {
      const fed = this.feed.poll();
      this.#wasFed = fed > 0;
      return fed + this.executor.run(POLLS_A_TURN);
    } finally {
      swapPolled(before);
    }
  }

  /** Whether the clock stands, and would move to the nearest timer if nothing else were to do. */
  get mayStep(): boolean {
    return this.clock.isPaused && this.clock.canMove(this.timers.next);
  }

  /**
   * Asks the reactor, for up to `timeoutMs`, then the timers, and wakes who is ready. Returns how many edges. A
   * clock that may step does so instead of waiting.
   */
  look(timeoutMs: number): number {
    const { mayStep } = this;
    const wait = mayStep ? 0 : timeoutMs;
    const edges = wait > 0 ? this.feed.park(wait) : this.feed.takeNeedsLook() ? this.reactor.turn(0) : 0;
    if (wait > 0) this.#parks++;
    this.#edges += edges;
    if (mayStep) this.clock.step(this.timers.next, timeoutMs > 0 && edges === 0 && this.executor.isIdle);
    const now = this.now();
    this.executor.clock = now;
    try {
      this.timers.expire(now);
    } catch (error) {
      // A waker that throws. Those that are due as well are fired at the next look, which follows at once.
      report(error);
    }
    this.executor.wakeDeferred();
    return edges;
  }

  /** Drops every task where it stands, then the reactor. */
  [Symbol.dispose](): void {
    const before = swapPolled(this);
    try {
      this.executor.end(new DOMException("the runtime ended before the task", "AbortError"));
      this.timers.end();
      this.feed[Symbol.dispose]();
      this.reactor[Symbol.dispose]();
      this.#failures.report();
    } finally {
      swapPolled(before);
    }
  }
}
