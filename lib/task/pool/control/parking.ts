import { type Counting, PARKS, SEARCHES, WAKES } from "./counters.ts";
import { DEATHS, type Layout, SLEEPERS, STOP } from "./layout.ts";
import type { Queues } from "./queues.ts";

/** Not listed as a sleeper: runs, or looks for ends of its own. */
export const AWAKE = 0;
/** Looks for jobs, or was woken to: whoever adds one need wake nobody. */
export const SEARCHING = 1;
export const ASLEEP_FUTEX = 2;
export const ASLEEP_EVENT = 3;
/** No thread has the lane. */
export const GONE = 4;
/** Beside one of the two sleeps: takes no jobs but those of its inbox. */
export const DEAF = 8;

/** How threads sleep and are woken. */
export interface Bed {
  /** Sleeps while the lane's word is `expected`, for at most `ms`. May end early for no reason. */
  wait(lane: number, expected: number, ms: number): void;
  /** Wakes who waits at the lane's word. */
  wake(lane: number): void;
  /** Adds 1 to an eventfd. */
  ring(descriptor: number): void;
}

/**
 * Sleeping, and being woken for work. A lane says in its word of the map what it does; who lies down looks once more
 * after having said so, and who adds work looks at the words after having added it: so one of the two sees the other.
 *
 * One is woken at a time, as a searcher, and for as long as one searches nobody else is: the searcher that finds
 * something wakes the next where there is more.
 */
export class Parking {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #lane: number;
  readonly #lanes: number;
  readonly #park: number;
  readonly #eventFd: number;
  readonly #queues: Queues;
  readonly #counters: Counting;
  readonly #bed: Bed;
  #deathsSeen = 0;
  /** Whether there is something to do for this lane that lies in no queue: it does not sleep then. */
  hasMore: () => boolean = () => false;

  constructor(
    words: Int32Array<ArrayBuffer>,
    layout: Layout,
    lane: number,
    parts: { readonly queues: Queues; readonly counters: Counting; readonly bed: Bed },
  ) {
    this.#words = words;
    this.#lane = lane;
    this.#lanes = layout.shape.lanes;
    this.#park = layout.park;
    this.#eventFd = layout.eventFd;
    this.#queues = parts.queues;
    this.#counters = parts.counters;
    this.#bed = parts.bed;
  }

  /** This lane has a thread, which is awake. */
  arrive(): void {
    Atomics.store(this.#words, this.#park + this.#lane, AWAKE);
  }

  /** This lane's thread ends, and is woken no more. */
  leave(): void {
    Atomics.store(this.#words, this.#park + this.#lane, GONE);
  }

  /** What a lane does: AWAKE, SEARCHING… */
  state(lane: number): number {
    return Atomics.load(this.#words, this.#park + lane);
  }

  /** The number of the lane's eventfd, or -1. */
  eventFd(lane: number): number {
    return Atomics.load(this.#words, this.#eventFd + lane) - 1;
  }

  /**
   * Names this lane's eventfd. Whoever has read the number may write to it at any time later: it must not be closed
   * before all lanes' threads are gone.
   */
  setEventFd(descriptor: number): void {
    Atomics.store(this.#words, this.#eventFd + this.#lane, descriptor + 1);
  }

  /** How many sleep and would take jobs: at least that many where threads have died. */
  get sleepers(): number {
    return Atomics.load(this.#words, SLEEPERS);
  }

  get isStopping(): boolean {
    return Atomics.load(this.#words, STOP) !== 0;
  }

  /** After work was added that any lane may take: wakes one, unless one searches already. Gives whether it did. */
  workAdded(): boolean {
    const words = this.#words;
    if (Atomics.load(words, SLEEPERS) === 0) return false;
    for (;;) {
      const lane = this.#toWake();
      if (lane < 0) return false;
      if (this.#rouse(lane, SEARCHING)) return true;
    }
  }

  /** A sleeper that takes jobs, or -1 where there is none, or one searches. */
  #toWake(): number {
    let sleeper = -1;
    for (let lane = 0; lane < this.#lanes; lane++) {
      const state = Atomics.load(this.#words, this.#park + lane);
      if (state === SEARCHING) return -1;
      if (sleeper < 0 && (state === ASLEEP_FUTEX || state === ASLEEP_EVENT)) sleeper = lane;
    }
    return sleeper;
  }

  /** Wakes a lane from whatever it sleeps in, to that state. Gives `false` where it is awake, or no more there. */
  #rouse(lane: number, to: number): boolean {
    const words = this.#words;
    const state = Atomics.load(words, this.#park + lane);
    if ((state & ~DEAF) !== ASLEEP_FUTEX && (state & ~DEAF) !== ASLEEP_EVENT) return false;
    if (Atomics.compareExchange(words, this.#park + lane, state, to) !== state) return false;
    if (state < DEAF) Atomics.sub(words, SLEEPERS, 1);
    this.#counters.add(WAKES);
    if ((state & ~DEAF) === ASLEEP_FUTEX) this.#bed.wake(lane);
    else this.#bed.ring(this.eventFd(lane));
    return true;
  }

  /** Wakes a lane for what is its own. Gives `false` where it is awake. */
  wake(lane: number): boolean {
    return this.#rouse(lane, AWAKE);
  }

  /** Says that this lane looks for jobs. Gives `false` where half of those that are there do so already. */
  beginSearch(): boolean {
    const words = this.#words;
    let there = 0;
    let searching = 0;
    for (let lane = 0; lane < this.#lanes; lane++) {
      const state = Atomics.load(words, this.#park + lane);
      if (state !== GONE && state < DEAF) there++;
      if (state === SEARCHING && lane !== this.#lane) searching++;
    }
    if (2 * searching >= there) return false;
    Atomics.store(words, this.#park + this.#lane, SEARCHING);
    this.#counters.add(SEARCHES);
    return true;
  }

  /** Says that this lane has something to run, before it does: where there is more, another is woken. */
  found(): void {
    const words = this.#words;
    if (Atomics.load(words, this.#park + this.#lane) !== SEARCHING) return;
    Atomics.store(words, this.#park + this.#lane, AWAKE);
    if (this.#queues.hasWork()) this.workAdded();
  }

  /**
   * Sleeps in futex(2) until woken, for at most `timeoutMs`; not at all where there is work. Who does not `take` jobs is
   * woken for its own alone.
   */
  parkFutex(timeoutMs: number, takes: boolean = true): void {
    const state = takes ? ASLEEP_FUTEX : ASLEEP_FUTEX | DEAF;
    if (!this.#lieDown(state)) return;
    this.#bed.wait(this.#lane, state, timeoutMs);
    this.#getUp(state);
  }

  /** Before a wait for the eventfd: `false` where there is work, so that there is nothing to wait for. */
  enterEvent(takes: boolean = true): boolean {
    return this.#lieDown(takes ? ASLEEP_EVENT : ASLEEP_EVENT | DEAF);
  }

  /** After a wait for the eventfd that `enterEvent` has allowed. */
  leaveEvent(takes: boolean = true): void {
    this.#getUp(takes ? ASLEEP_EVENT : ASLEEP_EVENT | DEAF);
  }

  #lieDown(state: number): boolean {
    const words = this.#words;
    if (state < DEAF) Atomics.add(words, SLEEPERS, 1);
    Atomics.store(words, this.#park + this.#lane, state);
    if (this.#mayStay(state)) {
      this.#counters.add(PARKS);
      return true;
    }
    this.#getUp(state);
    return false;
  }

  #mayStay(state: number): boolean {
    if (Atomics.load(this.#words, STOP) !== 0) return false;
    if (Atomics.load(this.#words, DEATHS) !== this.#deathsSeen) return false;
    if (this.hasMore()) return false;
    return !(state < DEAF ? this.#queues.hasWork() : this.#queues.hasOwn());
  }

  /** Awake again, where nobody has said so of this lane. */
  #getUp(state: number): void {
    const words = this.#words;
    const before = Atomics.compareExchange(words, this.#park + this.#lane, state, AWAKE);
    if (before === state && state < DEAF) Atomics.sub(words, SLEEPERS, 1);
  }

  /** Whether lanes were sealed since `seeDeaths`: then this one is to look through its slots. */
  hasDeaths(): boolean {
    return Atomics.load(this.#words, DEATHS) !== this.#deathsSeen;
  }

  /** From now on nobody sleeps for the deaths there were. */
  seeDeaths(): void {
    this.#deathsSeen = Atomics.load(this.#words, DEATHS);
  }

  /** Marks a lane whose thread has ended, however it ended. */
  bury(lane: number): void {
    const words = this.#words;
    const before = Atomics.exchange(words, this.#park + lane, GONE);
    if (before === ASLEEP_FUTEX || before === ASLEEP_EVENT) Atomics.sub(words, SLEEPERS, 1);
  }

  /** Tells all lanes of a death. Who was about to be woken by the dead is woken too. */
  announceDeath(): void {
    Atomics.add(this.#words, DEATHS, 1);
    this.#wakeAll();
  }

  /** Tells all lanes to end. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (let lane = 0; lane < this.#lanes; lane++) {
      if (lane === this.#lane || this.state(lane) === GONE || this.#rouse(lane, AWAKE)) continue;
      this.#bed.wake(lane);
      const descriptor = this.eventFd(lane);
      if (descriptor >= 0) this.#bed.ring(descriptor);
    }
  }
}
