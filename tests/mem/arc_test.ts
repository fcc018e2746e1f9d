import { after, before, describe, it } from "node:test";
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { HandleError, MapInUseError, Mmap } from "../../lib/mem/mmap.ts";
import { Arc, type ArcHandle, Yoke } from "../../lib/mem/yoke.ts";
import { listenFirst, moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { runCollecting } from "./collect.ts";

const RUNS = tiered({ quick: 60, full: 2_000, soak: 50_000 });

let folder: string;
let path: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-arc-"));
  path = join(folder, "file");
  writeFileSync(path, Uint8Array.of(1, 2, 3));
});

after(() => rmSync(folder, { recursive: true }));

/** How many descriptors of maps and their records are open: a host opens and closes its own. */
function descriptors(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      const link = readlinkSync(`/proc/self/fd/${fd}`);
      return link === path || /^\/memfd:oxbow(-map-record)? /.test(link);
    } catch {
      return false;
    }
  }).length;
}

function shared(...bytes: number[]): Arc<"write"> {
  using map = Mmap.anonymous(bytes.length);
  map.bytes().set(bytes);
  return Arc.share(map);
}

describe("Arc", () => {
  it("outlives the map that it was shared from, and all go with the last owner", () => {
    shared(0)[Symbol.dispose]();
    const before = descriptors();
    const one = shared(1, 2, 3);
    const two = one.clone();
    const three = Arc.adopt(one.handle());
    assertEquals([one.count, two.count, three.count], [3, 3, 3]);
    one[Symbol.dispose]();
    one[Symbol.dispose]();
    assertEquals([one.isDisposed, two.count, [...two.bytes()]], [true, 2, [1, 2, 3]]);
    const view = two.bytes();
    two[Symbol.dispose]();
    assertEquals([view.length, three.count, [...three.bytes(1)]], [0, 1, [2, 3]]);
    three[Symbol.dispose]();
    assertEquals([three.count, descriptors()], [0, before]);
  });

  it("shares what is written, where the map that was shared writes", () => {
    using one = shared(0, 0);
    using read = Arc.adopt(one.handle());
    using written = Arc.adopt(one.handle(), { mode: "r+" });
    written.bytes()[1] = 5;
    one.map.view(Uint8Array, 0, 1)[0] = 4;
    assertEquals([[...read.bytes()], read.map.mode, one.map.mode, one.byteLength], [[4, 5], "r", "r+", 2]);
  });

  it("reads a file, and writes to none that was shared to be read", () => {
    using map = Mmap.open(path);
    using arc = Arc.share(map);
    assertEquals([[...arc.bytes()], arc.map.mode], [[1, 2, 3], "r"]);
    const error = assertThrows(() => Arc.adopt(arc.handle(), { mode: "r+" }), SystemError);
    assertEquals([error.code, arc.count], ["EACCES", 1]);
  });

  it("is not shared from pages of a map's own, and leaves no descriptor behind", () => {
    using map = Mmap.open(path, { mode: "c" });
    const before = descriptors();
    assertThrows(() => Arc.share(map), TypeError, "mode c has pages of its own");
    assertEquals(descriptors(), before);
  });

  it("that cannot be shared for want of descriptors leaves none behind", () => {
    const source = `
      import { closeSync, openSync, readdirSync, readlinkSync } from "node:fs";
      import { Arc } from "${moduleUrl("lib/mem/yoke.ts")}";
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      // Those of maps and their records alone: a host opens and closes its own.
      const descriptors = () => readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return /^\\/memfd:oxbow(-map-record)? /.test(readlinkSync("/proc/self/fd/" + fd));
        } catch {
          return false;
        }
      }).length;
      using map = Mmap.anonymous(1);
      Arc.share(map)[Symbol.dispose]();
      const before = descriptors();
      const opened = [];
      try {
        for (;;) opened.push(openSync("/dev/null"));
      } catch {}
      // For the one that is shared, and none for what names it.
      closeSync(opened.pop());
      let code;
      try {
        Arc.share(map);
      } catch (error) {
        code = error.code;
      }
      for (const fd of opened) closeSync(fd);
      console.log(code, descriptors() - before);`;
    assertEquals(outputOf(listenFirst + source, { before: "ulimit -n 200" }), "EMFILE 0");
  });

  it("that cannot be mapped leaves none behind, and no owner, also where it would have been the last", () => {
    shared(0)[Symbol.dispose]();
    const before = descriptors();
    const arc = shared(1);
    const handle = arc.handle();
    using map = Mmap.anonymous(1);
    const during = descriptors();
    const { adopt } = Mmap;
    try {
      Mmap.adopt = () => {
        throw new RangeError("broken");
      };
      assertThrows(() => Arc.adopt(handle), RangeError, "broken");
      assertEquals([arc.count, descriptors()], [1, during]);
      map.share();
      const shares = descriptors();
      assertThrows(() => Arc.share(map), RangeError, "broken");
      assertEquals(descriptors(), shares);
      map[Symbol.dispose]();
      Mmap.adopt = () => {
        arc[Symbol.dispose]();
        throw new RangeError("broken");
      };
      assertThrows(() => Arc.adopt(handle), RangeError, "broken");
    } finally {
      Mmap.adopt = adopt;
    }
    assertEquals([arc.count, descriptors()], [0, before]);
  });

  it("leaves its map neither moved nor ended under it, whoever asks for it", () => {
    const arc = shared(1, 2);
    using other = arc.clone();
    const { map } = arc;
    using yoke = Yoke.attach(arc, (arc) => arc.bytes());
    arc[Symbol.dispose]();
    assertThrows(() => map.remap(1), MapInUseError);
    map[Symbol.dispose]();
    assertEquals([map.isClosed, [...yoke.value]], [true, [1, 2]]);
    const { value } = yoke;
    yoke[Symbol.dispose]();
    assertEquals(value.length, 2);
    other[Symbol.dispose]();
    assertEquals([value.length, other.count], [0, 0]);
  });

  it("is not shared from what is no map", () => {
    for (const map of [5, undefined, null, {}, "map", { share: () => ({}) }]) {
      assertThrows(
        () => Reflect.apply(Arc.share, Arc, [map]),
        TypeError,
        "cannot share an Arc: map is no Mmap",
      );
    }
  });

  it("gives nothing once it was disposed, though others have it", () => {
    const one = shared(1);
    using two = one.clone();
    one[Symbol.dispose]();
    const uses: [string, () => unknown][] = [
      ["read", () => one.map],
      ["read", () => one.bytes()],
      ["share", () => one.handle()],
      ["clone", () => one.clone()],
      ["retain", () => one.retain()],
    ];
    for (const [action, use] of uses) assertThrows(use, Error, `cannot ${action} an Arc: it was disposed`);
    assertThrows(() => one.release(), Error, "nobody has retained it");
    assertEquals(two.count, 1);
  });

  it("stays for a yoke, whose values are empty after it", () => {
    const arc = shared(1, 2);
    const yoke = Yoke.attach(arc, (cart) => cart.bytes());
    const { value } = yoke;
    arc[Symbol.dispose]();
    const clone = yoke.clone();
    yoke[Symbol.dispose]();
    assertEquals([arc.count, [...value], [...clone.cart.bytes(1)]], [1, [1, 2], [2]]);
    clone[Symbol.dispose]();
    assertEquals([arc.count, value.length], [0, 0]);
  });

  it("cannot be made but by share and adopt", () => {
    assertThrows(() => Reflect.construct(Arc, [Symbol("Arc"), {}]), TypeError, "call Arc.share or Arc.adopt");
  });

  it("counts as a model does, whatever is cloned, adopted, retained and ended", () => {
    const kind = fc.constantFrom("clone", "adopt", "retain", "release", "dispose");
    const steps = fc.array(fc.record({ kind, which: fc.nat() }), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (steps) => {
        const before = descriptors();
        const handles = [{ arc: shared(7), isOpen: true, holds: 0 }];
        for (const { kind, which } of steps) {
          const handle = handles[which % handles.length];
          const { arc, isOpen, holds } = handle;
          if (kind === "dispose") {
            arc[Symbol.dispose]();
            handle.isOpen = false;
          } else if (kind === "release" && holds > 0) {
            arc.release();
            handle.holds--;
          } else if (kind === "retain" && (isOpen || holds > 0)) {
            arc.retain();
            handle.holds++;
          } else if (kind === "clone" && isOpen) {
            handles.push({ arc: arc.clone(), isOpen: true, holds: 0 });
          } else if (kind === "adopt" && isOpen) {
            const adopted = Arc.adopt(arc.handle(), { mode: "r+" });
            handles.push({ arc: adopted, isOpen: true, holds: 0 });
          }
          const count = handles.reduce((sum, { isOpen, holds }) => sum + holds + Number(isOpen), 0);
          assertEquals(handles.map(({ arc }) => arc.count), handles.map(() => count));
          for (const { arc, isOpen, holds } of handles) {
            if (isOpen || holds > 0) assertEquals(arc.bytes()[0], 7);
          }
        }
        for (const { arc, holds } of handles) {
          arc[Symbol.dispose]();
          for (let i = 0; i < holds; i++) arc.release();
        }
        assertEquals([handles[0].arc.count, descriptors()], [0, before]);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("a handle of an Arc", () => {
  it("is plain data, and holds nothing by itself", () => {
    const arc = shared(9);
    const handle = structuredClone(arc.handle());
    using adopted = Arc.adopt(handle);
    assertEquals([adopted.bytes()[0], arc.count], [9, 2]);
    adopted[Symbol.dispose]();
    arc[Symbol.dispose]();
    assertThrows(() => Arc.adopt(handle), HandleError, "cannot adopt an Arc: its last owner was disposed");
  });

  it("that is none is refused, and what it names stays", () => {
    using arc = shared(1);
    using other = shared(2);
    const { map, count } = arc.handle();
    const forged: unknown[] = [
      undefined,
      null,
      7,
      {},
      map,
      { kind: "oxbow-arc", map },
      { kind: "oxbow-arc", map, count: new SharedArrayBuffer(8) },
      { kind: "oxbow-arc", map, count: new ArrayBuffer(count.byteLength) },
      { kind: "oxbow-arc", map, count: new SharedArrayBuffer(count.byteLength) },
      { kind: "oxbow-arc", map, count: Object.create(SharedArrayBuffer.prototype) },
      { kind: "oxbow-arc", map: 5, count },
      { kind: "oxbow-arc", map: null, count },
      { kind: "oxbow-arc", map: { ...map, kind: "oxbow-arc" }, count },
      { kind: "oxbow-arc", map: { ...map, descriptor: "0" }, count },
      { kind: "oxbow-arc", count },
      { kind: "oxbow-arc", count, map: { ...map, nonce: "0".repeat(32) } },
      { kind: "oxbow-arc", count, map: { ...map, process: map.process + 1 } },
    ];
    for (const handle of forged) assertThrows(() => Reflect.apply(Arc.adopt, Arc, [handle]), HandleError);
    assertEquals([arc.count, other.count, arc.bytes()[0]], [1, 1, 1]);
  });

  it("with options that are none is refused, before an owner is added", () => {
    using arc = shared(1);
    const handle = arc.handle();
    for (const options of ["r+", null, 5]) {
      const adopt = () => Reflect.apply(Arc.adopt, Arc, [handle, options]);
      assertThrows(adopt, TypeError, "cannot adopt an Arc: options are no object");
    }
    for (const mode of ["c", "w+", "", null, 5, Symbol("r")]) {
      const adopt = () => Reflect.apply(Arc.adopt, Arc, [handle, { mode }]);
      assertThrows(adopt, TypeError, `cannot adopt an Arc: mode is ${String(mode)}, and neither r nor r+`);
    }
    assertEquals(arc.count, 1);
  });

  it("is read once, and never again", () => {
    const victim = openSync(path, "r");
    const before = descriptors();
    const arc = shared(1);
    const handle = arc.handle();
    const reads: string[] = [];
    // At each reading but the first, every property is what is not to be used.
    function once<T extends object>(target: T, others: Readonly<Record<string, unknown>>): T {
      const seen = new Set<PropertyKey>();
      return new Proxy(target, {
        get(target, name) {
          reads.push(String(name));
          const isFirst = !seen.has(name);
          seen.add(name);
          return isFirst ? Reflect.get(target, name) : others[String(name)];
        },
      });
    }
    const map = once(handle.map, { descriptor: victim });
    const mode: { readonly mode: "r+" } = once({ mode: "r+" }, { mode: "c" });
    const adopted = Arc.adopt(once({ ...handle, map }, {}), mode);
    const names = ["mode", "kind", "map", "count", "kind", "process", "descriptor", "nonce"];
    assertEquals([reads, adopted.map.mode, adopted.bytes()[0]], [names, "r+", 1]);
    arc[Symbol.dispose]();
    adopted[Symbol.dispose]();
    assertEquals([reads.length, fstatSync(victim).isFile(), descriptors()], [names.length, true, before]);
    closeSync(victim);
  });

  it("may be changed once it was adopted, and all is closed", () => {
    const before = descriptors();
    const arc = shared(1);
    const handle = structuredClone(arc.handle());
    const adopted = Arc.adopt(handle);
    arc[Symbol.dispose]();
    Reflect.set(handle.map, "nonce", "0".repeat(32));
    Reflect.set(handle.map, "descriptor", -1);
    Reflect.set(handle, "map", undefined);
    using again = Arc.adopt(adopted.handle());
    adopted[Symbol.dispose]();
    again[Symbol.dispose]();
    assertEquals(descriptors(), before);
  });

  it("of one map and another's count closes neither", () => {
    using arc = shared(1);
    using other = shared(2);
    const mixed: ArcHandle = { ...arc.handle(), count: structuredClone(other.handle().count) };
    const adopted = Arc.adopt(mixed);
    assertEquals([adopted.bytes()[0], arc.count, other.count], [1, 1, 2]);
    other[Symbol.dispose]();
    assertThrows(() => adopted[Symbol.dispose](), HandleError, "its count was written over");
    using again = Arc.adopt(arc.handle());
    assertEquals([again.bytes()[0], arc.count], [1, 2]);
  });
});

describe("an Arc in workers", () => {
  const imports = `import { Arc, Yoke } from "${moduleUrl("lib/mem/yoke.ts")}";`;

  /** What the program prints that has `post(worker, message)`, which waits for the answer, and `start()`. */
  function outputWith(worker: string, source: string): string {
    const file = join(folder, "worker.mts");
    writeFileSync(file, `import { parentPort } from "node:worker_threads";\n${imports}\n${worker}`);
    return outputOf(`${imports}
      import { readdirSync, readlinkSync } from "node:fs";
      import { once } from "node:events";
      import { Worker } from "node:worker_threads";
      import process from "node:process";
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      const start = () => new Worker(${JSON.stringify(file)});
      async function post(worker, message) {
        const answer = once(worker, "message");
        worker.postMessage(message);
        return (await answer)[0];
      }
      function share(...bytes) {
        using map = Mmap.anonymous(bytes.length);
        map.bytes().set(bytes);
        return Arc.share(map);
      }
      async function until(isDone) {
        for (let i = 0; i < 3000 && !isDone(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      // Those of maps and their records alone: a host opens and closes its own.
      const descriptors = () => readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return /^\\/memfd:oxbow(-map-record)? /.test(readlinkSync("/proc/self/fd/" + fd));
        } catch {
          return false;
        }
      }).length;
      ${source}
      process.exit(0);`);
  }

  it("is counted across them, and the last one ends it wherever it is", () => {
    const worker = `
      let arc;
      parentPort.on("message", (message) => {
        if (message === "dispose") arc[Symbol.dispose]();
        else arc = Arc.adopt(message, { mode: "r+" });
        if (message !== "dispose") arc.bytes()[0]++;
        parentPort.postMessage(arc.count);
      });`;
    const source = `
      share(1)[Symbol.dispose]();
      const workers = [start(), start()];
      const first = share(0);
      await post(workers[0], first.handle());
      await post(workers[0], "dispose");
      first[Symbol.dispose]();
      const before = descriptors();
      const arc = share(40);
      const handle = arc.handle();
      const adopted = [];
      for (const worker of workers) adopted.push(await post(worker, handle));
      const byte = arc.bytes()[0];
      arc[Symbol.dispose]();
      const rest = [await post(workers[0], "dispose"), await post(workers[1], "dispose")];
      let error;
      try {
        Arc.adopt(handle);
      } catch (thrown) {
        error = thrown;
      }
      console.log(adopted, byte, rest, error.name, arc.leaked(), descriptors() - before);`;
    assertEquals(outputWith(worker, source), "[ 2, 3 ] 42 [ 1, 0 ] HandleError 0 0");
  });

  it("is lost with one that ends without having disposed it: counted, told and never freed", () => {
    const worker = `
      const kept = [];
      parentPort.on("message", (message) => {
        const arc = Arc.adopt(message);
        kept.push(arc, arc.clone(), Yoke.attach(arc, (arc) => arc.bytes()));
        parentPort.postMessage(arc.count);
      });`;
    const source = `
      const arc = share(5);
      const worker = start();
      const adopted = await post(worker, arc.handle());
      const before = arc.leaked();
      await worker.terminate();
      await until(() => arc.leaked() > 0);
      const lost = [arc.leaked(), arc.leaked()];
      const other = start();
      const again = await post(other, arc.handle());
      const alive = arc.leaked();
      const byte = arc.bytes()[0];
      const handle = arc.handle();
      arc[Symbol.dispose]();
      using last = Arc.adopt(handle);
      console.log(adopted, before, lost, again, alive, byte, last.bytes()[0], last.count);`;
    assertEquals(outputWith(worker, source), "4 0 [ 3, 3 ] 7 3 5 5 7");
  });

  it("is lost, and told to the last owner, with those that end in the midst of a step", () => {
    const worker = `
      import { dlopen } from "${moduleUrl("ffi/mod.ts")}";
      const { symbols } = dlopen(["libc.so.6"], { gettid: { parameters: [], result: "i32" } });
      parentPort.on("message", async (handle) => {
        parentPort.postMessage(symbols.gettid());
        for (;;) {
          for (let i = 0; i < 20; i++) {
            using arc = Arc.adopt(handle);
            using clone = arc.clone();
            using yoke = Yoke.attach(clone, (arc) => arc.bytes());
          }
          // Deno stops nobody who does not wait.
          await new Promise((resolve) => setTimeout(resolve));
        }
      });`;
    const source = `
      const arc = share(3);
      // Terminated, a worker may go on for a while, and come and go among the owners.
      const threads = new Set();
      const isOver = () => !readdirSync("/proc/self/task").some((id) => threads.has(Number(id)));
      for (let i = 0; i < 8; i++) {
        const workers = [start(), start()];
        for (const id of await Promise.all(workers.map((worker) => post(worker, arc.handle())))) threads.add(id);
        await new Promise((resolve) => setTimeout(resolve, 5 * i));
        await Promise.all(workers.map((worker) => worker.terminate()));
      }
      await until(isOver);
      await until(() => arc.count - arc.leaked() === 1);
      const rest = arc.count - arc.leaked();
      const worker = start();
      threads.add(await post(worker, arc.handle()));
      await worker.terminate();
      await until(isOver);
      await until(() => arc.count - arc.leaked() === 1);
      console.log(rest, arc.count - arc.leaked());`;
    assertEquals(outputWith(worker, source), "1 1");
  });

  it("counts exactly though all come and go at once", () => {
    const rounds = tiered({ quick: 200, full: 5_000, soak: 100_000 });
    const worker = `
      parentPort.on("message", (handle) => {
        for (let i = 0; i < ${rounds}; i++) {
          using arc = Arc.adopt(handle);
          using clone = arc.clone();
          using yoke = Yoke.attach(clone, (arc) => arc.bytes());
          if (yoke.value[0] !== 3) throw new Error("not 3");
        }
        parentPort.postMessage("done");
      });`;
    const source = `
      const arc = share(3);
      const workers = [start(), start(), start()];
      const done = workers.map((worker) => post(worker, arc.handle()));
      await Promise.all(done);
      console.log(arc.count, arc.leaked());`;
    assertEquals(outputWith(worker, source), "1 0");
  });
});

describe("a forgotten Arc", () => {
  it("is given back once it was collected", () => {
    // JSC's collector takes what looks like a reference for one: some of many are collected, and not each.
    const { stdout, code } = runCollecting(`
      import { Arc } from "${moduleUrl("lib/mem/yoke.ts")}";
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      using map = Mmap.anonymous(1);
      using arc = Arc.share(map);
      (() => {
        for (let i = 0; i < 20; i++) Arc.adopt(arc.handle());
      })();
      console.log(arc.count);
      await collect(() => arc.count < 15);
      console.log(arc.count < 15);`);
    assertEquals([stdout, code], ["21\ntrue\n", 0]);
  });
});
