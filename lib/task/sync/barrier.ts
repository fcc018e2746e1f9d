import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import { type Linked, Queue } from "./queue.ts";
import { Wakes } from "./wakes.ts";

/** What a barrier tells each that it has let through. */
export interface BarrierWaitResult {
  /** One of each batch is: who came last. */
  readonly isLeader: boolean;
}

const LEADER: BarrierWaitResult = Object.freeze({ isLeader: true });
const FOLLOWER: BarrierWaitResult = Object.freeze({ isLeader: false });

const FRESH = 0;
const QUEUED = 1;
const THROUGH = 2;
const OVER = 3;

class Wait extends Future<BarrierWaitResult> implements Linked<Wait> {
  previous: Wait | null = null;
  next: Wait | null = null;
  waker: Waker | null = null;
  state = FRESH;
  readonly #gate: Gate;

  constructor(gate: Gate) {
    super();
    this.#gate = gate;
  }

  override describe(): string {
    return "wait() of a Barrier";
  }

  override poll(context: Context): BarrierWaitResult | Pending {
    if (this.state === OVER) throw consumed("wait()");
    if (!proceed(context)) return Pending;
    if (this.state === FRESH && this.#gate.isFull()) {
      this.state = OVER;
      coop.left--;
      this.#gate.open();
      return LEADER;
    }
    if (this.state === THROUGH) {
      this.state = OVER;
      coop.left--;
      return FOLLOWER;
    }
    this.waker = context.waker;
    if (this.state === FRESH) {
      this.state = QUEUED;
      this.#gate.enter(this);
    }
    return Pending;
  }

  override drop(): void {
    if (this.state === QUEUED) this.#gate.leave(this);
    this.state = OVER;
    this.waker = null;
  }
}

class Gate {
  readonly #count: number;
  #queue: Queue<Wait> = new Queue();
  #waiting = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /** Whether all but one are there. */
  isFull(): boolean {
    return this.#waiting + 1 >= this.#count;
  }

  enter(wait: Wait): void {
    this.#queue.push(wait);
    this.#waiting++;
  }

  leave(wait: Wait): void {
    this.#queue.remove(wait);
    this.#waiting--;
  }

  open(): void {
    const queue = this.#queue;
    this.#queue = new Queue();
    this.#waiting = 0;
    for (let each = queue.first; each !== null; each = each.next) each.state = THROUGH;
    const wakes = new Wakes();
    for (let each = queue.first; each !== null; each = queue.first) {
      queue.remove(each);
      const { waker } = each;
      each.waker = null;
      wakes.wake(waker);
    }
    wakes.end();
  }
}

/**
 * Lets tasks through in batches of `count`: each waits until so many do. Then it is as new.
 *
 * A wait that is dropped does not count any more, unlike tokio's; one that was let through stays so.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, spawn } from "@oxbow/oxbow/task";
 * import { Barrier } from "@oxbow/oxbow/sync";
 *
 * const barrier = new Barrier(3);
 *
 * function* player(): Coroutine<boolean> {
 *   const { isLeader } = yield* barrier.wait();
 *   return isLeader;
 * }
 *
 * await run(async () => {
 *   const players = [spawn(player), spawn(player), spawn(player)];
 *   console.log(await players[0], await players[1], await players[2]); // false false true
 * });
 * ```
 */
export class Barrier {
  readonly #gate: Gate;

  /** For 0 as for 1, nobody waits. Throws a `RangeError` where `count` is no count. */
  constructor(count: number) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`cannot make a Barrier: count is ${count}, not an integer from 0`);
    }
    this.#gate = new Gate(count);
  }

  /** Waits until `count` tasks do. */
  wait(): Future<BarrierWaitResult> {
    return new Wait(this.#gate);
  }
}
