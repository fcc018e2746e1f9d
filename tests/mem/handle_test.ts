import { after, before, describe, it } from "node:test";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { assertEquals, assertThrows } from "@std/assert";
import { shown } from "../../lib/io/arguments.ts";
import { HandleError, type MapHandle, Mmap } from "../../lib/mem/mmap.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { pattern, scratch, TOOLS } from "./scratch.ts";

const SIZE = 3 * 4096 + 123;
const contents = pattern(SIZE);
const disk = scratch();

describe("a handle", () => {
  let map: Mmap;
  let handle: MapHandle;

  before(() => {
    map = Mmap.open(disk.file(contents));
    handle = map.share();
  });

  after(() => map[Symbol.dispose]());

  function refused(value: unknown, sentence: string): void {
    assertThrows(
      () => Reflect.apply(Mmap.adopt, Mmap, [value]),
      HandleError,
      `cannot adopt a map: ${sentence}`,
    );
  }

  it("is data, and says nothing of addresses", () => {
    assertEquals(Object.keys(handle).sort(), ["descriptor", "kind", "nonce", "process"]);
    assertEquals([handle.kind, handle.process, Object.isFrozen(handle)], ["oxbow-map", process.pid, true]);
  });

  it("is refused where it is none", () => {
    for (
      const value of [undefined, null, 1, "handle", [], {}, () => {}, Symbol("x"), { ...handle, kind: "map" }]
    ) {
      refused(value, "what was given is no handle; share() of a map makes them");
    }
  });

  it("is refused with a descriptor that is none, or another's", () => {
    for (const descriptor of [-1, -0.5, 0.5, NaN, Infinity, 2 ** 31, 2 ** 40, "1", null, undefined, 1n, {}]) {
      refused({ ...handle, descriptor }, `its descriptor is ${shown(descriptor)}, and none`);
    }
    const file = openSync(disk.file(contents), "r");
    for (const descriptor of [0, 1, 2, file, 1_000_000, 0x7fffffff]) {
      if (descriptor !== handle.descriptor) refused({ ...handle, descriptor }, "its map was disposed");
    }
    closeSync(file);
    for (let descriptor = 0; descriptor < 200; descriptor++) {
      if (descriptor !== handle.descriptor) refused({ ...handle, descriptor }, "its map was disposed");
    }
  });

  it("is refused with a nonce that is none, or another's", () => {
    for (
      const nonce of ["", "0", handle.nonce.slice(1), `${handle.nonce}0`, "x".repeat(32), 5, null, undefined]
    ) {
      refused({ ...handle, nonce }, "its nonce is none");
    }
    if (/[a-f]/.test(handle.nonce)) {
      refused({ ...handle, nonce: handle.nonce.toUpperCase() }, "its nonce is none");
    }
    refused({ ...handle, nonce: "0".repeat(32) }, "its map was disposed");
    using other = Mmap.open(map.path);
    refused({ ...handle, nonce: other.share().nonce }, "its map was disposed");
    refused({ ...handle, descriptor: other.share().descriptor }, "its map was disposed");
  });

  it("is refused of another process", () => {
    for (const other of [process.pid + 1, 0, -1, String(process.pid), undefined]) {
      refused({ ...handle, process: other }, `it is of process ${shown(other)}, and this is ${process.pid}`);
    }
    const source = `import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      try {
        Mmap.adopt(${JSON.stringify(handle)});
      } catch (error) {
        console.log(error.name, error.message.includes("over a Unix socket, and map it with fromFd"));
      }`;
    assertEquals(outputOf(source), "HandleError true");
  });

  it("is stale when its map is disposed, and does not name the next one", () => {
    const old = Mmap.open(map.path);
    const stale = old.share();
    old[Symbol.dispose]();
    refused(stale, "its map was disposed, in whichever thread shared it");
    using next = Mmap.open(map.path);
    const fresh = next.share();
    refused(stale, "its map was disposed");
    using other = Mmap.adopt(fresh);
    assertEquals(other.bytes(), contents);
  });

  it("is taken with modes that a handle has, and no others", () => {
    for (const mode of ["w+", "a+", "", null, 1]) {
      assertThrows(
        () => Reflect.apply(Mmap.adopt, Mmap, [handle, { mode }]),
        TypeError,
        `cannot adopt a map: mode is ${String(mode)}, and none of r, r+, c`,
      );
    }
    assertThrows(() => Reflect.apply(Mmap.adopt, Mmap, [handle, null]), TypeError, "options are no object");
  });

  it("leaves no descriptor behind, whether it is taken or refused", () => {
    const source = `
      import { descriptors as all, openedSince } from "${moduleUrl("tests/descriptors.ts")}";
      const path = file(4);
      const map = Mmap.open(path);
      const handle = map.share();
      const before = all();
      for (let i = 0; i < 300; i++) {
        Mmap.adopt(handle)[Symbol.dispose]();
        thrown(() => Mmap.adopt(handle, { mode: "r+" }));
        thrown(() => Mmap.adopt({ ...handle, nonce: "0".repeat(32) }));
        const other = Mmap.open(path, { mode: "r+" });
        other.share();
        other[Symbol.dispose]();
      }
      fs.truncateSync(path, 1);
      for (let i = 0; i < 300; i++) thrown(() => Mmap.adopt(handle));
      console.log(openedSince(before).length);`;
    assertEquals(outputOf(TOOLS + source), "0");
  });
});
