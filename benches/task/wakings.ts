/**
 * Claim: children of `joinAll` or of a `JoinSet` that are woken one by one cost at most twice as much as single tasks:
 * a combinator over a list polls the child that was woken, and no other.
 *
 * @module
 */
import process from "node:process";
import {
  type Context,
  type Coroutine,
  Future,
  joinAll,
  JoinSet,
  Pending,
  run,
  spawn,
  yieldNow,
} from "../../lib/task/mod.ts";
import { compare, median } from "../compare.ts";

/** Prime to the count, so that every child has its turn, and none after its neighbour. */
const STRIDE = 7919;

/** Waits until it is rung. */
class Bell extends Future<number> {
  #waker: Context["waker"] | null = null;
  #hasRung = false;

  override poll(context: Context): number | Pending {
    if (this.#hasRung) return 1;
    this.#waker = context.waker;
    return Pending;
  }

  get isAwaited(): boolean {
    return this.#waker !== null;
  }

  ring(): void {
    const waker = this.#waker;
    if (waker === null) throw new Error("a bell is rung that nobody waits for");
    this.#waker = null;
    this.#hasRung = true;
    waker.wake();
  }
}

/** The other tasks that were woken go first. */
class Turn extends Future<void> {
  #isOver = false;

  override poll(context: Context): void | Pending {
    if (this.#isOver) return;
    this.#isOver = true;
    context.waker.wake();
    return Pending;
  }
}

function waiting(bell: Bell): Bell {
  return bell;
}

function* allSingly(bells: readonly Bell[]): Coroutine<number> {
  const tasks = bells.map((bell) => spawn(waiting, bell));
  let rung = 0;
  for (const task of tasks) rung += yield* task;
  return rung;
}

function* allJoined(bells: readonly Bell[]): Coroutine<number> {
  const values = yield* joinAll(bells);
  return values.length;
}

function* allOfSet(bells: readonly Bell[]): Coroutine<number> {
  const set = new JoinSet<number>();
  for (const bell of bells) set.spawn(waiting, bell);
  let rung = 0;
  for (let one = yield* set.joinNext(); one !== undefined; one = yield* set.joinNext()) rung += one.value;
  return rung;
}

/** Nanoseconds from one child's waking to the next one's, of the round in the middle. */
function* rings(
  count: number,
  rounds: number,
  all: (bells: readonly Bell[]) => Coroutine<number>,
): Coroutine<number> {
  const ns: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const bells = Array.from({ length: count }, () => new Bell());
    const task = spawn(all, bells);
    while (!bells.every(({ isAwaited }) => isAwaited)) yield* yieldNow();
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i++) {
      bells[(i * STRIDE) % count].ring();
      yield* new Turn();
    }
    const rung = yield* task;
    ns.push(Number(process.hrtime.bigint() - start) / count);
    if (rung !== count) throw new Error(`${rung} of ${count} bells were heard`);
  }
  return median(ns);
}

/** Prints what a child's waking takes in each. */
export async function compareWakings(quick: boolean): Promise<void> {
  const [count, rounds] = quick ? [1000, 2] : [10_000, 25];
  const contender = (name: string, all: (bells: readonly Bell[]) => Coroutine<number>) => ({
    name,
    sample: async () => [await run(() => rings(count, rounds, all))],
  });
  await compare({
    title: `${count.toLocaleString("en")} children, woken one by one, each`,
    units: ["ns"],
    baseline: "single tasks",
    contenders: [
      contender("single tasks", allSingly),
      contender("joinAll", allJoined),
      contender("JoinSet", allOfSet),
    ],
    quick,
    targets: [{ name: "joinAll", atMost: 2 }, { name: "JoinSet", atMost: 2 }],
  });
}
