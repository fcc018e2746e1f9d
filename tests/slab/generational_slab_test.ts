import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { GenerationalSlab } from "../../lib/slab.ts";
import { tiered } from "../tier.ts";

const PLACES = 2 ** 26;
/** A key of place 0 in the last generation, and what is under a place that has none after it. */
const LAST = 2 ** 53 - PLACES;

/** What was inserted, by key, and all keys that were ever given: none comes again. */
class Oracle {
  readonly slab: GenerationalSlab<number> = new GenerationalSlab();
  readonly values: Map<number, number> = new Map();
  readonly given: Set<number> = new Set();

  insert(value: number): void {
    const { vacantKey } = this.slab;
    const key = this.slab.insert(value);
    assertEquals([key, this.given.has(key)], [vacantKey, false]);
    this.given.add(key);
    this.values.set(key, value);
  }

  remove(nth: number): void {
    const key = [...this.given][nth % this.given.size] ?? 0;
    assertEquals(this.slab.tryRemove(key), this.values.get(key));
    this.values.delete(key);
  }

  retain(divisor: number): void {
    this.slab.retain((value, key) => {
      assertEquals(this.values.get(key), value);
      if (value % divisor !== 0) this.values.delete(key);
      return value % divisor === 0;
    });
  }

  compact(limit: number): void {
    this.slab.compact((value, from, to) => {
      if (value > limit) return false;
      assertEquals([this.values.get(from), this.given.has(to)], [value, false]);
      this.values.delete(from);
      this.values.set(to, value);
      this.given.add(to);
      return true;
    });
  }

  clear(): void {
    this.slab.clear();
    this.values.clear();
  }

  check(): void {
    assertEquals(this.slab.size, this.values.size);
    assertEquals(new Map(this.slab), this.values);
    for (const key of this.given) assertEquals(this.slab.get(key), this.values.get(key));
  }
}

describe("a GenerationalSlab", () => {
  it("finds each value under its key, and gives no key twice", () => {
    const step = fc.tuple(
      fc.constantFrom(
        "insert",
        "insert",
        "insert",
        "remove",
        "remove",
        "retain",
        "compact",
        "shrink",
        "clear",
      ),
      fc.nat({ max: 30 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const oracle = new Oracle();
        for (const [name, n] of steps) {
          if (name === "insert") oracle.insert(n);
          else if (name === "remove") oracle.remove(n);
          else if (name === "retain") oracle.retain(n % 3 + 1);
          else if (name === "compact") oracle.compact(n);
          else if (name === "shrink") oracle.slab.shrinkToFit();
          else oracle.clear();
          oracle.check();
        }
      }),
      { numRuns: tiered({ quick: 200, full: 5_000, soak: 200_000 }) },
    );
  });

  it("takes the same place under another key, as a safe integer", () => {
    const slab = new GenerationalSlab<string>();
    const first = slab.insert("a");
    slab.remove(first);
    const second = slab.insert("b");
    assertEquals([first, second, slab.capacity], [0, PLACES, 1]);
    assertEquals([slab.get(first), slab.contains(first), slab.get(second)], [undefined, false, "b"]);
    assertThrows(() => slab.remove(first), RangeError, "invalid key 0: the slab has no value under it");
    assertThrows(() => slab.set(first, "c"), RangeError, "invalid key 0");
    slab.set(second, "c");
    assertEquals([slab.get2(first, second), slab.remove(second), slab.isEmpty], [undefined, "c", true]);
  });

  it("gives no key twice to places that were given back and came again", () => {
    const slab = new GenerationalSlab<number>();
    const keys = [0, 1, 2].map((value) => slab.insert(value));
    for (let i = 0; i < 3; i++) slab.remove(slab.insert(3));
    for (const key of keys) slab.remove(key);
    slab.shrinkToFit();
    assertEquals(slab.capacity, 0);
    for (let value = 0; value < 5; value++) {
      const key = slab.insert(value);
      assert(!keys.includes(key) && key >= 3 * PLACES, `${key} was given before`);
    }
  });

  it("tells its vacant key to a value that holds it, and refuses one when it has gone", () => {
    const slab = new GenerationalSlab<{ key: number }>();
    slab.remove(slab.insert({ key: 0 }));
    const entry = slab.vacantEntry();
    assertEquals([entry.key, entry.insert({ key: entry.key })], [PLACES, PLACES]);
    assertThrows(() => entry.insert({ key: 0 }), Error, `cannot insert under key ${PLACES}`);
    assertEquals([slab.get(PLACES), slab.size], [{ key: PLACES }, 1]);
  });

  it("retires a place that has given its last key", () => {
    const slab = GenerationalSlab.fromEntries([[LAST, "a"], [1, "b"]]);
    assertEquals([slab.remove(LAST), slab.get(LAST), slab.size], ["a", undefined, 1]);
    assertEquals([slab.insert("c") % PLACES, slab.capacity], [2, 3]);
    assertEquals([[...slab.values()], slab.drain(), slab.size], [["b", "c"], ["b", "c"], 0]);
    slab.compact(() => true);
    assertEquals([slab.size, slab.contains(LAST)], [0, false]);
    assert(slab.insert("d") !== LAST);
  });

  it("does not move a value from a place that has no generation left", () => {
    const slab = GenerationalSlab.fromEntries([[0, "a"], [LAST + 1, "b"]]);
    slab.remove(0);
    slab.compact(() => {
      throw new Error("it was asked to rename");
    });
    assertEquals([slab.get(LAST + 1), slab.capacity], ["b", 2]);
  });

  it("is made of another one's entries, and knows its keys", () => {
    const slab = new GenerationalSlab<string>();
    slab.remove(slab.insert("a"));
    const kept = [slab.insert("b"), slab.insert("c")];
    const copy = GenerationalSlab.fromEntries(slab);
    assertEquals([kept, [...copy.keys()], [...copy.values()]], [[PLACES, 1], [PLACES, 1], ["b", "c"]]);
    copy.remove(PLACES);
    assertEquals([copy.insert("d"), copy.insert("e")], [2 * PLACES, 2 * PLACES + 2]);
    for (const key of [-1, 0.5, NaN, 2 ** 53]) {
      assertThrows(() => GenerationalSlab.fromEntries([[key, "a"]]), RangeError, `invalid key ${key}`);
    }
  });

  it("refuses keys that are none", () => {
    const slab = new GenerationalSlab<string>();
    slab.reserve(3);
    slab.insert("a");
    for (const key of [1, -1, 0.5, NaN, Infinity, 2 ** 53, -PLACES]) {
      assertEquals([slab.get(key), slab.contains(key), slab.tryRemove(key)], [undefined, false, undefined]);
      assertThrows(() => slab.remove(key), RangeError, `invalid key ${key}`);
    }
    assertThrows(() => slab.get2(0, 0), RangeError, "under one key, 0");
    assertEquals([slab.capacity, [...slab]], [3, [[0, "a"]]]);
  });
});
