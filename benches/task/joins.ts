/**
 * Waits for two values that are there a turn later, one pair after the other, in one of four models:
 *
 *     joins.ts join|all|callbacks|events PAIRS ROUNDS
 *
 * `join` is one object; callbacks share a counter; events are posted to one queue, whose handler finds the pair's state
 * by its number. Prints the nanoseconds and the bytes that a pair takes.
 *
 * @module
 */
import process from "node:process";
import { type Context, type Coroutine, Future, join, Pending, run, spawn } from "../../lib/task/mod.ts";
import { Spending } from "./spending.ts";

const [model, pairs, rounds] = process.argv.slice(2);
/** In a round. */
const PAIRS = Number(pairs);
const SUM = PAIRS * PAIRS;

function checkSum(sum: number): void {
  if (sum !== SUM) throw new Error(`the sum is ${sum}, and ${SUM} is right`);
}

/** Its value is there a turn after it was asked for. */
class Later extends Future<number> {
  readonly #value: number;
  #isThere = false;

  constructor(value: number) {
    super();
    this.#value = value;
  }

  override poll(context: Context): number | Pending {
    if (this.#isThere) return this.#value;
    this.#isThere = true;
    context.waker.wake();
    return Pending;
  }
}

function* joins(): Coroutine<number> {
  let sum = 0;
  for (let i = 0; i < PAIRS; i++) {
    const [first, second] = yield* join(new Later(i), new Later(i + 1));
    sum += first + second;
  }
  return sum;
}

function* spentOnJoins(rounds: number): Coroutine<Spending> {
  const spending = new Spending(rounds);
  do {
    spending.begin();
    checkSum(yield* spawn(joins));
  } while (spending.end());
  return spending;
}

async function later(value: number): Promise<number> {
  await null;
  return value;
}

async function alls(): Promise<number> {
  let sum = 0;
  for (let i = 0; i < PAIRS; i++) {
    const [first, second] = await Promise.all([later(i), later(i + 1)]);
    sum += first + second;
  }
  return sum;
}

/** What was put off to the next turn. */
class Turns<T> {
  #now: T[] = [];
  #next: T[] = [];

  post(item: T): void {
    this.#next.push(item);
  }

  /** Takes turns until nothing is put off. */
  drain(take: (item: T) => void): void {
    while (this.#next.length > 0) {
      const now = this.#next;
      this.#next = this.#now;
      this.#now = now;
      for (let i = 0; i < now.length; i++) take(now[i]);
      now.length = 0;
    }
  }
}

function callbacks(): number {
  const turns = new Turns<() => void>();
  const later = (value: number, done: (value: number) => void) => turns.post(() => done(value));
  let sum = 0;
  const both = (i: number) => {
    let left = 2;
    let first = 0;
    let second = 0;
    const done = () => {
      if (--left > 0) return;
      sum += first + second;
      if (i + 1 < PAIRS) both(i + 1);
    };
    later(i, (value) => {
      first = value;
      done();
    });
    later(i + 1, (value) => {
      second = value;
      done();
    });
  };
  both(0);
  turns.drain((callback) => callback());
  return sum;
}

interface Event {
  readonly pair: number;
  readonly isFirst: boolean;
  readonly value: number;
}

interface Pair {
  left: number;
  first: number;
  second: number;
}

function events(): number {
  const turns = new Turns<Event>();
  const pairs = new Map<number, Pair>();
  let sum = 0;
  const begin = (pair: number) => {
    pairs.set(pair, { left: 2, first: 0, second: 0 });
    turns.post({ pair, isFirst: true, value: pair });
    turns.post({ pair, isFirst: false, value: pair + 1 });
  };
  begin(0);
  turns.drain(({ pair, isFirst, value }) => {
    const state = pairs.get(pair);
    if (state === undefined) throw new Error(`no pair ${pair} waits`);
    if (isFirst) state.first = value;
    else state.second = value;
    if (--state.left > 0) return;
    pairs.delete(pair);
    sum += state.first + state.second;
    if (pair + 1 < PAIRS) begin(pair + 1);
  });
  return sum;
}

async function spent(sum: () => number | Promise<number>, rounds: number): Promise<Spending> {
  const spending = new Spending(rounds);
  do {
    spending.begin();
    checkSum(await sum());
  } while (spending.end());
  return spending;
}

function modelled(name: string, rounds: number): Promise<Spending> {
  switch (name) {
    case "join":
      return run(() => spentOnJoins(rounds));
    case "all":
      return spent(alls, rounds);
    case "callbacks":
      return spent(callbacks, rounds);
    case "events":
      return spent(events, rounds);
    default:
      throw new Error(`no such model: ${name}`);
  }
}

const { ns, bytes } = await modelled(model, Number(rounds));
console.log(ns / PAIRS, bytes / PAIRS);
