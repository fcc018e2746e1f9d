import { describe, it } from "node:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { shown } from "../../lib/io/arguments.ts";
import { type MapMode, Mmap } from "../../lib/mem/mmap.ts";
import { outputOf, runChild } from "../child.ts";
import { pattern, scratch, smaps, TOOLS } from "./scratch.ts";

const SIZE = 3 * 4096 + 123;
const contents = pattern(SIZE);
const disk = scratch();

function fileIs(path: string, expected: Uint8Array): void {
  assertEquals(readFileSync(path).equals(expected), true);
}

describe("a length that no file can have", () => {
  it("is refused, and leaves the file's bytes as they were, in mode w+ too", () => {
    const path = disk.file(contents);
    for (const mode of ["w+", "a+"] as const) {
      const error = assertThrows(() => Mmap.open(path, { mode, length: 2 ** 52 }), SystemError, "ftruncate");
      assertEquals([error.code, statSync(path).size], ["EFBIG", SIZE]);
      fileIs(path, contents);
    }
  });
});

describe("mode r", () => {
  it("keeps a stray write from the file and from every other map", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path);
    using other = Mmap.open(path);
    using writer = Mmap.open(path, { mode: "r+" });
    map.bytes().fill(0xee);
    assertEquals([other.bytes()[9], writer.bytes()[9]], [contents[9], contents[9]]);
    fileIs(path, contents);
  });

  it("sees what is written to the file, but for pages with stray writes", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path);
    using writer = Mmap.open(path, { mode: "r+" });
    const bytes: Uint8Array = map.bytes();
    bytes[0] = contents[0];
    writer.bytes()[1] = contents[1] ^ 255;
    writer.bytes()[5000] = contents[5000] ^ 255;
    assertEquals([bytes[1], bytes[5000]], [contents[1], contents[5000] ^ 255]);
  });

  it("costs nothing while it is read", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { populate: true });
    map.bytes().reduce((sum, byte) => sum + byte, 0);
    assertEquals(smaps(path, "Anonymous"), 0);
    assertEquals(smaps(path, "Rss"), 16);
    map.bytes().fill(1, 0, 1);
    assertEquals(smaps(path, "Anonymous"), 4);
  });

  it("is neither shared nor enforced, and says so", () => {
    using map = Mmap.open(disk.file(contents));
    assertEquals([map.mode, map.isShared, map.isEnforced, map.guarded], ["r", false, false, true]);
  });
});

describe("unsafeEnforce", () => {
  it("lets the CPU refuse to write, and a file be cut", () => {
    const source = `
      const path = file(4);
      const map = Mmap.open(path, { unsafeEnforce: true });
      const bytes = map.bytes();
      fs.truncateSync(path, PAGE);
      console.log(map.isEnforced, bytes[0], bytes[2 * PAGE], map.faults());
      map[Symbol.dispose]();
      console.log(bytes.length);`;
    assertEquals(outputOf(TOOLS + source), "true 7 0 1\n0");
    const { code, stdout } = runChild(`${TOOLS}
      const map = Mmap.open(file(1), { unsafeEnforce: true });
      console.log(map.bytes()[0]);
      map.bytes()[0] = 1;
      console.log("written");`);
    assertEquals([code !== 0, stdout.includes("written")], [true, false]);
  });
});

describe("mode r+", () => {
  it("writes to the file, which every other map sees at once", () => {
    const path = disk.file(contents);
    using read = Mmap.open(path, { offset: 4000 });
    using copy = Mmap.open(path, { mode: "c" });
    using map = Mmap.open(path, { mode: "r+", offset: 77, length: 8000 });
    map.view(Uint8Array, 4000, 3).set([1, 2, 3]);
    assertEquals([...read.bytes(77, 3)], [1, 2, 3]);
    assertEquals([...copy.bytes(4077, 3)], [1, 2, 3]);
    const expected = contents.slice();
    expected.set([1, 2, 3], 4077);
    fileIs(path, expected);
    assertEquals([map.mode, map.isShared, map.isEnforced, map.guarded], ["r+", true, false, true]);
  });

  it("does not make or lengthen a file", () => {
    const none = join(disk.folder, "none.bin");
    const error = assertThrows(() => Mmap.open(none, { mode: "r+" }), SystemError, none);
    assertEquals([error.code, existsSync(none)], ["ENOENT", false]);
    const path = disk.file(contents);
    assertThrows(() => Mmap.open(path, { mode: "r+", length: SIZE + 1 }), RangeError, "length is");
    assertEquals(statSync(path).size, SIZE);
  });

  it("leaves what lies behind the file's end to nobody", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "r+" });
    assertEquals(new Uint8Array(map.bytes().buffer).length >= SIZE, true);
    map.bytes().fill(9);
    assertEquals(statSync(path).size, SIZE);
    fileIs(path, new Uint8Array(SIZE).fill(9));
  });
});

describe("mode c", () => {
  it("keeps its writes to itself, of which a page costs a page", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "c" });
    using other = Mmap.open(path, { mode: "c" });
    map.bytes()[5000] = contents[5000] ^ 255;
    assertEquals([map.bytes()[5000], other.bytes()[5000]], [contents[5000] ^ 255, contents[5000]]);
    assertEquals(smaps(path, "Anonymous"), 4);
    fileIs(path, contents);
    assertEquals([map.mode, map.isShared], ["c", false]);
  });

  it("takes a file that nobody may write to", () => {
    const path = "/proc/self/exe";
    using map = Mmap.open(path, { mode: "c", length: 4096 });
    assertEquals([...map.bytes(0, 4)], [0x7f, 0x45, 0x4c, 0x46]);
    map.bytes()[0] = 0;
    using read = Mmap.open(path, { length: 4096 });
    assertEquals(read.bytes()[0], 0x7f);
  });
});

describe("mode w+", () => {
  it("makes a file of zeros", () => {
    const path = join(disk.folder, "new.bin");
    using map = Mmap.open(path, { mode: "w+", length: 5000 });
    assertEquals([map.byteLength, statSync(path).size, map.isShared], [5000, 5000, true]);
    assertEquals(map.bytes(), new Uint8Array(5000));
    map.bytes()[4999] = 7;
    assertEquals(readFileSync(path)[4999], 7);
  });

  it("empties a file that is there, and keeps zeros before an offset", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "w+", offset: 4099, length: 10 });
    map.bytes().fill(1);
    const expected = new Uint8Array(4109).fill(1, 4099);
    fileIs(path, expected);
    assertEquals(map.byteLength, 10);
  });

  it("takes a length of none", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "w+", length: 0 });
    assertEquals([map.byteLength, statSync(path).size, map.guarded], [0, 0, false]);
  });

  it("needs a length", () => {
    const path = disk.file(contents);
    assertThrows(
      () => Mmap.open(path, { mode: "w+" }),
      TypeError,
      `cannot map ${path}: mode w+ makes a file`,
    );
    fileIs(path, contents);
  });
});

describe("mode a+", () => {
  it("makes, lengthens, and leaves what is there", () => {
    const path = join(disk.folder, "grown.bin");
    {
      using map = Mmap.open(path, { mode: "a+", length: 10 });
      map.bytes().fill(1);
    }
    {
      using map = Mmap.open(path, { mode: "a+", offset: 5, length: 10 });
      assertEquals([...map.bytes()], [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
      map.bytes().fill(2);
    }
    {
      using map = Mmap.open(path, { mode: "a+", length: 3 });
      assertEquals(map.byteLength, 3);
    }
    using map = Mmap.open(path, { mode: "a+" });
    assertEquals([...map.bytes()], [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
  });

  it("without a length maps what there is, up from an offset", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "a+", offset: 4097 });
    assertEquals(map.bytes(), contents.slice(4097));
    using behind = Mmap.open(path, { mode: "a+", offset: SIZE + 5 });
    assertEquals([behind.byteLength, statSync(path).size], [0, SIZE + 5]);
  });
});

describe("a file that is made anew or lengthened", () => {
  it("is not touched where a number is wrong", () => {
    const none = join(disk.folder, "untouched.bin");
    const path = disk.file(contents);
    const modes: MapMode[] = ["w+", "a+"];
    for (const mode of modes) {
      for (const value of [-1, 0.5, NaN, 2 ** 53, "1", null]) {
        for (const numbers of [{ offset: value, length: 1 }, { length: value }]) {
          for (const name of [none, path]) {
            assertThrows(
              () => Reflect.apply(Mmap.open, Mmap, [name, { mode, ...numbers }]),
              RangeError,
              `cannot map ${name}: ${"offset" in numbers ? "offset" : "length"} is ${shown(value)}`,
            );
          }
        }
      }
      assertThrows(
        () => Mmap.open(none, { mode, offset: 2 ** 53 - 1, length: 1 }),
        RangeError,
        "offset + length is",
      );
    }
    assertEquals(existsSync(none), false);
    fileIs(path, contents);
  });

  it("is not lengthened beyond what its file system takes", () => {
    const path = disk.file(contents);
    const error = assertThrows(
      () => Mmap.open(path, { mode: "a+", length: 2 ** 53 - 1 }),
      SystemError,
      `ftruncate ${path} failed`,
    );
    assert(["EFBIG", "EINVAL"].includes(error.code));
    fileIs(path, contents);
  });
});
