/** Maps that nobody disposes, after the garbage collector has found them. */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { outputOf } from "../child.ts";
import { Together } from "../together.ts";
import { TOOLS } from "./scratch.ts";

function told(source: string): string {
  return outputOf(TOOLS + source);
}

/** Each waits until what it forgot is collected. */
const together = new Together(TOOLS);

describe("a map that is forgotten", () => {
  const gone = together.add(`
    for (const options of [{}, { mode: "r+" }, { mode: "c" }, { mode: "w+", length: 5 * PAGE }]) {
      for (const uses of [0, 1, 2]) {
        const path = file(20);
        (function () {
          const map = Mmap.open(path, options);
          if (uses > 0) map.bytes()[0];
          if (uses > 1 && map.mode !== "c") map.share();
        })();
        const isThere = isMapped(path);
        console.log(isThere, await collect(() => !isMapped(path)), await collect(() => descriptors(path) === 0));
      }
    }`);
  it("goes, with its pages and its descriptor", () => {
    assertEquals(gone(), Array(12).fill("true true true").join("\n"));
  });

  const pathless = together.add(`
    (function () {
      for (let i = 0; i < 20; i++) {
        Mmap.memfd("forgotten" + i, 10_000).bytes().fill(1);
        Mmap.anonymous(10_000).share();
      }
    })();
    console.log(isMapped("memfd:forgotten"), await collect(() => !isMapped("memfd:forgotten")));
    console.log(await collect(() => descriptors("memfd:forgotten") + descriptors("memfd:oxbow ") === 0));
    console.log(await collect(() => descriptors("oxbow-map-record") === 0));`);
  it("goes where it has no path", () => {
    assertEquals(pathless(), "true true\ntrue\ntrue");
  });

  const viewed = together.add(`
    for (const take of [
      (map) => map.bytes(),
      (map) => map.bytes().subarray(5 * PAGE, 5 * PAGE + 4),
      (map) => map.view(Float32Array, 8, 100).subarray(3),
      (map) => map.dataView(10, 10),
      (map) => map.bytes(100, 1).buffer,
      (map) => [...map.windows(PAGE)].at(-1).bytes,
    ]) {
      const path = file(20);
      const kept = [];
      (() => kept.push(take(Mmap.open(path))))();
      await collect();
      const isThere = isMapped(path);
      const byte = (() => {
        const [view] = kept;
        return view instanceof ArrayBuffer ? new Uint8Array(view)[0] : new Uint8Array(view.buffer)[view.byteOffset];
      })();
      kept.length = 0;
      console.log(isThere, byte, await collect(() => !isMapped(path)));
    }`);
  it("stays for as long as a view of it is there, or a part of one", () => {
    assertEquals(viewed(), Array(6).fill("true 7 true").join("\n"));
  });

  const retained = together.add(`
    for (const isDisposed of [false, true]) {
      const path = file(20);
      (function () {
        const map = Mmap.open(path, { mode: "r+" });
        map.bytes()[0];
        map.retain();
        if (isDisposed) map[Symbol.dispose]();
      })();
      console.log(isMapped(path), await collect(() => !isMapped(path)), await collect(() => descriptors(path) === 0));
    }`);
  it("goes where it was retained, and disposed or not, by those who are forgotten with it", () => {
    assertEquals(retained(), "true true true\ntrue true true");
  });

  const transferred = together.add(`
    const path = file(20);
    let kept = (() => new Uint8Array(Mmap.open(path).bytes(0, 20 * PAGE).buffer.transfer()))();
    const before = kept[5000];
    console.log(before, await collect(() => !isMapped(path)));
    for (let i = 0; i < 500; i++) Mmap.open(path).bytes();
    await collect();
    console.log(kept.every((byte) => byte === 0));
    kept[5000] = 1;
    console.log(kept.indexOf(1), fs.readFileSync(path)[5000]);`);
  it("leaves zeros to a buffer of it that was transferred away", () => {
    assertEquals(transferred(), "7 true\ntrue\n5000 7");
  });

  const remapped = together.add(`
    const path = file(100);
    const kept = [];
    (() => {
      const map = Mmap.open(path, { length: PAGE });
      map.bytes()[0];
      for (let i = 1; i <= 100; i++) map.remap(i * PAGE);
      kept.push(map.bytes());
    })();
    await collect();
    const read = (() => kept[0].every((byte) => byte === 7))();
    kept.length = 0;
    console.log(read, await collect(() => !isMapped(path)));`);
  it("is no other map, whatever was remapped before", () => {
    assertEquals(remapped(), "true true");
  });
});

describe("addresses", () => {
  it("are given back of maps that were disposed, once their views are collected", () => {
    const source = `
      const path = file(1);
      const size = () => Number(/^VmSize:\\s+(\\d+)/m.exec(fs.readFileSync("/proc/self/status", "latin1"))[1]);
      fs.truncateSync(path, 2 ** 30);
      async function cycles(count) {
        for (let i = 0; i < count; i++) {
          const map = Mmap.open(path);
          map.bytes(i * PAGE, 1);
          map[Symbol.dispose]();
          if (i % 50 === 0) {
            gc();
            await sleep(2);
          }
        }
        return size();
      }
      await cycles(600);
      const before = size();
      const after = await cycles(2000);
      console.log(after - before < 600 * 2 ** 20);`;
    assertEquals(told(source), "true");
  });
});
