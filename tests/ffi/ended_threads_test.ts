import { describe, it } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";

const THREADS = tiered({ quick: 25, full: 200, soak: 5000 });

describe("threads that end while their calls are hot", () => {
  // Node's own calls end the process there, by a compiler's thread that reads what is freed.
  it("leave the process alive", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-threads-"));
    try {
      const worker = join(folder, "worker.mjs");
      writeFileSync(
        worker,
        `import { parentPort } from "node:worker_threads";
        import { dlopen } from "${moduleUrl("ffi/mod.ts")}";
        const { symbols: { abs } } = dlopen(["libc.so.6"], { abs: { parameters: ["i32"], result: "i32" } });
        function hot(calls) {
          let sum = 0;
          for (let i = 0; i < calls; i++) sum += abs(-1 - i);
          return sum;
        }
        let sum = 0;
        for (let j = 0; j < 400 + Math.random() * 300; j++) sum = hot(100);
        parentPort.postMessage(sum);`,
      );
      const output = outputOf(`
        import { Worker } from "node:worker_threads";
        let sum = 0;
        for (let i = 0; i < ${THREADS}; i++) {
          const worker = new Worker(new URL("${pathToFileURL(worker)}"));
          sum += await new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
          await worker.terminate();
        }
        console.log(sum);`);
      assertEquals(Number(output), THREADS * 5050);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
