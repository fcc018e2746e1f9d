import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";
import { TOOLS } from "./scratch.ts";

/** A worker opens maps of every kind and ends as `end` says; what it leaves open is counted. */
function leftBy(end: string): string {
  return outputOf(`${TOOLS}
    import { once } from "node:events";
    import { pathToFileURL } from "node:url";
    import { Worker } from "node:worker_threads";
    const worker = join(folder, "worker.mjs");
    fs.writeFileSync(worker, \`
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      import { parentPort, workerData } from "node:worker_threads";
      import process from "node:process";
      const maps = [];
      for (let i = 0; i < 20; i++) {
        const memory = Mmap.memfd("ended-thread", 4096);
        memory.share();
        maps.push(memory, Mmap.open(workerData, { mode: "r+" }), Mmap.open(workerData));
      }
      maps[0][Symbol.dispose]();
      // Retained, and so kept when it is disposed.
      maps[3].retain();
      maps[3][Symbol.dispose]();
      parentPort.postMessage(maps.length);
      ${end}
    \`);
    const path = file(4);
    const left = () => descriptors("ended-thread") + descriptors("oxbow-map-record") + descriptors(path);
    for (let i = 0; i < 3; i++) {
      const thread = new Worker(pathToFileURL(worker), { workerData: path });
      const ended = once(thread, "exit");
      const [count] = await once(thread, "message");
      await ended;
      console.log(count, left());
    }
  `);
}

describe("a thread that ends", () => {
  it("closes what its maps have open", () => {
    assertEquals(leftBy(""), "60 0\n60 0\n60 0");
  });

  it("closes it too where it calls process.exit", () => {
    assertEquals(leftBy("process.exit(0);"), "60 0\n60 0\n60 0");
  });
});
