import { describe, it } from "node:test";
import { renameSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { once } from "node:events";
import { assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { type MapHandle, MapTruncatedError, Mmap } from "../../lib/mem/mmap.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";
import { pattern, scratch, TOOLS } from "./scratch.ts";

const SIZE = 3 * 4096 + 123;
const contents = pattern(SIZE);
const disk = scratch();

const withoutWorkers = skipping(
  !("Worker" in globalThis) && "this host has the workers of node:worker_threads alone",
);

describe("share and adopt", () => {
  it("give another map of the same bytes, wherever the first one begins", () => {
    const path = disk.file(contents);
    for (const offset of [0, 1, 4096, 5000]) {
      using map = Mmap.open(path, { offset, length: 3000 });
      using other = Mmap.adopt(map.share());
      assertEquals([other.mode, other.byteLength, other.isShared], ["r", 3000, false]);
      assertEquals(other.bytes(), contents.slice(offset, offset + 3000));
    }
  });

  it("share what is written, in modes that write, and memory without a path", () => {
    const maps = [
      Mmap.open(disk.file(contents), { mode: "r+", offset: 77 }),
      Mmap.open(disk.file(contents), { mode: "w+", length: 5000 }),
      Mmap.open(disk.file(contents), { mode: "a+", length: 50_000 }),
      Mmap.anonymous(5000),
      Mmap.memfd("shared", 5000, { seals: ["grow", "shrink", "seal"] }),
    ];
    for (const map of maps) {
      using other = Mmap.adopt(map.share(), { mode: "r+" });
      using read = Mmap.adopt(map.share(), { mode: "r" });
      using copy = Mmap.adopt(map.share(), { mode: "c" });
      using same = Mmap.adopt(map.share());
      other.bytes()[4000] = 0xab;
      assertEquals([map, read, copy, same].map((map) => map.bytes()[4000]), [0xab, 0xab, 0xab, 0xab]);
      copy.bytes()[4000] = 1;
      assertEquals([map.bytes()[4000], same.mode, same.isShared, read.isShared], [0xab, "r+", true, false]);
      map[Symbol.dispose]();
      assertEquals([other.bytes()[4000], other.byteLength], [0xab, map.byteLength]);
    }
  });

  it("share no bytes, too", () => {
    using map = Mmap.anonymous(0);
    using other = Mmap.adopt(map.share());
    assertEquals([other.byteLength, other.mode], [0, "r+"]);
  });

  it("name the same map as often as it is shared, by data that may be cloned", () => {
    using map = Mmap.open(disk.file(contents));
    const handle = map.share();
    assertEquals(map.share(), handle);
    for (const copy of [structuredClone(handle), JSON.parse(JSON.stringify(handle))]) {
      using other = Mmap.adopt(copy);
      using second = Mmap.adopt(other.share());
      assertEquals(second.bytes(), contents);
    }
  });

  it("let a map be shared as it is after remap and protect, and as it was", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "r+", length: 100 });
    const before = map.share();
    map.remap(20_000);
    const after = map.share();
    using small = Mmap.adopt(before);
    using large = Mmap.adopt(after);
    assertEquals([small.byteLength, large.byteLength, large.mode], [100, 20_000, "r+"]);
    map.protect("r");
    using read = Mmap.adopt(map.share());
    assertEquals([read.mode, map.share() === map.share()], ["r", true]);
  });

  it("refuse mode c, whose pages are nobody else's", () => {
    using map = Mmap.open(disk.file(contents), { mode: "c" });
    assertThrows(() => map.share(), TypeError, `cannot share ${map.path}: mode c has pages of its own`);
  });

  it("let nobody write who could only read", () => {
    using map = Mmap.open(disk.file(contents));
    const handle = map.share();
    const error = assertThrows(
      () => Mmap.adopt(handle, { mode: "r+" }),
      SystemError,
      "open for reading alone",
    );
    assertEquals([error.code, error.syscall], ["EACCES", "mmap"]);
    using sealed = Mmap.memfd("sealed", 5000, { seals: ["futureWrite"] });
    const late = assertThrows(() => Mmap.adopt(sealed.share()), SystemError, "take mode r or c");
    assertEquals(late.code, "EPERM");
    using read = Mmap.adopt(sealed.share(), { mode: "r" });
    sealed.bytes()[1] = 7;
    assertEquals(read.bytes()[1], 7);
  });

  it("refuse a file that another has taken the path of, or that has none", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path);
    using known = Mmap.open(path);
    const handle = known.share();
    renameSync(disk.file(contents), path);
    assertThrows(() => map.share(), Error, `cannot share ${path}: another file has taken its path`);
    unlinkSync(path);
    assertEquals(assertThrows(() => map.share(), SystemError).code, "ENOENT");
    using other = Mmap.adopt(handle);
    assertEquals(other.bytes(), contents);
  });

  it("refuse a file that was cut, before or after", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path);
    const handle = map.share();
    truncateSync(path, 100);
    assertThrows(
      () => Mmap.adopt(handle),
      RangeError,
      `cannot adopt shared map ${handle.nonce}: length is ${SIZE}`,
    );
    map.bytes().at(-1);
    assertThrows(() => map.share(), MapTruncatedError, "cannot share");
  });
});

describe("another thread", () => {
  /** A thread that adopts what it is sent, and says what it reads; it writes 9 to byte 1 where it may. */
  function reader(): Worker {
    const path = join(disk.folder, `reader-${Math.random()}.mjs`);
    writeFileSync(
      path,
      `import { parentPort } from "node:worker_threads";
       import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
       parentPort.on("message", (handle) => {
         try {
           const map = Mmap.adopt(handle);
           if (map.isShared) map.bytes()[1] = 9;
           parentPort.postMessage([map.mode, map.byteLength, map.bytes()[0], map.bytes()[map.byteLength - 1]].join());
           map[Symbol.dispose]();
         } catch (error) {
           parentPort.postMessage(error.name);
         }
       });`,
    );
    return new Worker(path);
  }

  it("reads and writes what was shared, and is refused what is stale", async () => {
    const worker = reader();
    using file = Mmap.open(disk.file(contents));
    using writable = Mmap.open(disk.file(contents), { mode: "r+", offset: 5000 });
    using memory = Mmap.anonymous(5000);
    using named = Mmap.memfd("threads", 100_000);
    const gone = Mmap.anonymous(1);
    const stale = gone.share();
    gone[Symbol.dispose]();
    const answers: string[] = [];
    for (const handle of [...[file, writable, memory, named].map((map) => map.share()), stale]) {
      worker.postMessage(handle);
      const [answer] = await once(worker, "message");
      answers.push(answer);
    }
    await worker.terminate();
    assertEquals(answers, [
      `r,${SIZE},${contents[0]},${contents[SIZE - 1]}`,
      `r+,${SIZE - 5000},${contents[5000]},${contents[SIZE - 1]}`,
      "r+,5000,0,0",
      "r+,100000,0,0",
      "HandleError",
    ]);
    assertEquals([file, writable, memory, named].map((map) => map.bytes()[1]), [contents[1], 9, 9, 9]);
  });

  it("that shared may end, and what was adopted stays", async () => {
    const path = join(disk.folder, "sharer.mjs");
    const shared = disk.file(contents);
    writeFileSync(
      path,
      `import { parentPort } from "node:worker_threads";
       import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
       const maps = [
         Mmap.open(${JSON.stringify(shared)}), Mmap.open(${
        JSON.stringify(shared)
      }, { mode: "r+" }), Mmap.anonymous(5000),
       ];
       maps[2].bytes().fill(3);
       globalThis.kept = maps;
       parentPort.postMessage(maps.map((map) => map.share()));
       parentPort.on("message", () => {});`,
    );
    const worker = new Worker(path);
    const [handles]: [MapHandle[]] = [(await once(worker, "message"))[0]];
    const maps = handles.map((handle) => Mmap.adopt(handle));
    await worker.terminate();
    for (let i = 0; i < 300; i++) Mmap.open(shared)[Symbol.dispose]();
    assertEquals([maps[0].bytes(), maps[1].bytes()], [contents, contents]);
    assertEquals(maps[2].bytes(), new Uint8Array(5000).fill(3));
    for (const map of maps) map[Symbol.dispose]();
  });

  it("may be the host's own kind of worker", { skip: withoutWorkers }, () => {
    const source = `
      fs.writeFileSync(join(folder, "worker.mjs"), \`
        import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
        globalThis.onmessage = ({ data }) => {
          using map = Mmap.adopt(data);
          map.bytes()[1] = map.bytes()[0] + 1;
          globalThis.postMessage(map.mode);
        };
      \`);
      const worker = new Worker(new URL("file://" + join(folder, "worker.mjs")), { type: "module" });
      const maps = [Mmap.anonymous(5000), Mmap.open(file(1), { mode: "r+" })];
      for (const map of maps) {
        map.bytes()[0] = 41;
        const answer = new Promise((resolve) => worker.onmessage = resolve);
        worker.postMessage(map.share());
        console.log((await answer).data, map.bytes()[1]);
      }
      worker.terminate();
      process.exit(0);`;
    assertEquals(outputOf(TOOLS + source), "r+ 42\nr+ 42");
  });
});
