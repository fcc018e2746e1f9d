import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Slab, type VacantEntry } from "../lib/slab.ts";
import { tiered } from "./tier.ts";

/** What a slab is: values under keys, and the vacant keys, the one freed last at the end. */
interface Model {
  values: Map<number, string>;
  vacant: number[];
  places: number;
}

function nextKey(model: Model): number {
  return model.vacant.at(-1) ?? model.places;
}

function put(model: Model, value: string): void {
  const key = model.vacant.pop() ?? model.places++;
  model.values.set(key, value);
}

class Insert implements fc.Command<Model, Slab<string>> {
  #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, slab: Slab<string>): void {
    const key = nextKey(model);
    put(model, this.#value);
    assertStrictEquals(slab.insert(this.#value), key);
    same(model, slab);
  }
  toString(): string {
    return `insert ${this.#value}`;
  }
}

class InsertVacant implements fc.Command<Model, Slab<string>> {
  #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, slab: Slab<string>): void {
    const entry = slab.vacantEntry();
    same(model, slab);
    const key = nextKey(model);
    put(model, this.#value);
    assertStrictEquals(entry.key, key);
    assertStrictEquals(entry.insert(this.#value), key);
    assertThrows(() => entry.insert("again"), Error, `cannot insert under key ${key}`);
    same(model, slab);
  }
  toString(): string {
    return `insert ${this.#value} by its vacant entry`;
  }
}

class Remove implements fc.Command<Model, Slab<string>> {
  #key: number;
  constructor(key: number) {
    this.#key = key;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, slab: Slab<string>): void {
    const value = model.values.get(this.#key);
    if (value === undefined) {
      assertThrows(() => slab.remove(this.#key), RangeError, `invalid key ${this.#key}`);
    } else {
      model.values.delete(this.#key);
      model.vacant.push(this.#key);
      assertStrictEquals(slab.remove(this.#key), value);
    }
    same(model, slab);
  }
  toString(): string {
    return `remove ${this.#key}`;
  }
}

class Replace implements fc.Command<Model, Slab<string>> {
  #key: number;
  #value: string;
  constructor(key: number, value: string) {
    this.#key = key;
    this.#value = value;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, slab: Slab<string>): void {
    if (model.values.has(this.#key)) {
      model.values.set(this.#key, this.#value);
      slab.set(this.#key, this.#value);
    } else {
      assertThrows(() => slab.set(this.#key, this.#value), RangeError, `invalid key ${this.#key}`);
    }
    same(model, slab);
  }
  toString(): string {
    return `set ${this.#key} to ${this.#value}`;
  }
}

function same(model: Model, slab: Slab<string>): void {
  assertEquals([...slab], [...model.values].sort(([a], [b]) => a - b));
  assertEquals([slab.size, slab.capacity], [model.values.size, model.places]);
  for (let key = -1; key <= model.places; key++) {
    assertStrictEquals(slab.get(key), model.values.get(key));
    assertStrictEquals(slab.contains(key), model.values.has(key));
  }
}

describe("a Slab", () => {
  it("is a map whose keys are the smallest that were free, freed last first", () => {
    const key = fc.integer({ min: -1, max: 12 });
    const text = fc.string({ maxLength: 3 });
    const commands = fc.commands([
      text.map((value) => new Insert(value)),
      text.map((value) => new Insert(value)),
      text.map((value) => new InsertVacant(value)),
      key.map((key) => new Remove(key)),
      fc.tuple(key, text).map(([key, value]) => new Replace(key, value)),
    ], { maxCommands: 100 });
    fc.assert(
      fc.property(commands, (commands) => {
        const setup = () => ({
          model: { values: new Map<number, string>(), vacant: [], places: 0 },
          real: new Slab<string>(),
        });
        fc.modelRun(setup, commands);
      }),
      { numRuns: tiered({ quick: 200, full: 5_000, soak: 200_000 }) },
    );
  });

  it("gives the place that was freed last to the next value", () => {
    const slab = new Slab<string>();
    for (const value of "abcd") slab.insert(value);
    for (const key of [1, 3, 0]) slab.remove(key);
    assertEquals([slab.insert("e"), slab.insert("f"), slab.insert("g"), slab.insert("h")], [0, 3, 1, 4]);
    assertEquals([...slab], [[0, "e"], [1, "g"], [2, "c"], [3, "f"], [4, "h"]]);
  });

  it("keeps values that are falsy", () => {
    const slab = new Slab<number | string | boolean>();
    const keys = [0, "", false, NaN].map((value) => slab.insert(value));
    assertEquals(keys.map((key) => slab.contains(key)), [true, true, true, true]);
    assertEquals(slab.remove(keys[2]), false);
    assertEquals(slab.size, 3);
  });

  it("refuses a key that is none", () => {
    const slab = new Slab<string>();
    slab.insert("a");
    for (const key of [1, -1, 0.5, NaN, Infinity, 2 ** 32, 2 ** 53]) {
      assertThrows(() => slab.remove(key), RangeError, `invalid key ${key}: the slab has no value under it`);
      assertThrows(() => slab.set(key, "b"), RangeError, `invalid key ${key}`);
      assertEquals([slab.get(key), slab.contains(key)], [undefined, false]);
    }
    assertEquals([slab.size, slab.capacity, slab.get(0)], [1, 1, "a"]);
  });

  it("refuses a key twice", () => {
    const slab = new Slab<string>();
    const key = slab.insert("a");
    slab.remove(key);
    assertThrows(() => slab.remove(key), RangeError);
    assertEquals([slab.size, slab.insert("b"), slab.insert("c")], [0, 0, 1]);
  });

  it("does not grow under a steady load", () => {
    const slab = new Slab<number>();
    const keys: number[] = [];
    let random = 1;
    for (let i = 0; i < 100_000; i++) {
      random = Math.imul(random, 48271) >>> 0;
      if (keys.length < 100) keys.push(slab.insert(i));
      else slab.remove(keys.splice(random % keys.length, 1)[0]);
    }
    assertEquals(slab.capacity, 100);
    assert(slab.size >= 99);
  });
});

describe("a vacant entry", () => {
  interface Node {
    key: number;
  }

  it("tells its key to a value that holds it", () => {
    const slab = new Slab<Node>();
    slab.insert({ key: 0 });
    const entry = slab.vacantEntry();
    const node = { key: entry.key };
    assertEquals([entry.insert(node), slab.get(node.key)], [1, node]);
  });

  it("that nobody uses changes nothing", () => {
    const slab = new Slab<string>();
    const keys = [slab.vacantEntry().key, slab.vacantEntry().key];
    assertEquals([keys, slab.size, slab.capacity, slab.insert("a")], [[0, 0], 0, 0, 0]);
  });

  function refuses(slab: Slab<string>, entry: VacantEntry<string>): void {
    const before = [...slab];
    assertThrows(() => entry.insert("x"), Error, `cannot insert under key ${entry.key}`);
    assertEquals([...slab], before);
  }

  it("refuses a value where its place was taken meanwhile", () => {
    const slab = new Slab<string>();
    const entry = slab.vacantEntry();
    slab.insert("a");
    refuses(slab, entry);
  });

  it("refuses a value that would come under another key than it told", () => {
    const slab = new Slab<string>();
    slab.insert("a");
    const entry = slab.vacantEntry();
    slab.remove(0);
    refuses(slab, entry);
    slab.insert("b");
    assertEquals(entry.insert("c"), entry.key);
  });

  it("refuses a value where its place was taken and another freed", () => {
    const slab = new Slab<string>();
    slab.insert("a");
    slab.insert("b");
    slab.remove(0);
    const entry = slab.vacantEntry();
    slab.insert("c");
    slab.remove(0);
    slab.remove(1);
    refuses(slab, entry);
  });
});
