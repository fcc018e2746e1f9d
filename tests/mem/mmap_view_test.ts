import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { shown } from "../../lib/io/arguments.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { pattern, scratch } from "./scratch.ts";

const SIZE = 3 * 4096 + 123;

const contents = pattern(SIZE);
const files = scratch();
let path: string;

beforeEach(() => {
  path = files.file(contents);
});

const types = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Float16Array],
  ...[Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array],
] as const;

describe("view", () => {
  for (const Type of types) {
    it(`as ${Type.name} has the file's elements, wherever they are aligned`, () => {
      const size = Type.BYTES_PER_ELEMENT;
      const most = Math.floor(SIZE / size);
      const part = fc.tuple(fc.nat(most), fc.nat(most)).map(([a, b]) => [Math.min(a, b), Math.abs(a - b)]);
      using map = Mmap.open(path);
      fc.assert(
        fc.property(part, ([first, length]) => {
          const view = map.view<InstanceType<typeof Type>>(Type, first * size, length);
          const expected = contents.slice(first * size, (first + length) * size);
          assert(view instanceof Type);
          assertEquals([view.length, view.byteLength], [length, length * size]);
          assertEquals(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), expected);
        }),
        { numRuns: 50 },
      );
    });
  }

  it("counts its alignment in the file, and not in the map", () => {
    using map = Mmap.open(path, { offset: 4090, length: 100 });
    assertEquals(map.view(Float32Array, 2, 2), new Float32Array(contents.slice(4092, 4100).buffer));
    for (const byteOffset of [0, 1, 3, 4]) {
      assertThrows(
        () => map.view(Float32Array, byteOffset, 1),
        RangeError,
        `cannot view ${path} as Float32Array: byte ${byteOffset} does not lie at a multiple of 4 in the file; ` +
          "copy the bytes with copy(), or use dataView()",
      );
    }
  });

  it("refuses every unaligned place of every type", () => {
    using map = Mmap.open(path);
    for (const Type of types) {
      const size = Type.BYTES_PER_ELEMENT;
      for (let byteOffset = 0; byteOffset < 16; byteOffset++) {
        const open = () => map.view<InstanceType<typeof Type>>(Type, byteOffset, 1);
        if (byteOffset % size === 0) assertEquals(open().length, 1);
        else assertThrows(open, RangeError, `as ${Type.name}: byte ${byteOffset} does not lie at a multiple`);
      }
    }
  });

  it("refuses what does not lie in the map", () => {
    using map = Mmap.open(path, { offset: 8, length: 80 });
    const wrong = [[0, 11], [8, 10], [80, 1], [88, 0], [-8, 1], [0, -1], [0, 2 ** 53], [2 ** 53, 0], [
      0,
      2 ** 52,
    ]];
    wrong.push([NaN, 1], [0, NaN], [0.5, 1], [0, 0.5], [Infinity, 0], [0, Infinity]);
    for (const [byteOffset, length] of wrong) {
      assertThrows(
        () => map.view(Float64Array, byteOffset, length),
        RangeError,
        `as Float64Array: ${length} elements from byte ${byteOffset} do not lie in its 80 bytes`,
      );
    }
    assertEquals([map.view(Float64Array, 0, 10).length, map.view(Float64Array, 80, 0).length], [10, 0]);
    for (const value of ["1", null, undefined, 1n, {}]) {
      assertThrows(() => Reflect.apply(map.view, map, [Uint8Array, value, 1]), RangeError, "byteOffset is");
      assertThrows(() => Reflect.apply(map.view, map, [Uint8Array, 0, value]), RangeError, "length is");
    }
  });

  it("refuses what is no typed array", () => {
    using map = Mmap.open(path);
    function typed(BYTES_PER_ELEMENT: unknown): unknown {
      return Object.assign(class Elements {}, { BYTES_PER_ELEMENT });
    }
    const sizes = [0.5, -1, 0, 9, 16, 2 ** 40, NaN, "1", 1n, null, Symbol("1"), Object.create(null)].map(
      typed,
    );
    for (const [verb, method] of [["view", map.view], ["copy", map.copy]] as const) {
      for (const value of [Array, Date, class {}, ...sizes]) {
        for (const length of [0, 1]) {
          const call = () => Reflect.apply(method, map, [value, 0, length]);
          assertThrows(call, TypeError, "it is no typed array, whose BYTES_PER_ELEMENT is from 1 to 8");
          assertThrows(call, TypeError, `cannot ${verb} ${path} as `);
        }
      }
      const size = { BYTES_PER_ELEMENT: 1 };
      const arrow = Object.assign(() => {}, size);
      for (
        const value of [
          undefined,
          null,
          1,
          "x",
          Symbol("x"),
          Object.create(null),
          { ...size, name: "x" },
          arrow,
        ]
      ) {
        assertThrows(
          () => Reflect.apply(method, map, [value, 0, 1]),
          TypeError,
          `cannot ${verb} ${path}: Type is ${shown(value)}, and it is no typed array's constructor`,
        );
      }
      const nameless = Object.defineProperty(class extends Uint8Array {}, "name", { value: Symbol("x") });
      assertThrows(
        () => Reflect.apply(method, map, [nameless, 0, 1]),
        TypeError,
        `cannot ${verb} ${path}: the name of Type is Symbol(x), and no text`,
      );
    }
  });

  it("is no DataView, on any host", () => {
    using map = Mmap.open(path);
    for (const Type of [DataView, class Own extends DataView<ArrayBuffer> {}]) {
      for (const [verb, method] of [["view", map.view], ["copy", map.copy]] as const) {
        assertThrows(
          () => Reflect.apply(method, map, [Type, 0, 8]),
          TypeError,
          `cannot ${verb} ${path} as ${Reflect.get(Type, "name")}: it is no typed array; use dataView()`,
        );
      }
    }
  });

  it("is not fooled by a type that changes its mind about its size", () => {
    let asked = 0;
    class Liar extends Uint8Array<ArrayBuffer> {
      static override get BYTES_PER_ELEMENT(): 1 {
        return asked++ === 0 ? 1 : fail();
      }
    }
    using map = Mmap.open(path);
    assertEquals(map.view(Liar, 0, SIZE).length, SIZE);
  });

  it("is not fooled by a type that disposes the map when it is asked for its size", () => {
    const map = Mmap.open(path);
    class Trap extends Uint8Array<ArrayBuffer> {
      static override get BYTES_PER_ELEMENT(): 1 {
        map[Symbol.dispose]();
        return 1;
      }
    }
    assertThrows(() => map.view(Trap, 0, 1), Error, "the map was disposed");
  });

  it("is the same memory as every other view", () => {
    using map = Mmap.open(path);
    const words = map.view(Uint32Array, 4096, 4);
    map.bytes(4100, 4).set([1, 2, 3, 4]);
    assertEquals(words[1], 0x04030201);
    assertEquals(map.bytes()[4101], 2);
  });
});

function fail(): never {
  throw new Error("it was asked twice");
}
