import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Slab } from "../../lib/slab.ts";

/** A slab of the integers below `count`, each under itself, without those of `removed`. */
function counting(count: number, removed: readonly number[] = []): Slab<number> {
  const slab = new Slab<number>();
  for (let i = 0; i < count; i++) assertEquals(slab.insert(i), i);
  for (const key of removed) assertEquals(slab.remove(key), key);
  return slab;
}

function neverRenames(): boolean {
  throw new Error("it was asked to rename");
}

function inserted(slab: Slab<number>, count: number): number[] {
  return Array.from({ length: count }, () => slab.insert(100));
}

describe("a Slab, as the crate's tests have it,", () => {
  it("finds a value that was inserted, until it is removed", () => {
    const slab = new Slab<number>();
    assert(slab.isEmpty);
    const key = slab.insert(10);
    assertEquals([slab.get(key), slab.isEmpty, slab.contains(key)], [10, false, true]);
    assertEquals(slab.remove(key), 10);
    assertEquals([slab.get(key), slab.isEmpty, slab.contains(key)], [undefined, true, false]);
  });

  it("grows when its places are full", () => {
    const slab = new Slab<number>();
    slab.reserve(10);
    for (let i = 0; i < 10; i++) assertEquals(slab.get(slab.insert(i + 10)), i + 10);
    assertEquals(slab.capacity, 10);
    assertEquals([slab.get(slab.insert(20)), slab.capacity > 10], [20, true]);
  });

  it("keeps its capacity while ten values come and go", () => {
    const slab = new Slab<number>();
    slab.reserve(10);
    for (let i = 0; i < 10; i++) {
      const values = Array.from({ length: 10 }, (_, j) => i * 10 + j);
      const keys = values.map((value) => slab.insert(value));
      assertEquals(keys.map((key) => slab.get(key)), values);
      assertEquals(keys.map((key) => slab.remove(key)), values);
    }
    assertEquals([slab.capacity, slab.size], [10, 0]);
  });

  it("finds a value that was inserted by its vacant entry", () => {
    const slab = new Slab<number>();
    const entry = slab.vacantEntry();
    entry.insert(123);
    assertEquals(slab.get(entry.key), 123);
  });

  it("gives the value that was set last", () => {
    const slab = new Slab<number>();
    const key = slab.insert(1);
    slab.set(key, 2);
    assertEquals(slab.get(key), 2);
    slab.set(key, 3);
    assertEquals([slab.get(key), slab.size], [3, 1]);
  });

  it("reserves nothing where there is room", () => {
    const slab = new Slab<number>();
    slab.reserve(10);
    for (let i = 0; i < 6; i++) slab.insert(i);
    for (let key = 0; key < 4; key++) slab.remove(key);
    assertEquals(slab.capacity - slab.size, 8);
    slab.reserve(8);
    assertEquals(slab.capacity, 10);
    slab.reserve(9);
    assertEquals(slab.capacity, 11);
  });

  it("refuses to reserve more places than a slab has", () => {
    const slab = counting(1);
    assertThrows(() => slab.reserve(2 ** 26), RangeError, "cannot have 67108865 places");
    for (const additional of [-1, 0.5, NaN, Infinity]) {
      assertThrows(() => slab.reserve(additional), RangeError, "additional must be a count");
    }
    assertEquals(slab.capacity, 1);
  });

  it("retains what is wanted, and gives the other keys again", () => {
    const slab = counting(2);
    slab.retain((value, key) => {
      assertEquals(value, key);
      return value % 2 === 0;
    });
    assertEquals([slab.size, slab.get(0), slab.contains(1)], [1, 0, false]);
    assertEquals([slab.insert(123), slab.size, slab.capacity], [1, 2, 2]);
    assertEquals(slab.insert(345), 2);
  });

  it("iterates over what was not removed", () => {
    assertEquals([...counting(8, [0, 4, 5, 7])], [[1, 1], [2, 2], [3, 3], [6, 6]]);
  });

  it("iterates over keys and values, by key", () => {
    const slab = counting(4);
    assertEquals([...slab], [[0, 0], [1, 1], [2, 2], [3, 3]]);
    slab.remove(1);
    assertEquals([[...slab.keys()], [...slab.values()]], [[0, 2, 3], [0, 2, 3]]);
    assertEquals([...slab.entries()], [...slab]);
  });

  it("lets values be set during an iteration", () => {
    const slab = counting(4);
    for (const [key, value] of slab) slab.set(key, value + 1);
    slab.remove(2);
    for (const [key, value] of slab) slab.set(key, value + 1);
    assertEquals([...slab.values()], [2, 3, 5]);
  });

  it("is made of entries in order", () => {
    const slab = Slab.fromEntries([0, 1, 2, 3, 4].map((i) => [i, i]));
    assertEquals([[...slab.values()], slab.vacantKey], [[0, 1, 2, 3, 4], 5]);
  });

  it("is made of entries of which some replace others", () => {
    const slab = Slab.fromEntries([[0, "a"], [1, "a"], [1, "b"], [0, "b"], [9, "a"], [0, "c"]]);
    assertEquals([...slab], [[0, "c"], [1, "b"], [9, "a"]]);
    assertEquals([slab.size, slab.get(5), slab.vacantKey], [3, undefined, 8]);
  });

  it("is made of entries in any order", () => {
    const slab = Slab.fromEntries([[1, "one"], [50, "fifty"], [3, "three"], [20, "twenty"]]);
    assertEquals([slab.size, slab.vacantKey], [4, 0]);
    assertEquals([...slab], [[1, "one"], [3, "three"], [20, "twenty"], [50, "fifty"]]);
  });

  it("gives the keys between those it was made of, then new ones", () => {
    const cases: [keys: number[], given: number[]][] = [
      [[1], [0, 2, 3]],
      [[1, 2], [0, 3, 4]],
      [[1, 3], [2, 0, 4]],
      [[0, 2, 3, 5], [4, 1, 6]],
    ];
    for (const [keys, given] of cases) {
      const slab = Slab.fromEntries<number>(keys.map((key) => [key, 0]));
      assertEquals([slab.size, inserted(slab, 3)], [keys.length, given]);
    }
  });

  it("keeps its places when it is cleared", () => {
    const slab = counting(4);
    slab.clear();
    assertEquals([slab.size, slab.capacity, [...slab]], [0, 4, []]);
    assertEquals([inserted(slab, 2), slab.size], [[0, 1], 2]);
    slab.remove(0);
    slab.clear();
    assertEquals([slab.isEmpty, inserted(slab, 5)], [true, [0, 1, 2, 3, 4]]);
  });

  it("shrinks to nothing where it is empty", () => {
    const slab = new Slab<number>();
    slab.reserve(20);
    slab.shrinkToFit();
    assertEquals([slab.capacity, slab.insert(1)], [0, 0]);
  });

  it("gives back what was reserved", () => {
    const slab = new Slab<string>();
    slab.reserve(20);
    slab.insert("");
    slab.shrinkToFit();
    assertEquals([slab.capacity, slab.get(0), slab.insert("b")], [1, "", 1]);
  });

  it("moves nothing when it shrinks", () => {
    const slab = counting(4, [3, 1]);
    slab.shrinkToFit();
    assertEquals([slab.size, slab.capacity, slab.vacantKey, [...slab]], [2, 3, 1, [[0, 0], [2, 2]]]);
    assertEquals(inserted(slab, 2), [1, 3]);
  });

  it("gives the keys in the same order where it cannot shrink", () => {
    const slab = counting(4, [0, 2, 1]);
    slab.shrinkToFit();
    assertEquals([slab.size, slab.capacity, inserted(slab, 4)], [1, 4, [1, 2, 0, 4]]);
  });

  it("renames nothing where it is empty", () => {
    const slab = new Slab<number>();
    slab.compact(neverRenames);
    assertEquals([slab.size, slab.capacity], [0, 0]);
    slab.reserve(20);
    slab.compact(neverRenames);
    assertEquals([slab.size, slab.capacity], [0, 0]);
    const emptied = counting(3, [1, 2, 0]);
    emptied.compact(neverRenames);
    assertEquals([emptied.size, emptied.capacity, emptied.insert(0)], [0, 0, 0]);
  });

  it("renames nothing where only the end is vacant", () => {
    const slab = counting(10, [8, 9, 6, 7]);
    slab.compact(neverRenames);
    assertEquals([slab.capacity, [...slab.keys()]], [6, [0, 1, 2, 3, 4, 5]]);
  });

  it("moves the last values to the first vacant places", () => {
    const slab = counting(10, [0, 5, 9, 6, 3]);
    const moves: number[][] = [];
    slab.compact((value, from, to) => moves.push([value, from, to]) > 0);
    assertEquals(moves, [[8, 8, 0], [7, 7, 3]]);
    assertEquals([...slab], [[0, 8], [1, 1], [2, 2], [3, 7], [4, 4]]);
    assertEquals([slab.capacity, slab.size, inserted(slab, 2)], [5, 5, [5, 6]]);
  });

  it("moves no more after a renaming was refused", () => {
    const slab = counting(10, [9, 3, 1, 4, 0]);
    slab.compact((value) => value !== 6);
    assertEquals([...slab], [[0, 8], [1, 7], [2, 2], [5, 5], [6, 6]]);
    assertEquals([slab.capacity, slab.size, inserted(slab, 3)], [7, 5, [3, 4, 7]]);
  });

  it("is whole after a renaming that throws, and keeps the value", () => {
    const slab = counting(10, [1, 2, 3, 4, 5]);
    assertThrows(
      () =>
        slab.compact((value) => {
          if (value === 7) throw new Error("cannot rename 7");
          return true;
        }),
      Error,
      "cannot rename 7",
    );
    assertEquals([...slab], [[0, 0], [1, 9], [2, 8], [6, 6], [7, 7]]);
    assertEquals([slab.capacity, slab.size, inserted(slab, 4)], [8, 5, [3, 4, 5, 8]]);
  });

  it("drains all values", () => {
    const slab = counting(3);
    assertEquals([slab.drain(), slab.size, slab.insert(7)], [[0, 1, 2], 0, 0]);
  });

  it("is empty after draining, whoever reads the values", () => {
    const slab = counting(3);
    const [first] = slab.drain();
    assertEquals([first, slab.isEmpty, [...slab]], [0, true, []]);
  });

  it("drains values that can be read from the end", () => {
    assertEquals(counting(10, [9]).drain().toReversed(), [8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it("removes a value at the first try alone", () => {
    const slab = new Slab<number>();
    const key = slab.insert(1);
    assertEquals([slab.tryRemove(key), slab.tryRemove(key), slab.get(key)], [1, undefined, undefined]);
    assertEquals([slab.tryRemove(7), slab.tryRemove(-1), slab.size], [undefined, undefined, 0]);
  });

  it("is made of another slab", () => {
    const slab = counting(5, [1, 3]);
    const copy = Slab.fromEntries(slab);
    slab.remove(0);
    assertEquals([[...copy], copy.capacity], [[[0, 0], [2, 2], [4, 4]], 5]);
  });

  it("gives two values at once, of different keys", () => {
    const slab = counting(5, [1, 3]);
    assertEquals([slab.get2(0, 4), slab.get2(4, 0)], [[0, 4], [4, 0]]);
    assertThrows(() => slab.get2(2, 2), RangeError, "cannot get two values under one key, 2");
  });

  it("gives no two values where a key has none", () => {
    const slab = counting(5, [1]);
    assertEquals([slab.get2(0, 1), slab.get2(1, 0), slab.get2(0, 5)], [undefined, undefined, undefined]);
  });

  it("comes back from JSON", () => {
    for (const slab of [new Slab<number>(), Slab.fromEntries([[1, 2], [3, 4], [5, 6]])]) {
      const entries: [number, number][] = JSON.parse(JSON.stringify([...slab]));
      assertEquals([...Slab.fromEntries(entries)], [...slab]);
    }
  });
});
