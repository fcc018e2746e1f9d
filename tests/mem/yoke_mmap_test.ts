import { after, before, describe, it } from "node:test";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals, assertThrows } from "@std/assert";
import { MapInUseError, MapTransferredError, Mmap } from "../../lib/mem/mmap.ts";
import { Rc, Yoke } from "../../lib/mem/yoke.ts";

describe("a yoke on a map", () => {
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "oxbow-yoke-"));
    path = join(folder, "file");
    writeFileSync(path, Uint8Array.of(1, 2, 3, 4));
  });

  after(() => rmSync(folder, { recursive: true }));

  function isMapped(path: string): boolean {
    return readFileSync("/proc/self/maps", "utf8").includes(path);
  }

  it("keeps it when it is disposed, and unmaps the file with the last", () => {
    const map = Mmap.open(path);
    const yoke = Yoke.attach(map, (map) => map.bytes());
    map[Symbol.dispose]();
    const clone = yoke.clone();
    yoke[Symbol.dispose]();
    const { value } = clone;
    assertEquals([map.isClosed, [...value], isMapped(path)], [true, [1, 2, 3, 4], true]);
    assertThrows(() => clone.cart.bytes(), Error, "was disposed");
    clone[Symbol.dispose]();
    assertEquals([value.length, isMapped(path)], [0, false]);
    assertThrows(() => Yoke.attach(map, () => 1), Error, "was disposed");
  });

  it("is unmapped where deriving throws, if its owner disposes it", () => {
    {
      using map = Mmap.open(path);
      assertThrows(() => Yoke.attach(map, fail), RangeError, "broken");
    }
    assertEquals(isMapped(path), false);
  });

  it("lets it not be moved", () => {
    using map = Mmap.open(path, { mode: "r+" });
    using yoke = Yoke.attach(map, (map) => map.bytes());
    assertThrows(() => map.remap(2), MapInUseError);
    assertEquals(yoke.value.length, 4);
    yoke[Symbol.dispose]();
    map.remap(2);
    assertEquals(map.bytes().length, 2);
  });

  it("says once that a buffer was transferred away, and is disposed", () => {
    const map = Mmap.open(path);
    const yoke = Yoke.attach(map, (map) => map.bytes());
    map[Symbol.dispose]();
    const moved = structuredClone(yoke.value.buffer, { transfer: [yoke.value.buffer] });
    assertThrows(() => yoke[Symbol.dispose](), MapTransferredError);
    yoke[Symbol.dispose]();
    assertEquals([yoke.isDisposed, new Uint8Array(moved).every((byte) => byte === 0)], [true, true]);
  });

  it("asks more of it by an Rc, which closes it with the last hold", () => {
    const map = Mmap.open(path);
    const yoke = (() => {
      using cart = Rc.of(map);
      return Yoke.attach(cart, (cart) => (at: number) => cart.bytes(at, 1)[0]);
    })();
    assertEquals([yoke.value(2), map.isClosed], [3, false]);
    yoke[Symbol.dispose]();
    assertEquals([map.isClosed, isMapped(path)], [true, false]);
  });

  it("may be larger than a view", () => {
    const large = join(folder, "large");
    writeFileSync(large, "");
    truncateSync(large, 5 * 2 ** 30);
    using map = Mmap.open(large);
    using yoke = Yoke.attach(map, (map) => map.view(Float64Array, 5 * 2 ** 30 - 8, 1));
    assertEquals([yoke.value[0], yoke.cart.byteLength], [0, 5 * 2 ** 30]);
  });
});

function fail(): never {
  throw new RangeError("broken");
}
