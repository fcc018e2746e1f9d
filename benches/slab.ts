/**
 * Claim: remove, insert and get on a full slab take at most four times what Rust's slab takes, and a third of what a
 * `Map` takes, with a thousand entries and with a million.
 *
 * The keys come in one random order, the same to all: with a million entries, each time is a miss of the cache. The
 * `Map` is spared the choice of keys: it puts each value back under the key that it had. Numbers lie in the slab
 * itself, on both sides, and are changed on the way, or Rust's compiler would leave the writing out; objects are behind a pointer, as Rust's boxes are.
 *
 * @module
 */
import { GenerationalSlab, Slab } from "../lib/slab.ts";
import { compare, type Contender, equals, timed } from "./compare.ts";
import { buildCrate, runPeer } from "./peers.ts";
import { memory } from "./slab/memory.ts";

const OPERATIONS = 10_000_000;
const SLAB = "Slab";
const GENERATIONS = "GenerationalSlab";
const MAP = "Map";
const RUST = "slab, in Rust";

interface Boxed {
  readonly value: number;
}

const NONE: Boxed = { value: 0 };

/** The keys, in the order that the peer takes, too. */
function shuffled(entries: number): Int32Array {
  const keys = Int32Array.from({ length: entries }, (_, i) => i);
  let state = 1;
  for (let i = entries - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = (state >>> 8) % (i + 1);
    [keys[i], keys[j]] = [keys[j], keys[i]];
  }
  return keys;
}

function takeNumbers(slab: Slab<number>, keys: Int32Array): number {
  const entries = keys.length;
  let sum = 0;
  for (let i = 0; i < entries; i++) {
    const value = slab.remove(keys[i]);
    const key = slab.insert(value ^ 1);
    sum += slab.get(key) ?? 0;
  }
  return sum;
}

function takeObjects(slab: Slab<Boxed>, keys: Int32Array): number {
  const entries = keys.length;
  let sum = 0;
  for (let i = 0; i < entries; i++) {
    const value = slab.remove(keys[i]);
    const key = slab.insert(value);
    sum += slab.get(key)?.value ?? 0;
  }
  return sum;
}

function takeGenerations(slab: GenerationalSlab<number>, keys: Float64Array): number {
  const entries = keys.length;
  let sum = 0;
  for (let i = 0; i < entries; i++) {
    const value = slab.remove(keys[i]);
    const key = slab.insert(value ^ 1);
    keys[i] = key;
    sum += slab.get(key) ?? 0;
  }
  return sum;
}

function takeNumbersOfMap(map: Map<number, number>, keys: Int32Array): number {
  const entries = keys.length;
  let sum = 0;
  for (let i = 0; i < entries; i++) {
    const key = keys[i];
    const value = map.get(key) ?? 0;
    map.delete(key);
    map.set(key, value ^ 1);
    sum += map.get(key) ?? 0;
  }
  return sum;
}

function takeObjectsOfMap(map: Map<number, Boxed>, keys: Int32Array): number {
  const entries = keys.length;
  let sum = 0;
  for (let i = 0; i < entries; i++) {
    const key = keys[i];
    const value = map.get(key) ?? NONE;
    map.delete(key);
    map.set(key, value);
    sum += map.get(key)?.value ?? 0;
  }
  return sum;
}

/** Fills a table with as many values as there are keys, and gives what removes, inserts and gets each. */
type Work = (keys: Int32Array) => () => number;

const KINDS: Record<string, Readonly<Record<string, Work>>> = {
  numbers: {
    [MAP](keys) {
      const map = new Map<number, number>();
      for (let i = 0; i < keys.length; i++) map.set(i, i % 1000);
      return () => takeNumbersOfMap(map, keys);
    },
    [SLAB](keys) {
      const slab = new Slab<number>();
      for (let i = 0; i < keys.length; i++) slab.insert(i % 1000);
      return () => takeNumbers(slab, keys);
    },
    [GENERATIONS](keys) {
      const slab = new GenerationalSlab<number>();
      for (let i = 0; i < keys.length; i++) slab.insert(i % 1000);
      const wide = Float64Array.from(keys);
      return () => takeGenerations(slab, wide);
    },
  },
  boxes: {
    [MAP](keys) {
      const map = new Map<number, Boxed>();
      for (let i = 0; i < keys.length; i++) map.set(i, { value: i % 1000 });
      return () => takeObjectsOfMap(map, keys);
    },
    [SLAB](keys) {
      const slab = new Slab<Boxed>();
      for (let i = 0; i < keys.length; i++) slab.insert({ value: i % 1000 });
      return () => takeObjects(slab, keys);
    },
  },
};

async function operations(kind: string, entries: number, quick: boolean): Promise<void> {
  const keys = shuffled(entries);
  const sum = entries * 499.5;
  const ours = Object.entries(KINDS[kind]).map(([name, work]): Contender =>
    timed({
      name,
      quick,
      run: work(keys),
      check: equals(name, sum),
      figure: (ns) => ns / entries,
    })
  );
  const program = buildCrate("slab_peer");
  const peers = program === undefined ? [] : [{
    name: RUST,
    sample(): Promise<readonly number[]> {
      const rounds = Math.max(1, (quick ? OPERATIONS / 100 : OPERATIONS) / entries);
      const [ns, result] = runPeer(program, [kind, String(entries), String(rounds)]);
      equals(RUST, sum)(result);
      return Promise.resolve([ns]);
    },
  }];
  await compare({
    title: `remove, insert and get: ${entries.toLocaleString("en")} ${kind}`,
    units: ["ns"],
    baseline: SLAB,
    contenders: [...peers, ...ours],
    quick,
    targets: [{ name: RUST, atLeast: 1 / 4 }, { name: MAP, atLeast: 3 }],
  });
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  for (const kind of Object.keys(KINDS)) {
    for (const entries of quick ? [1000] : [1000, 1_000_000]) await operations(kind, entries, quick);
  }
  await memory(quick ? 10_000 : 1_000_000);
}
