import { describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { TOOLS } from "./watched.ts";

describe("a watch in a worker", () => {
  const WORKERS = tiered({ quick: 4, full: 40, soak: 500 });

  it("calls there, while the main thread blocks", () => {
    const output = outputOf(`${TOOLS}
      if (isMainThread) {
        const worker = new Worker(new URL(import.meta.url), { workerData: 0 });
        await new Promise((resolve) => worker.on("message", resolve));
        const shared = new Int32Array(new SharedArrayBuffer(4));
        worker.postMessage(shared);
        console.log(Atomics.wait(shared, 0, 0, 20_000));
        await worker.terminate();
      } else {
        const fd = eventfd();
        let calls = 0;
        parentPort.on("message", (shared) => {
          const watch = new Watch(fd, () => {
            read(fd);
            if (++calls === 5) { Atomics.store(shared, 0, 1); Atomics.notify(shared, 0); return; }
            watch.arm();
            write(fd);
          });
          watch.arm();
          write(fd);
        });
        parentPort.postMessage("here");
      }`);
    assertMatch(output, /^(?:ok|not-equal)$/);
  });

  const endings = {
    "is terminated while it is armed": "",
    "is terminated while it calls all the time": "call = () => { watch.arm(); write(fd); }; write(fd);",
    "leaves": "setTimeout(() => process.exit(0), 5);",
    "leaves in a call": "call = () => process.exit(0); write(fd);",
    "fails in a call": 'call = () => { throw new Error("of the worker"); }; write(fd);',
    "has done its work": "watch.unref();",
  };
  for (const [what, ending] of Object.entries(endings)) {
    it(`ends with it, where it ${what}`, () => {
      const terminates = what.startsWith("is terminated");
      const output = outputOf(`${TOOLS}
        import { descriptors } from "${moduleUrl("tests/descriptors.ts")}";
        const count = () => readdirSync("/proc/self/task").length;
        const files = () => descriptors().size;
        if (isMainThread) {
          const seen = [];
          for (let i = 0; i < ${WORKERS}; i++) {
            const worker = new Worker(new URL(import.meta.url), { workerData: 0 });
            const ended = new Promise((resolve) => worker.on("exit", resolve));
            worker.on("error", () => {});
            worker.on("message", async () => {
              if (!${terminates}) return;
              await sleep(i);
              await worker.terminate();
            });
            await ended;
            // The third is what the rest is held against: by then those before it have ended.
            if (i === 2) await sleep(100);
            seen.push([count(), files()]);
          }
          // One eventfd stays of each, which is the worker's own.
          const more = () => [count() - seen[2][0], files() - seen[2][1]];
          const isFew = () => more().every((number, i) => number <= [2, ${WORKERS} - 3 + 2][i]);
          // A thread may end a while after the host says that it did.
          for (let i = 0; i < 500 && !isFew(); i++) await sleep(20);
          console.log(isFew() ? "few" : seen.join(" "));
        } else {
          const fd = eventfd();
          let call = () => {};
          const watch = new Watch(fd, () => { read(fd); call(); });
          watch.arm();
          parentPort.postMessage("armed");
          ${ending}
        }`);
      assertEquals(output, "few");
    });
  }
});
