/**
 * Claim: an item passes through map, filter and fold of a stream in a fifth of what it takes through async generators.
 *
 * Each contender sums the same million numbers. The plain loop is what the work itself takes; the array's methods
 * make arrays in between, and the iterator's do not wait.
 *
 * @module
 */
import { type Coroutine, run as runTask } from "../lib/task/mod.ts";
import { type Emit, Stream } from "../lib/task/stream.ts";
import { compare, type Contender, equals, median } from "./compare.ts";

const STREAM = "Stream";
const GENERATORS = "async generators";

function doubled(n: number): number {
  return 2 * n;
}

function isThird(n: number): boolean {
  return n % 3 === 0;
}

function sum(a: number, b: number): number {
  return a + b;
}

function loop(items: readonly number[]): number {
  let total = 0;
  for (const item of items) {
    const n = doubled(item);
    if (isThird(n)) total = sum(total, n);
  }
  return total;
}

function* fold(items: readonly number[]): Coroutine<number> {
  return yield* Stream.from(items).map(doubled).filter(isThird).fold(0, sum);
}

async function forAwait(items: readonly number[]): Promise<number> {
  let total = 0;
  for await (const n of Stream.from(items).map(doubled).filter(isThird)) total += n;
  return total;
}

function* generated(items: readonly number[]): Coroutine<number> {
  function* emitting(emit: Emit<number>): Coroutine<void> {
    for (const item of items) yield* emit(item);
  }
  return yield* Stream.generate(emitting).map(doubled).filter(isThird).fold(0, sum);
}

async function* each(items: readonly number[]): AsyncGenerator<number> {
  yield* items;
}

async function* mapped(items: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const item of items) yield doubled(item);
}

async function* filtered(items: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const item of items) if (isThird(item)) yield item;
}

async function throughGenerators(items: readonly number[]): Promise<number> {
  let total = 0;
  for await (const n of filtered(mapped(each(items)))) total = sum(total, n);
  return total;
}

const WORKS: Readonly<Record<string, (items: readonly number[]) => number | Promise<number>>> = {
  "a loop": loop,
  "an array's methods": (items) => items.map(doubled).filter(isThird).reduce(sum, 0),
  "an iterator's methods": (items) => items.values().map(doubled).filter(isThird).reduce(sum, 0),
  [STREAM]: (items) => runTask(() => fold(items)),
  "Stream, by for await": (items) => runTask(() => forAwait(items)),
  "Stream.generate": (items) => runTask(() => generated(items)),
  [GENERATORS]: throughGenerators,
};

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const count = quick ? 10_000 : 1_000_000;
  const items = Array.from({ length: count }, (_, i) => i);
  const expected = loop(items);
  const contenders = Object.entries(WORKS).map(([name, work]): Contender => ({
    name,
    async sample() {
      const times: number[] = [];
      for (let round = 0; round < 3; round++) {
        const start = performance.now();
        const result = await work(items);
        times.push((performance.now() - start) * 1e6 / count);
        equals(name, expected)(result);
      }
      return [median(times)];
    },
  }));
  await compare({
    title: `map, filter and fold of ${count.toLocaleString("en")} items`,
    units: ["ns an item"],
    baseline: STREAM,
    contenders,
    quick,
    targets: [{ name: GENERATORS, atLeast: 5 }],
  });
}
