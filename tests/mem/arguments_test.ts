/** Every argument of a map, wrong in every way: each is named, and nothing has happened. */
import { describe, it } from "node:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { shown } from "../../lib/io/arguments.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { tiered } from "../tier.ts";
import { pattern, scratch } from "./scratch.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const SIZE = 3 * 4096 + 123;
const RUNS = tiered({ quick: 200, full: 5_000, soak: 500_000 });
const contents = pattern(SIZE);
const disk = scratch();

describe("an option of Mmap.open", () => {
  const wrong: [options: unknown, sentence: string][] = [
    [null, "options are no object"],
    ["r", "options are no object"],
    [5, "options are no object"],
    ...["w", "R", "rw", "", null, 0, true, {}, ["r+"]].map((mode): [unknown, string] => [
      { mode },
      `mode is ${String(mode)}, and none of r, r+, c, w+, a+`,
    ]),
    ...["Random", "MADV_RANDOM", "", null, 1, ["random"]].map((advice): [unknown, string] => [
      { advice },
      `advice is ${String(advice)}, and none of normal, random`,
    ]),
    ...[true, 2, null, "huge", "reserved"].map((hugePages): [unknown, string] => [
      { hugePages },
      `hugePages is ${String(hugePages)}, and none of transparent`,
    ]),
    ...["yes", 1, null, {}].map((populate): [unknown, string] => [
      { populate },
      `populate is ${shown(populate)}, and no boolean`,
    ]),
    ...["yes", 1, null].map((unsafeEnforce): [unknown, string] => [
      { unsafeEnforce },
      `unsafeEnforce is ${shown(unsafeEnforce)}, and no boolean`,
    ]),
    [{ mode: "r+", unsafeEnforce: true }, "unsafeEnforce is for mode r, and mode is r+"],
    [{ mode: "w+" }, "mode w+ makes a file of the length that is asked for, and length is missing"],
  ];

  it("is named where it is wrong, before a file is opened or made", () => {
    const none = join(disk.folder, "none.bin");
    const path = disk.file(contents);
    for (const [options, sentence] of wrong) {
      for (const name of [none, path]) {
        assertThrows(() => Reflect.apply(Mmap.open, Mmap, [name, options]), TypeError, sentence);
      }
    }
    for (const mode of ["w+", "a+", "r+"]) {
      assertThrows(
        () => Reflect.apply(Mmap.open, Mmap, [none, { mode, length: 10, advice: "x" }]),
        TypeError,
        "advice is x",
      );
    }
    assertEquals([existsSync(none), readFileSync(path).equals(contents)], [false, true]);
  });

  it("is named where there is none of that name, and no file is made", () => {
    const none = join(disk.folder, "none.bin");
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "r+" });
    using fd = map.dupFd();
    const sentence = 'there is no option "lenght", only ';
    const calls: [call: (...args: never[]) => unknown, ...args: unknown[]][] = [
      [Mmap.open, none, { mode: "w+", length: 1, lenght: 3 }],
      [Mmap.open, path, { lenght: undefined }],
      [Mmap.anonymous, 5, { lenght: 3 }],
      [Mmap.memfd, "memory", 5, { lenght: 3 }],
      [Mmap.fromFd, fd, { lenght: 3 }],
      [Mmap.adopt, map.share(), { lenght: 3 }],
      [map.flush.bind(map), { lenght: 3 }],
      [map.flushSync.bind(map), { lenght: 3 }],
      [map.advise.bind(map), "normal", { lenght: 3 }],
    ];
    for (const [call, ...args] of calls) {
      assertThrows(() => Reflect.apply(call, Mmap, args), TypeError, sentence);
    }
    assertEquals(existsSync(none), false);
    assertThrows(
      () => Reflect.apply(Mmap.anonymous, Mmap, [5, { mode: "r" }]),
      TypeError,
      'cannot map memory as oxbow: there is no option "mode", only seals, advice, hugePages, populate',
    );
    assertThrows(
      () => Reflect.apply(Mmap.adopt, Mmap, [map.share(), { length: 1 }]),
      TypeError,
      'cannot adopt a map: there is no option "length", only mode',
    );
  });

  it("may be anything, and is named still", () => {
    const path = disk.file(contents);
    for (const value of [Object.create(null), Symbol("x"), () => 1, { toString: () => ({}) }]) {
      for (const name of ["mode", "advice", "hugePages", "populate", "unsafeEnforce"]) {
        assertThrows(
          () => Reflect.apply(Mmap.open, Mmap, [path, { [name]: value }]),
          TypeError,
          `cannot map ${path}: ${name} is ${shown(value)}, and `,
        );
      }
      assertThrows(
        () => Reflect.apply(Mmap.memfd, Mmap, ["memory", 1, { seals: [value] }]),
        TypeError,
        `a seal is ${shown(value)}, and none of`,
      );
    }
  });

  it("may be left undefined", () => {
    const options = { mode: undefined, offset: undefined, length: undefined, advice: undefined };
    using map = Mmap.open(disk.file(contents), { ...options, populate: undefined, hugePages: undefined });
    assertEquals([map.byteLength, map.mode], [SIZE, "r"]);
  });
});

describe("a path", () => {
  it("is text or a file: URL", () => {
    for (const path of [1, null, undefined, {}, [], Symbol("path")]) {
      assertThrows(
        () => Reflect.apply(Mmap.open, Mmap, [path]),
        TypeError,
        `cannot map ${shown(path)}: path is no string and no URL`,
      );
    }
    for (
      const [path, sentence] of [
        ["", 'cannot map "": path is empty'],
        ["a\0b", 'cannot map "a\\u0000b": it holds a NUL'],
        [new URL("http://127.0.0.1/x"), "cannot map http://127.0.0.1/x: it is no file: URL of this machine"],
        [new URL("file:///a%00b"), "cannot map file:///a%00b: it "],
        [Object.create(null), "cannot map an object: path is no string"],
        [Object.create(URL.prototype), "cannot map an object: it is no file: URL"],
      ] as const
    ) {
      assertThrows(() => Mmap.open(path), TypeError, sentence);
    }
  });
});

describe("a map", () => {
  it("is made by its own functions alone", () => {
    assertThrows(() => Reflect.construct(Mmap, []), TypeError, "cannot make a map: call Mmap.open");
    assertThrows(() => Reflect.construct(Mmap, [Symbol("Mmap"), {}, {}, 1, {}]), TypeError, "call Mmap.open");
  });
});

const notNumbers: unknown[] = ["1", "", null, 1n, {}, [], true, Symbol("1"), Object.create(null), () => 1];
const notCounts = [NaN, Infinity, -Infinity, 0.5, -1, -0.5, 2 ** 53];

describe("a range", () => {
  it("that is none is named, by whatever takes one", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "r+" });
    const ranges = notCounts.flatMap((value) => [{ offset: value, length: 0 }, { length: value }]);
    const outside = [{ length: SIZE + 1 }, { offset: SIZE + 1 }, { offset: SIZE, length: 1 }, {
      offset: 1,
      length: SIZE,
    }];
    for (const range of [...ranges, ...outside, { offset: 2 ** 53 - 1, length: 2 ** 53 - 1 }]) {
      const end = `do not lie in its ${SIZE} bytes`;
      assertThrows(() => Reflect.apply(map.flushSync, map, [range]), RangeError, `cannot flush ${path}`);
      assertThrows(() => Reflect.apply(map.flushSync, map, [range]), RangeError, end);
      assertThrows(() => Reflect.apply(map.flush, map, [range]), RangeError, end);
      assertThrows(() => Reflect.apply(map.advise, map, ["dontneed", range]), RangeError, end);
    }
    for (const value of notCounts) {
      assertThrows(
        () => Reflect.apply(map.bytes, map, [value, 0]),
        RangeError,
        `cannot view ${path} as Uint8Array`,
      );
      assertThrows(() => Reflect.apply(map.bytes, map, [0, value]), RangeError, "do not lie in");
      assertThrows(
        () => Reflect.apply(map.dataView, map, [value, 0]),
        RangeError,
        `cannot view ${path} as DataView`,
      );
      assertThrows(() => Reflect.apply(map.dataView, map, [0, value]), RangeError, "do not lie in");
      assertThrows(
        () => Reflect.apply(map.copy, map, [Uint8Array, value, 0]),
        RangeError,
        `cannot copy ${path}`,
      );
      assertThrows(() => Reflect.apply(map.copy, map, [Uint8Array, 0, value]), RangeError, "do not lie in");
    }
    assertEquals(map.bytes(), contents);
  });

  it("says which argument is no number, whatever it can be made", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "r+" });
    for (const value of notNumbers) {
      const calls: [call: () => void, name: string][] = [
        ...[map.bytes, map.dataView].flatMap((method): [() => void, string][] => [
          [() => Reflect.apply(method, map, [value]), "offset"],
          [() => Reflect.apply(method, map, [value, 1]), "offset"],
          [() => Reflect.apply(method, map, [5, value]), "length"],
        ]),
        ...[map.view, map.copy].flatMap((method): [() => void, string][] => [
          [() => Reflect.apply(method, map, [Uint8Array, value, 1]), "byteOffset"],
          [() => Reflect.apply(method, map, [Uint8Array, 5, value]), "length"],
        ]),
        ...[map.flush, map.flushSync].flatMap((method): [() => void, string][] => [
          [() => Reflect.apply(method, map, [{ offset: value }]), "offset"],
          [() => Reflect.apply(method, map, [{ length: value }]), "length"],
        ]),
        [() => Reflect.apply(map.advise, map, ["normal", { offset: value }]), "offset"],
        [() => Reflect.apply(map.remap, map, [value]), "length"],
        [() => Reflect.apply(Mmap.open, Mmap, [path, { offset: value }]), "offset"],
        [() => Reflect.apply(Mmap.open, Mmap, [path, { length: value }]), "length"],
        [() => Reflect.apply(Mmap.open, Mmap, [path, { mode: "a+", length: value }]), "length"],
        [() => Reflect.apply(Mmap.anonymous, Mmap, [value]), "length"],
      ];
      for (const [call, name] of calls) {
        assertThrows(call, RangeError, `: ${name} is ${shown(value)}, not a count of `);
      }
    }
    for (const method of [map.view, map.copy]) {
      assertThrows(() => Reflect.apply(method, map, [Uint8Array, 0]), RangeError, "length is undefined");
    }
    assertEquals(readFileSync(path).equals(contents), true);
  });

  it("is an object", () => {
    using map = Mmap.open(disk.file(contents), { mode: "r+" });
    for (const range of [null, 5, "all", [], [0, 1]]) {
      assertThrows(() => Reflect.apply(map.flushSync, map, [range]), TypeError, "range is no object");
      assertThrows(() => Reflect.apply(map.flush, map, [range]), TypeError, "range is no object");
      assertThrows(() => Reflect.apply(map.advise, map, ["normal", range]), TypeError, "range is no object");
    }
  });
});

describe("an advice", () => {
  it("that is none is named", () => {
    using map = Mmap.open(disk.file(contents));
    assertThrows(
      () => Reflect.apply(map.advise, map, []),
      TypeError,
      `cannot advise ${map.path}: advice is missing`,
    );
    for (const advice of ["often", "DONTNEED", "toString", "constructor", "", null, 4, {}]) {
      assertThrows(
        () => Reflect.apply(map.advise, map, [advice]),
        TypeError,
        `cannot advise ${map.path}: advice is ${String(advice)}, and none of normal`,
      );
    }
  });
});

describe("the size of windows", () => {
  it("that is none is named, before the first one is asked for", () => {
    using map = Mmap.open(disk.file(contents));
    for (const size of [...notNumbers, ...notCounts, 0, undefined, 2 ** 32 + 1]) {
      assertThrows(
        () => Reflect.apply(map.windows, map, [size]),
        RangeError,
        `cannot divide ${map.path}: size is ${shown(size)}, not a count of bytes from 1 to 4294967296`,
      );
    }
  });

  it("divides a map without a rest", () => {
    using map = Mmap.open(disk.file(contents), { offset: 5 });
    fc.assert(
      fc.property(fc.integer({ min: 100, max: SIZE + 10 }), (size) => {
        const windows = [...map.windows(size)];
        assertEquals(windows.map(({ byteOffset }) => byteOffset), windows.map((_, i) => i * size));
        assertEquals(windows.flatMap(({ bytes }) => [...bytes]), [...contents.slice(5)]);
      }),
      { numRuns: Math.min(RUNS, 500) },
    );
    using empty = Mmap.open(map.path, { length: 0 });
    assertEquals([...empty.windows(1)].length, 0);
  });

  it("serves a map that is larger than any view", () => {
    const path = disk.file(6 * 2 ** 30);
    using map = Mmap.open(path, { mode: "r+" });
    for (const { byteOffset, bytes } of map.windows(2 ** 30)) bytes[5] = byteOffset / 2 ** 30 + 1;
    for (const size of [2 ** 32, 2 ** 31, 2 ** 30, 5 * 2 ** 28 + 1]) {
      const lengths = Array.from(map.windows(size), ({ bytes }) => bytes.length);
      assertEquals(lengths.reduce((sum, length) => sum + length, 0), 6 * 2 ** 30);
    }
    const marks = Array.from(map.windows(2 ** 30), ({ bytes }) => bytes[5]);
    assertEquals(marks, [1, 2, 3, 4, 5, 6]);
    const views = Array.from(map.windows(2 ** 30), ({ bytes }) => bytes);
    map[Symbol.dispose]();
    assertEquals(views.map((view) => view.length), [0, 0, 0, 0, 0, 0]);
  });
});

const types = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Float16Array],
  ...[Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array],
] as const;

describe("reads and writes", () => {
  it("agree with a plain buffer, by every view, at any place", () => {
    const size = 2 * 4096 + 77;
    for (const mode of ["r+", "c"] as const) {
      for (const offset of [0, 1, 4093]) {
        const path = disk.file(contents);
        using map = Mmap.open(path, { mode, offset, length: size });
        const plain = contents.slice(offset, offset + size);
        const step = fc.tuple(fc.nat(types.length - 1), fc.nat(size), fc.nat(64), fc.nat(255), fc.nat(4));
        fc.assert(
          fc.property(step, ([type, at, count, value, how]) => {
            const Type = types[type];
            const width = Type.BYTES_PER_ELEMENT;
            const from = how < 2 ? Math.max(Math.floor((at + offset) / width) * width - offset, 0) : at;
            const length = Math.min(count, Math.floor((size - from) / width));
            const bytes = length * width;
            if ((from + offset) % width === 0) {
              const view = map.view<InstanceType<typeof Type>>(Type, from, length);
              new Uint8Array(view.buffer, view.byteOffset, bytes).fill(value);
              plain.fill(value, from, from + bytes);
              assertEquals(view, new Type(plain.slice(from, from + bytes).buffer));
            } else if (length > 0) {
              map.dataView(from, bytes).setUint8(bytes - 1, value);
              plain[from + bytes - 1] = value;
            }
            const copy = map.copy<InstanceType<typeof Type>>(Type, from, length);
            assertEquals(copy, new Type(plain.slice(from, from + bytes).buffer));
            assertEquals(map.bytes(from, bytes), plain.slice(from, from + bytes));
            assert(bytes === 0 || copy.buffer !== map.bytes(from, bytes).buffer);
          }),
          { numRuns: RUNS },
        );
        assertEquals(map.bytes(), plain);
        const expected = contents.slice();
        if (mode === "r+") expected.set(plain, offset);
        assertEquals(readFileSync(path).equals(expected), true);
      }
    }
  });

  it("are told by number and byte order through a data view", () => {
    using map = Mmap.open(disk.file(contents), { mode: "c", offset: 3 });
    map.dataView(1).setFloat64(0, Math.PI, true);
    assertEquals(map.dataView(1, 8).getFloat64(0, true), Math.PI);
    assertEquals(map.copy(Float64Array, 1, 1)[0], Math.PI);
    assertEquals([map.dataView(5, 0).byteLength, map.dataView().byteLength], [0, map.byteLength]);
  });
});

describe("errors", () => {
  it("leave no descriptor and no page behind", () => {
    const path = disk.file(contents);
    const before = descriptors();
    for (let i = 0; i < 100; i++) {
      for (const mode of ["r", "r+", "c", "a+"]) {
        assertThrows(() => Reflect.apply(Mmap.open, Mmap, [path, { mode, offset: -1 }]), RangeError);
        assertThrows(() => Reflect.apply(Mmap.open, Mmap, [path, { mode, advice: "x" }]), TypeError);
        assertThrows(() => Reflect.apply(Mmap.open, Mmap, [disk.folder, { mode }]), Error);
      }
      assertThrows(() => Mmap.anonymous(2 ** 50), SystemError);
      assertThrows(() => Mmap.open(path, { advice: "remove" }), SystemError);
    }
    assertEquals(openedSince(before), []);
    assertEquals(readFileSync("/proc/self/maps", "latin1").includes(path), false);
  });
});
