/**
 * Polls a chain of five combinators:
 *
 *     chain.ts POLLS ROUNDS
 *
 * Prints the nanoseconds and the bytes that a poll takes.
 *
 * @module
 */
import process from "node:process";
import { type Context, Future, Pending, ready, run } from "../../lib/task/mod.ts";
import { Spending } from "./spending.ts";

/** Is there at the `polls`-th poll. */
class Countdown extends Future<number> {
  #left: number;

  constructor(polls: number) {
    super();
    this.#left = polls;
  }

  override poll(): number | Pending {
    return --this.#left > 0 ? Pending : 1;
  }
}

function chain(polls: number): Future<number> {
  return ready(1)
    .andThen((one) => new Countdown(polls).map((value) => value + one))
    .map((value) => 2 * value)
    .inspect((value) => {
      if (value !== 4) throw new Error(`the chain gave ${value}, and 4 is right`);
    })
    .map((value) => value + 1);
}

/** Polls a chain to its end, in each round anew. */
class Polling extends Future<Spending> {
  readonly #polls: number;
  readonly #rounds: number;

  constructor(polls: number, rounds: number) {
    super();
    this.#polls = polls;
    this.#rounds = rounds;
  }

  override poll(context: Context): Spending {
    const spending = new Spending(this.#rounds);
    for (let hasMore = true; hasMore;) {
      const future = chain(this.#polls);
      future.poll(context);
      spending.begin();
      for (let i = 2; i < this.#polls; i++) future.poll(context);
      hasMore = spending.end();
      const value = future.poll(context);
      if (value !== 5) throw new Error(`the chain gave ${String(value)} at its last poll, and 5 is right`);
    }
    return spending;
  }
}

const [polls, rounds] = process.argv.slice(2).map(Number);
const { ns, bytes } = await run(() => new Polling(polls, rounds));
console.log(ns / polls, bytes / polls);
