import { after, before, beforeEach, describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { shown } from "../../lib/io/arguments.ts";
import { MapTransferredError, Mmap } from "../../lib/mem/mmap.ts";
import { moduleUrl } from "../child.ts";
import { tiered } from "../tier.ts";
import { runCollecting } from "./collect.ts";

const GIB = 2 ** 30;
const SIZE = 3 * 4096 + 123;
const RUNS = tiered({ quick: 300, full: 10_000, soak: 1_000_000 });

const contents = Uint8Array.from({ length: SIZE }, (_, i) => (i * 131 + (i >> 8) * 17 + 5) & 255);

let folder: string;
let path: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-mmap-"));
  path = join(folder, "file.bin");
});

after(() => rmSync(folder, { recursive: true }));

beforeEach(() => writeFileSync(path, contents));

describe("Mmap.open", () => {
  it("maps the whole file where nothing is said", () => {
    using map = Mmap.open(path);
    assertEquals([map.byteLength, map.path, map.isClosed], [SIZE, path, false]);
    assertEquals(map.bytes(), contents);
  });

  it("maps any part, of any alignment", () => {
    const part = fc.tuple(fc.nat(SIZE), fc.nat(SIZE)).map(([a, b]) => [Math.min(a, b), Math.abs(a - b)]);
    fc.assert(
      fc.property(part, ([offset, length]) => {
        using map = Mmap.open(path, { offset, length });
        assertEquals(map.byteLength, length);
        assertEquals(map.bytes(), contents.slice(offset, offset + length));
      }),
      { numRuns: RUNS },
    );
  });

  it("maps up to the end where no length is said", () => {
    for (const offset of [0, 1, 4095, 4096, 4097, SIZE - 1, SIZE]) {
      using map = Mmap.open(path, { offset });
      assertEquals(map.bytes(), contents.slice(offset));
    }
  });

  it("takes a file: URL and a relative path", () => {
    const odd = join(folder, "a b%20#ü.bin");
    writeFileSync(odd, "odd");
    for (const name of [pathToFileURL(odd), relative(process.cwd(), odd), odd]) {
      using map = Mmap.open(name);
      assertEquals(new TextDecoder().decode(map.bytes().slice()), "odd");
    }
  });

  it("refuses a range outside the file, and names it", () => {
    for (const offset of [SIZE + 1, -1, 0.5, NaN, Infinity, 2 ** 60]) {
      assertThrows(
        () => Mmap.open(path, { offset }),
        RangeError,
        `cannot map ${path}: offset is ${offset}, and the file has ${SIZE} bytes`,
      );
    }
    for (const length of [SIZE - 99, -1, 0.5, NaN, Infinity, 2 ** 60]) {
      assertThrows(
        () => Mmap.open(path, { offset: 100, length }),
        RangeError,
        `cannot map ${path}: length is ${length}, and from 100 the file has ${SIZE - 100} bytes`,
      );
    }
    for (const value of ["1", null, 1n, {}]) {
      assertThrows(() => Reflect.apply(Mmap.open, Mmap, [path, { offset: value }]), RangeError, "offset is");
      assertThrows(() => Reflect.apply(Mmap.open, Mmap, [path, { length: value }]), RangeError, "length is");
    }
  });

  it("maps an empty file, and an empty part, to no bytes", () => {
    writeFileSync(path, "");
    for (const options of [{}, { offset: 0 }, { length: 0 }]) {
      using map = Mmap.open(path, options);
      assertEquals([map.byteLength, map.bytes().length, map.view(Float64Array, 0, 0).length], [0, 0, 0]);
      assertThrows(() => map.bytes(0, 1), RangeError, "do not lie in its 0 bytes");
    }
    assertThrows(() => Mmap.open(path, { length: 1 }), RangeError, "the file has 0 bytes");
    assertThrows(() => Mmap.open(path, { offset: 1 }), RangeError, "the file has 0 bytes");
  });

  it("says why it cannot map what has no pages", () => {
    assertThrows(() => Mmap.open(folder), TypeError, `cannot map ${folder}: it is a directory`);
    assertThrows(() => Mmap.open("/dev/null"), TypeError, "another device, which has no pages");
    assertThrows(() => Mmap.open("/dev/zero"), TypeError, "another device, which has no pages");
    for (const name of ["/proc/self/status", "/proc/self/mem", "/sys/kernel/notes"]) {
      const error = assertThrows(() => Mmap.open(name), SystemError, `mmap ${name} failed`);
      assertEquals([error.code, error.syscall, error.path], ["ENODEV", "mmap", name]);
      assertStringIncludes(error.message, "its file system makes it up as it is read; read it instead");
    }
  });

  it("does not wait for a pipe's other end", () => {
    const pipe = join(folder, "pipe");
    assertEquals(spawnSync("mkfifo", [pipe]).status, 0);
    assertThrows(() => Mmap.open(pipe), TypeError, `cannot map ${pipe}: it is a pipe`);
  });

  it("refuses a socket's file", async () => {
    const { createServer } = await import("node:net");
    const socket = join(folder, "socket");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const error = assertThrows(() => Mmap.open(socket), SystemError, "open");
    assertEquals([error.code, error.path], ["ENXIO", socket]);
    await new Promise((resolve) => server.close(resolve));
  });

  it("throws what open(2) says", () => {
    for (
      const [name, code] of [
        [join(folder, "none"), "ENOENT"],
        [join(path, "below"), "ENOTDIR"],
        [join(folder, "x".repeat(300)), "ENAMETOOLONG"],
      ]
    ) {
      const error = assertThrows(() => Mmap.open(name), SystemError, `open ${name} failed: `);
      assertEquals([error.code, error.path, error.syscall], [code, name, "open"]);
    }
  });

  it("refuses what is no path", () => {
    for (const value of [undefined, null, 5, {}, new Uint8Array(3)]) {
      assertThrows(() => Reflect.apply(Mmap.open, Mmap, [value]), TypeError, "path is no string and no URL");
    }
    assertThrows(() => Mmap.open("a\0b"), TypeError, "it holds a NUL");
    assertThrows(() => Mmap.open(new URL("https://127.0.0.1/x")), TypeError);
  });

  it("leaves no descriptor open, whether it maps or throws", () => {
    const before = readdirSync("/proc/self/fd").length;
    const maps: Mmap[] = [];
    for (let i = 0; i < 100; i++) {
      maps.push(Mmap.open(path));
      assertThrows(() => Mmap.open(folder), TypeError);
      assertThrows(() => Mmap.open(path, { offset: -1 }), RangeError);
      assertThrows(() => Mmap.open("/proc/self/status"), SystemError);
    }
    assert(readdirSync("/proc/self/fd").length < before + 50);
    for (const map of maps) map[Symbol.dispose]();
  });
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

describe("bytes", () => {
  it("is as slice, without a copy", () => {
    using map = Mmap.open(path, { offset: 77 });
    const part = fc.tuple(fc.nat(map.byteLength), fc.nat(map.byteLength)).map((
      [a, b],
    ) => [Math.min(a, b), Math.abs(a - b)]);
    fc.assert(
      fc.property(part, ([offset, length]) => {
        assertEquals(map.bytes(offset, length), contents.slice(77 + offset, 77 + offset + length));
        assertEquals(map.bytes(offset).length, map.byteLength - offset);
      }),
      { numRuns: RUNS },
    );
  });

  it("refuses what does not lie in the map", () => {
    using map = Mmap.open(path);
    for (const [offset, length] of [[0, SIZE + 1], [SIZE, 1], [-1, 1], [0, -1], [NaN, 1]]) {
      assertThrows(() => map.bytes(offset, length), RangeError, `do not lie in its ${SIZE} bytes`);
    }
    assertThrows(() => map.bytes(SIZE + 1), RangeError, "do not lie in");
  });
});

describe("the map's length", () => {
  it("cannot be changed, which every check relies on", () => {
    using map = Mmap.open(path);
    assertEquals(Reflect.set(map, "byteLength", 2 ** 40), false);
    assertEquals(map.byteLength, SIZE);
    assertThrows(() => map.bytes(0, SIZE + 1), RangeError);
  });
});

describe("a file of 6 GiB", () => {
  const size = 6 * GIB;
  let large: string;

  before(() => {
    large = join(folder, "large.bin");
    writeFileSync(large, "");
    truncateSync(large, size);
    const file = openSync(large, "r+");
    for (const at of [0, 2 ** 32 - 4, 2 ** 32, size - 8]) {
      writeSync(file, Uint8Array.of(1, 2, 3, 4), 0, 4, at);
    }
    closeSync(file);
  });

  after(() => unlinkSync(large));

  it("is mapped whole, and seen in parts", () => {
    using map = Mmap.open(large);
    assertEquals(map.byteLength, size);
    assertEquals([...map.bytes(size - 8)], [1, 2, 3, 4, 0, 0, 0, 0]);
    assertEquals([...map.bytes(2 ** 32 - 4, 8)], [1, 2, 3, 4, 1, 2, 3, 4]);
    assertEquals([...map.view(Uint32Array, 2 ** 32 - 4, 2)], [0x04030201, 0x04030201]);
    assertEquals(map.bytes(0, 5).length, 5);
    assertEquals(map.view(Float64Array, size - 8, 1).length, 1);
  });

  it("is refused as one view, on every host alike", () => {
    using map = Mmap.open(large);
    const sentence = "bytes are more than one view holds, 4294967296";
    assertThrows(() => map.bytes(), RangeError, `cannot view ${large} as Uint8Array: ${size} ${sentence}`);
    assertThrows(() => map.bytes(1, 2 ** 32 + 1), RangeError, `${2 ** 32 + 1} ${sentence}`);
    assertThrows(() => map.view(Float64Array, 0, 2 ** 29 + 1), RangeError, `${2 ** 32 + 8} ${sentence}`);
  });

  it("is seen in views of up to 4 GiB, from any byte", () => {
    using map = Mmap.open(large);
    const whole = map.bytes(0, 2 ** 32);
    const rest = map.bytes(size - 2 ** 32, 2 ** 32);
    assertEquals([whole.length, whole[2 ** 32 - 1], rest[2 ** 32 - 8], rest.length], [
      2 ** 32,
      4,
      1,
      2 ** 32,
    ]);
    const odd = map.bytes(1, 2 ** 32);
    assertEquals([odd.length, odd[2 ** 32 - 1]], [2 ** 32, 1]);
  });

  it("is mapped in part from beyond 4 GiB", () => {
    using map = Mmap.open(large, { offset: 2 ** 32 - 3, length: 6 });
    assertEquals([...map.bytes()], [2, 3, 4, 1, 2, 3]);
    using exact = Mmap.open(large, { offset: 4, length: 2 ** 32 - 4 });
    assertEquals(exact.bytes().length, 2 ** 32 - 4);
    using more = Mmap.open(large, { offset: 4, length: 2 ** 32 });
    assertEquals([...more.bytes().subarray(2 ** 32 - 4)], [1, 2, 3, 4]);
  });

  it("loses every one of its views at dispose", () => {
    const map = Mmap.open(large);
    const views = [map.bytes(0, 8), map.bytes(size - 8, 8), map.bytes(0, 2 ** 32), map.bytes(2 ** 32, 4)];
    map[Symbol.dispose]();
    assertEquals(views.map((view) => view.length), [0, 0, 0, 0]);
  });
});

describe("dispose", () => {
  it("leaves every view with length 0", () => {
    const map = Mmap.open(path, { offset: 4 });
    const bytes = map.bytes();
    const floats = map.view(Float32Array, 0, 100);
    const views = [bytes, bytes.subarray(10, 20), map.bytes(4000, 200), floats, floats.subarray(5)];
    const copy = bytes.slice(0, 3);
    const clone = structuredClone(bytes.subarray(0, 3));
    const data = new DataView(bytes.buffer, 8);
    map[Symbol.dispose]();
    assertEquals(views.map((view) => view.length), [0, 0, 0, 0, 0]);
    assertEquals(views.map((view) => view[0]), new Array(5).fill(undefined));
    assertEquals(bytes.buffer.detached, true);
    assertThrows(() => data.getUint8(0), TypeError);
    assertEquals([...copy, ...clone], [...contents.slice(4, 7), ...contents.slice(4, 7)]);
  });

  it("comes with using", () => {
    let bytes = new Uint8Array(0);
    {
      using map = Mmap.open(path);
      bytes = map.bytes();
      assertEquals(bytes.length, SIZE);
    }
    assertEquals(bytes.length, 0);
  });

  it("ends every use of the map with an error that says so", () => {
    const map = Mmap.open(path);
    map[Symbol.dispose]();
    assertEquals([map.isClosed, map.byteLength], [true, SIZE]);
    assertThrows(() => map.bytes(), Error, `cannot view ${path} as Uint8Array: the map was disposed`);
    assertThrows(() => map.bytes(0, 0), Error, "the map was disposed");
    assertThrows(() => map.view(Float32Array, 0, 1), Error, "as Float32Array: the map was disposed");
  });

  it("does nothing the second time", () => {
    const map = Mmap.open(path);
    map[Symbol.dispose]();
    using other = Mmap.open(path);
    map[Symbol.dispose]();
    assertEquals(other.bytes(), contents);
  });

  it("of a map without views, or without bytes, is fine", () => {
    Mmap.open(path)[Symbol.dispose]();
    const empty = Mmap.open(path, { length: 0 });
    const bytes = empty.bytes();
    empty[Symbol.dispose]();
    assertEquals([empty.isClosed, bytes.length], [true, 0]);
  });

  it("leaves the other maps of the file alone", () => {
    const maps = Array.from({ length: 50 }, () => Mmap.open(path));
    const views = maps.map((map) => map.bytes());
    for (const [i, map] of maps.entries()) if (i % 2 === 0) map[Symbol.dispose]();
    for (const [i, view] of views.entries()) {
      if (i % 2 === 0) assertEquals(view.length, 0);
      else assertEquals(view, contents);
    }
    for (const map of maps) map[Symbol.dispose]();
  });

  it("gives everything back over many cycles, once the collector has been", () => {
    const cycles = tiered({ quick: 10_000, full: 100_000, soak: 10_000_000 });
    truncateSync(path, 1 << 20);
    const { stdout, stderr, code } = runCollecting(
      `
      import { readdirSync, readFileSync } from "node:fs";
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      const path = ${JSON.stringify(path)};
      const expected = readFileSync(path);
      function measure() {
        const status = readFileSync("/proc/self/status", "latin1");
        return {
          kilobytes: Number(/^VmRSS:\\s+(\\d+)/m.exec(status)[1]),
          megabytes: Number(/^VmSize:\\s+(\\d+)/m.exec(status)[1]) / 1024,
          descriptors: readdirSync("/proc/self/fd").length,
          mappings: readFileSync("/proc/self/maps", "latin1").split("\\n").length,
        };
      }
      async function cycle(times) {
        for (let i = 0; i < times; i++) {
          const offset = i % ${SIZE};
          using map = Mmap.open(path, { offset });
          if (map.bytes()[0] !== expected[offset]) throw new Error("a wrong byte in cycle " + i);
          // The collector's news come between turns.
          if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      }
      // What was collected is given back when enough maps have ended since.
      async function settle(isEnough) {
        for (let round = 0; round < 20 && !isEnough(); round++) {
          await collect();
          await cycle(1_000);
        }
      }
      let rounds = 0;
      await cycle(2_000);
      await settle(() => ++rounds > 2);
      const before = measure();
      function grown() {
        const after = measure();
        return Object.keys(before).map((of) => after[of] - before[of]);
      }
      function isBack() {
        const [kilobytes, megabytes, descriptors, mappings] = grown();
        return kilobytes < 128 * 1024 && megabytes < 2048 && descriptors <= 0 && mappings < 100;
      }
      await cycle(${cycles});
      const [, , descriptors, mappings] = grown();
      if (descriptors > 0 || mappings >= 1_000) throw new Error("kept: " + [descriptors, mappings]);
      await settle(isBack);
      console.log(isBack() ? "back" : JSON.stringify({ before, after: measure() }));
    `,
      { limitMs: tiered({ quick: 60_000, full: 300_000, soak: 3_600_000 }) },
    );
    assertEquals([stdout, stderr, code], ["back\n", "", 0]);
  });
});

describe("the file under a map", () => {
  it("is never written to by it", () => {
    const map = Mmap.open(path);
    using other = Mmap.open(path);
    map.bytes().fill(0xee);
    assertEquals(readFileSync(path).equals(contents), true);
    assertEquals(other.bytes(), contents);
    map[Symbol.dispose]();
    assertEquals(readFileSync(path).equals(contents), true);
  });

  it("is kept when another is renamed over it, or it is unlinked", () => {
    using old = Mmap.open(path);
    const replacement = join(folder, "replacement.bin");
    writeFileSync(replacement, contents.map((byte) => byte ^ 255));
    renameSync(replacement, path);
    using fresh = Mmap.open(path);
    assertEquals(old.bytes(), contents);
    assertNotEquals(fresh.bytes()[0], old.bytes()[0]);
    unlinkSync(path);
    assertEquals(fresh.bytes()[5], contents[5] ^ 255);
    assertEquals(old.bytes(4096), contents.slice(4096));
  });
});

describe("a buffer that was transferred away", () => {
  it("makes the map unusable, with an error that says why", () => {
    const map = Mmap.open(path);
    const view = map.bytes(10, 10);
    structuredClone(view, { transfer: [view.buffer] });
    const sentence = `cannot use the map of ${path}: a buffer of it was transferred away`;
    assertThrows(() => map.bytes(), MapTransferredError, sentence);
    const error = assertThrows(() => map[Symbol.dispose](), MapTransferredError, sentence);
    assertEquals([error.name, error instanceof Error, map.isClosed], ["MapTransferredError", true, true]);
    map[Symbol.dispose]();
    assertThrows(() => map.bytes(), Error, "the map was disposed");
  });

  it("reads zeros from dispose on, for as long as it lives", () => {
    const map = Mmap.open(path);
    const kept = map.bytes(0, SIZE).buffer.transfer();
    const bytes = new Uint8Array(kept, 0, SIZE);
    assertEquals(bytes, contents);
    assertThrows(() => map[Symbol.dispose](), MapTransferredError);
    assertEquals(bytes, new Uint8Array(SIZE));
    for (let i = 0; i < 1_000; i++) Mmap.open(path)[Symbol.dispose]();
    bytes[SIZE - 1] = 7;
    assertStrictEquals(bytes.indexOf(7), SIZE - 1);
  });
});
