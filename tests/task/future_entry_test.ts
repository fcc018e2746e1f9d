import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { readdirSync } from "node:fs";
import { moduleUrl, outputOf } from "../child.ts";

const FOLDERS = ["lib/task", "lib/task/futures", "lib/task/runtime", "lib/task/time"];

describe("the modules of lib/task", () => {
  it("may each be the first that is loaded, and have all of Future's methods then", () => {
    const modules = FOLDERS.flatMap((folder) =>
      readdirSync(new URL(`../../${folder}`, import.meta.url))
        .filter((name) => name.endsWith(".ts")).map((name) => `${folder}/${name}`)
    );
    const source = `
      import { Worker } from "node:worker_threads";
      const failures: string[] = [];
      for (const url of ${JSON.stringify(modules.map(moduleUrl))}) {
        const program = \`
          import \${JSON.stringify(url)};
          import { ready } from ${JSON.stringify(moduleUrl("lib/task/futures/ready.ts"))};
          import { parentPort } from "node:worker_threads";
          parentPort.postMessage(ready(1).map((n) => n + 1).fuse().shared().timeout(5).poll({}));
        \`;
        const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(program)));
        const outcome = await new Promise((resolve) => {
          worker.on("message", resolve);
          worker.on("error", (error) => resolve(String(error)));
        });
        await worker.terminate();
        if (outcome !== 2) failures.push(url + ": " + outcome);
      }
      console.log(JSON.stringify(failures));
    `;
    assertEquals(JSON.parse(outputOf(source)), []);
    assertEquals(modules.includes("lib/task/time/sleep.ts"), true);
  });
});
