/**
 * A map goes by what it is: neither what its properties are made to say, nor what the getters of an argument do, leads
 * to memory that is not its own.
 */
import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { Fd } from "../../lib/io/mod.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { memoryOf } from "../../lib/mem/memory.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { pattern, scratch, TOOLS } from "./scratch.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const SIZE = 3 * 4096 + 123;
const contents = pattern(SIZE);
const disk = scratch();

describe("a map whose properties say something else", () => {
  const LIES = {
    "own properties": "Object.defineProperties(map, lies);",
    "those of the class": "Object.defineProperties(Mmap.prototype, lies);",
    "those of another prototype": "Object.setPrototypeOf(map, Object.create(Mmap.prototype, lies));",
  };

  for (const [kind, lie] of Object.entries(LIES)) {
    it(`is looked at within its bounds: ${kind}`, () => {
      const source = `${TOOLS}
        import { memoryOf } from "${moduleUrl("lib/mem/memory.ts")}";
        const map = Mmap.open(file(2), { mode: "r+" });
        const { bytes, view, copy, dataView, windows, advise, flush, flushSync, remap, share } = Mmap.prototype;
        const far = new Uint8Array(100);
        const lies = {
          byteLength: { value: 2 ** 46, configurable: true },
          mode: { value: "w+", configurable: true },
          isShared: { value: true, configurable: true },
          path: { value: Symbol("path"), configurable: true },
          bytes: { value: () => far, configurable: true },
        };
        ${lie}
        const at = 2 ** 30;
        const calls = [
          () => bytes.call(map, at, 100)[5],
          () => view.call(map, Uint8Array, at, 100).fill(1),
          () => copy.call(map, Uint8Array, at, 100),
          () => dataView.call(map, at, 100).getInt8(0),
          () => advise.call(map, "dontneed", { offset: at, length: 2 ** 40 }),
          () => flush.call(map, { offset: at }),
          () => flushSync.call(map, { offset: at, length: 100 }),
          () => memoryOf(map, "cannot look", at, 100),
        ];
        const lengths = [bytes.call(map).length, dataView.call(map).byteLength];
        const parts = Array.from(windows.call(map, 5000), ({ bytes }) => bytes.length);
        advise.call(map, "random");
        flushSync.call(map);
        console.log([...new Set(calls.map(thrown))].join(), ...lengths, ...parts, memoryOf(map, "x", 4096, 8).bytes[0]);
        const adopted = Mmap.adopt(share.call(map));
        console.log(bytes.call(adopted).length);`;
      assertEquals(outputOf(source), "RangeError 8192 8192 5000 3192 7\n8192");
    });
  }

  it("shares no pages of its own, and is a map", () => {
    using map = Mmap.open(disk.file(contents), { mode: "c" });
    Object.defineProperties(map, { isShared: { value: true }, mode: { value: "r+" } });
    assertThrows(
      () => memoryOf(map, "cannot look", 0, 8),
      TypeError,
      `cannot look: mode c of ${map.path} shares`,
    );
    assertThrows(() => map.share(), TypeError, "mode c has pages of its own");
    assertThrows(() => map.flushSync(), TypeError, "mode c writes to no file");
    for (const value of [null, undefined, 1, {}, Object.create(map), new Proxy(map, {})]) {
      assertThrows(
        () => Reflect.apply(memoryOf, undefined, [value, "cannot look", 0, 8]),
        TypeError,
        "cannot look: map is no Mmap",
      );
    }
  });
});

describe("a getter of an argument", () => {
  it("that disposes the map leads to no memory of others", () => {
    const source = `${TOOLS}
      const path = file(300);
      const block = [];
      function disposing(call) {
        const map = Mmap.open(path, { mode: "r+" });
        return thrown(() => call(map, {
          get offset() {
            map[Symbol.dispose]();
            // Another's pages in the place of the disposed map's.
            for (let i = 0; i < 20; i++) block.push(Mmap.open(path, { mode: "c" }));
            for (const other of block) other.bytes().fill(9);
            return 0;
          },
        }));
      }
      const ends = [
        disposing((map, range) => map.advise("dontneed", range)),
        disposing((map, range) => map.advise("remove", range)),
        disposing((map, range) => map.flush(range)),
        disposing((map, range) => map.flushSync(range)),
      ];
      console.log(ends.join(), block.every((map) => map.bytes().every((byte) => byte === 9)));`;
    assertEquals(outputOf(source), "Error,Error,Error,Error true");
  });

  /** What of `values` is asked for, and how often. */
  function counted<T extends object>(values: T): [options: T, asked: Map<string | symbol, number>] {
    const asked = new Map<string | symbol, number>();
    const options = new Proxy(values, {
      get(target, name) {
        asked.set(name, (asked.get(name) ?? 0) + 1);
        return Reflect.get(target, name);
      },
    });
    return [options, asked];
  }

  it("is asked once", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "r+" });
    using fd = map.dupFd();
    const handle = map.share();
    const range = { offset: 0, length: 10 };
    const mapped = { advice: "random", populate: true, hugePages: undefined } as const;
    const options = { ...mapped, ...range, unsafeEnforce: false };
    const calls: [values: object, call: (options: object) => unknown][] = [
      [{ ...options, mode: "r" }, (options) => Mmap.open(path, options)],
      [{ ...options, mode: "r+" }, (options) => Mmap.open(path, options)],
      [{ ...options, mode: "w+" }, (options) => Mmap.open(disk.file(0), options)],
      [{ ...options, mode: "a+" }, (options) => Mmap.open(path, options)],
      [{ ...options, mode: "c" }, (options) => Mmap.fromFd(fd, options)],
      [{ ...mapped, seals: ["grow"] }, (options) => Mmap.memfd("memory", 10, options)],
      [mapped, (options) => Mmap.anonymous(10, options)],
      [{ mode: "r+" }, (options) => Mmap.adopt(handle, options)],
      [handle, (options) => Reflect.apply(Mmap.adopt, Mmap, [options])],
      [range, (range) => map.advise("random", range)],
      [range, (range) => map.flush(range)],
      [range, (range) => map.flushSync(range)],
    ];
    for (const [values, call] of calls) {
      const [options, asked] = counted({ ...values });
      const made = call(options);
      for (const name of Object.keys(values)) assertEquals([name, asked.get(name)], [name, 1]);
      if (made instanceof Mmap) made[Symbol.dispose]();
    }
  });

  it("that changes its mind makes no other map", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "r+" });
    using other = Mmap.open(disk.file(10), { mode: "r+" });
    const [handle, second] = [map.share(), other.share()];
    let asked = 0;
    using adopted = Mmap.adopt({
      kind: "oxbow-map",
      process: handle.process,
      nonce: handle.nonce,
      get descriptor() {
        return asked++ === 0 ? handle.descriptor : second.descriptor;
      },
    });
    assertEquals(adopted.bytes(), contents);
    asked = 0;
    const options = {
      get mode(): "r" | "r+" {
        return asked++ === 0 ? "r" : "r+";
      },
    };
    using read = Mmap.open(path, options);
    assertEquals([read.mode, read.isShared], ["r", false]);
  });

  it("that throws leaves no descriptor behind", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "r+" });
    using fd = map.dupFd();
    const handle = map.share();
    const before = descriptors();
    for (const name of ["mode", "offset", "length", "advice", "hugePages", "populate", "unsafeEnforce"]) {
      const options = Object.defineProperty({ mode: "r" }, name, { get: () => fail(), enumerable: true });
      for (const call of [Mmap.open.bind(Mmap, path), Mmap.fromFd.bind(Mmap, fd)]) {
        assertThrows(() => Reflect.apply(call, Mmap, [options]), Error, "of its own");
      }
    }
    const mode = Object.defineProperty({}, "mode", { get: () => fail(), enumerable: true });
    assertThrows(() => Mmap.adopt(handle, mode), Error, "of its own");
    for (const name of ["descriptor", "nonce", "process"]) {
      const thrower = Object.defineProperty({ ...handle }, name, { get: () => fail() });
      assertThrows(() => Mmap.adopt(thrower), Error, "of its own");
    }
    assertEquals(openedSince(before), []);
  });
});

describe("a handle whose file cannot be asked", () => {
  it("leaves no descriptor behind", () => {
    using map = Mmap.open(disk.file(contents));
    const handle = map.share();
    const before = descriptors();
    const { status } = Fd.prototype;
    Fd.prototype.status = fail;
    try {
      assertThrows(() => Mmap.adopt(handle), Error, "of its own");
    } finally {
      Fd.prototype.status = status;
    }
    assertEquals(openedSince(before), []);
  });
});

function fail(): never {
  throw new Error("an error of its own");
}
