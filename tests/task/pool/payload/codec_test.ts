import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { tiered } from "../../../tier.ts";
import { clone, cloneAll, refusal } from "./clones.ts";

const RUNS = tiered({ quick: 300, full: 5_000, soak: 200_000 });

/** What assertEquals does not see: which objects are the same one, in the order in which they are met. */
function identities(value: unknown): number[] {
  const seen = new Map<object, number>();
  const found: number[] = [];
  const waiting: unknown[] = [value];
  for (let next = waiting.shift(); waiting.length > 0 || next !== undefined; next = waiting.shift()) {
    if (typeof next !== "object" || next === null) continue;
    const known = seen.get(next);
    found.push(known ?? -1);
    if (known !== undefined) continue;
    seen.set(next, seen.size);
    if (next instanceof Map) waiting.push(...[...next].flat());
    else if (next instanceof Set) waiting.push(...next);
    else if (ArrayBuffer.isView(next)) waiting.push(next.buffer);
    else waiting.push(...Object.values(next));
  }
  return found;
}

/** Maps and sets as lists: of two keys that look alike Bun compares the first with either. */
function opened(value: unknown): unknown {
  if (value instanceof Map) return ["a map", ...[...value].flat().map(opened)];
  if (value instanceof Set) return ["a set", ...[...value].map(opened)];
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    list.length = value.length;
    value.forEach((element, index) => list[index] = opened(element));
    return list;
  }
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, opened(element)]));
}

function isHole(array: unknown, index: number): boolean {
  return Array.isArray(array) && !(index in array);
}

const all = {
  withBigInt: true,
  withDate: true,
  withSparseArray: true,
  withTypedArray: true,
  maxDepth: 5,
} as const;

/** Bun takes maps for different whose keys are boxed values. */
const anything = fc.oneof(
  fc.anything({ ...all, withMap: true, withSet: true }),
  fc.anything({ ...all, withBoxedValues: true }),
);

describe("the codec", () => {
  it("gives what structuredClone gives, of anything", () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 4 }), (values) => {
        const expected: unknown = structuredClone(values);
        assertEquals(opened(cloneAll(values)), opened(expected));
        assertEquals(identities(cloneAll(values)), identities(expected));
      }),
      { numRuns: RUNS },
    );
  });

  it("keeps what is shared shared, and circles round, across all values", () => {
    fc.assert(
      fc.property(
        fc.array(anything, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (pool, picks) => {
          const objects: unknown[] = pool.map((value, i) => ({
            value,
            i,
            next: pool[(i + 1) % pool.length],
          }));
          const values: unknown[] = picks.map((pick) => objects[pick % objects.length]);
          values.push(values, new Map([[values, values]]));
          const expected: unknown[] = structuredClone(values);
          const found = cloneAll([values])[0];
          assertEquals(identities(found), identities(expected));
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("keeps numbers to the bit, and strings to the unit", () => {
    const numbers = [
      0,
      -0,
      NaN,
      Infinity,
      -Infinity,
      1e-324,
      2 ** 31,
      -(2 ** 31),
      2 ** 53,
      -33,
      -32,
      95,
      96,
      32767,
      32768,
      -32769,
    ];
    assert(numbers.every((value) => Object.is(clone(value), value)));
    for (const length of [1, 7, 8, 9, 300]) {
      const list = Array.from({ length }, (_, i) => numbers[i % numbers.length]);
      assertEquals(clone(list), list);
      assertEquals(clone(list.map((value) => value | 0)), list.map((value) => value | 0));
    }
    const strings = ["", "a", "\xff", "\u0100", "\ud800", "\udc00\ud800", "\ufeffx", "\0"];
    for (const times of [1, 15, 16, 17, 40, 5000]) {
      for (const text of strings) assertStrictEquals(clone(text.repeat(times)), text.repeat(times));
      assertStrictEquals(clone("x".repeat(times) + "é"), "x".repeat(times) + "é");
    }
    const large = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, -(2n ** 64n), 12345n ** 60n, -(12345n ** 60n)];
    assertEquals(clone(large), large);
  });

  it("tells short strings apart whose sums are the same", () => {
    const names = Array.from({ length: 5000 }, (_, i) => `${String.fromCharCode(33 + i % 90)}${i}`);
    assertEquals(clone(names), names);
    assertEquals(clone(names), names);
  });

  it("keeps holes, and takes no time for those of an array that is sparse", () => {
    const sparse: unknown[] = [1];
    sparse[4_000_000_000] = { far: true };
    sparse[70] = "near";
    const found = clone(sparse);
    assert(Array.isArray(found));
    assertEquals([found.length, found[4_000_000_000], found[70], Object.keys(found).length], [
      4_000_000_001,
      { far: true },
      "near",
      3,
    ]);
    const few = [, undefined, , 3];
    const again = clone(few);
    assertEquals([0, 1, 2, 3].map((i) => isHole(again, i)), [true, false, true, false]);
    const empty: unknown = clone(new Array(1000));
    assertEquals([Array.isArray(empty) && empty.length, isHole(empty, 5)], [1000, true]);
  });

  it("keeps what a match has beside its groups", () => {
    const match = /(?<year>\d+)-(\d+)/.exec("on 2024-05");
    assertEquals(clone(match), structuredClone(match));
    const found: unknown = clone(match);
    assert(Array.isArray(found) && "index" in found && "groups" in found);
    assertEquals([found.index, found.groups], [3, { year: "2024" }]);
  });

  it("needs no stack for what is deep, and shares across what comes late", () => {
    const shared = { name: "shared" };
    for (
      const wrap of [
        (inner: unknown): unknown => [inner, shared],
        (inner: unknown): unknown => ({ inner, shared }),
        (inner: unknown): unknown => new Map([[shared, inner]]),
        (inner: unknown): unknown => new Set([inner, shared]),
        (inner: unknown): unknown => new Error("x", { cause: inner }),
      ]
    ) {
      let deep: unknown = shared;
      for (let i = 0; i < 10_000; i++) deep = wrap(deep);
      let found = clone(deep);
      let levels = 0;
      while (typeof found === "object" && found !== null && !("name" in found && found.name === "shared")) {
        const inner: unknown = Array.isArray(found)
          ? found[0]
          : found instanceof Map
          ? [...found.values()][0]
          : found instanceof Set
          ? [...found][0]
          : Reflect.get(found, found instanceof Error ? "cause" : "inner");
        found = inner;
        levels++;
      }
      assertEquals(levels, 10_000);
    }
  });

  it("names many kinds of records, and fields of any name", () => {
    const records = Array.from(
      { length: 100 },
      (_, i) => ({ [`k${i % 50}`]: i, both: -i, "": 0, [`a b ${i % 2}`]: null }),
    );
    assertEquals(clone(records), records);
    const strange = JSON.parse('{"__proto__":{"a":1},"constructor":2,"3":4,"toString":null}');
    const found = clone(strange);
    assertEquals(JSON.stringify(found), JSON.stringify(strange));
    assertStrictEquals(Object.getPrototypeOf(found), Object.prototype);
  });

  it("sends what another context has made as what it is", () => {
    const foreign: unknown = runInNewContext(
      "({ list: [1, { a: 2 }], map: new Map([[1, 2]]), date: new Date(3), bytes: new Uint8Array([1, 2]), error: new RangeError('r') })",
    );
    const found = clone(foreign);
    assert(
      typeof found === "object" && found !== null && "error" in found && "map" in found && "list" in found,
    );
    assert(found.map instanceof Map && found.error instanceof Error && Array.isArray(found.list));
    assertEquals([found.map.get(1), found.error.message, found.list[1]], [2, "r", { a: 2 }]);
  });

  it("goes by what an object is, and not by its prototype", () => {
    class Point {
      x = 1;
      #y = 2;
      get sum(): number {
        return this.x + this.#y;
      }
    }
    class Table extends Map<string, number> {
      extra = 1;
    }
    assertEquals(clone(new Point()), { x: 1 });
    assertEquals(clone(new Table([["a", 1]])), new Map([["a", 1]]));
    assertEquals(clone(Object.create(Map.prototype)), {});
    assertEquals(clone(Object.create(Date.prototype, { a: { value: 1, enumerable: true } })), { a: 1 });
    assertEquals(clone(Object.setPrototypeOf([1], { x: 1 })), [1]);
    assertEquals(clone(new Proxy({ a: [1] }, {})), { a: [1] });
    assertEquals(clone({ [Symbol("s")]: 1, hidden: Object.defineProperty({}, "x", { value: 1 }) }), {
      hidden: {},
    });
    assertEquals(clone(Object.assign(/a.b/giu, { lastIndex: 7 })), /a.b/giu);
    assertEquals(clone(new Date(NaN)), new Date(NaN));
  });

  it("gives the error of a getter that throws, and is whole after it", () => {
    const thrown = new RangeError("mine");
    const bad = {
      get it(): never {
        throw thrown;
      },
    };
    assertStrictEquals(assertThrows(() => cloneAll([{ a: [bad] }]), RangeError), thrown);
    assertEquals(cloneAll([{ a: 1 }, { a: 2 }]), [{ a: 1 }, { a: 2 }]);
  });

  it("sends what was there when it began, whatever getters do", () => {
    const map = new Map<unknown, unknown>();
    map.set("first", {
      get more(): number {
        map.set(map.size, 1);
        return map.size;
      },
    });
    assertEquals(clone(map), new Map([["first", { more: 2 }]]));
  });
});

describe("what cannot be sent", () => {
  it("is named by its path, with what to do", () => {
    const function_ = (): void => {};
    assertEquals(
      refusal(1, { image: { pixels: function_ } }),
      "cannot send argument 2.image.pixels: it is a function; name a job by module and export",
    );
    assertEquals(refusal(function_).split(":")[0], "cannot send argument 1");
    assertEquals(
      refusal([[0, new Map([["a b", new Set([Symbol("s")])]])]]),
      "cannot send argument 1[0][1].values()[0].values()[0]: it is a symbol, which is of its thread alone; send a string",
    );
    assertEquals(
      refusal({ "a b": { [7]: Promise.resolve() } }).split(":")[0],
      'cannot send argument 1["a b"]["7"]',
    );
    assertEquals(
      refusal(new Map([[{ key: new WeakMap() }, 1]])).split(":")[0],
      "cannot send argument 1.keys()[0].key",
    );
  });

  it("is found below any depth, and of a long path the ends are told", () => {
    let deep: unknown = { last: () => {} };
    for (let i = 0; i < 1000; i++) deep = [deep];
    assertEquals(
      refusal(0, deep).split(":")[0],
      `cannot send argument 2${"[0]".repeat(10)}…981 more…${"[0]".repeat(9)}.last`,
    );
  });

  it("is each thing that is bound to its thread", () => {
    const bound = [
      Promise.resolve(),
      new WeakMap(),
      new WeakSet(),
      new WeakRef({}),
      (function* () {})(),
      new Map().entries(),
      new AbortController().signal,
      new Response(),
      new Headers(),
      new ReadableStream(),
      new MessageChannel().port1,
      new URL("http://localhost/"),
      Object(Symbol("s")),
    ];
    bound.forEach((value, i) => {
      assert(refusal({ value }).startsWith("cannot send argument 1.value: it is"), `of number ${i}`);
    });
  });

  it("is a buffer that was transferred away, with its views", () => {
    const buffer = new ArrayBuffer(8);
    const view = new Uint8Array(buffer);
    buffer.transfer();
    for (const value of [buffer, view]) {
      assertEquals(
        refusal(value),
        "cannot send argument 1: its bytes were transferred away, or went with their owner",
      );
    }
  });
});
