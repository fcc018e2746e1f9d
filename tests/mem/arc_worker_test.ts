import { describe, it } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { scratch } from "./scratch.ts";

const files = scratch();

describe("an Arc in workers", () => {
  const imports = `import { Arc, Yoke } from "${moduleUrl("lib/mem/yoke.ts")}";`;

  /** What the program prints that has `post(worker, message)`, which waits for the answer, and `start()`. */
  function outputWith(worker: string, source: string): string {
    const file = join(files.folder, "worker.mjs");
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
    const rounds = tiered({ quick: 100, full: 5_000, soak: 100_000 });
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
