import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";

const onNode = skipping(
  hostName === "node" && "Node calls finalizers at a turn of the loop, and counts nothing",
);

/** What a child needs to lend buffers, and to collect garbage. */
const TOOLS = `
  import { libc, NULL, pointerAt } from "${moduleUrl("ffi/mod.ts")}";
  import { countingLender } from "${moduleUrl("lib/jit/lend.ts")}";
  import { takeCount } from "${moduleUrl("lib/mem/loan_count.ts")}";
  import process from "node:process";
  import { collect, gc } from "${moduleUrl("tests/collector.ts")}";
  const LENGTH = 1 << 16;
  const lend = countingLender();
  const map = () => pointerAt(libc().mmap(NULL, LENGTH, 3, 0x22, -1, 0));
  const read = ({ words, index }) => Atomics.load(words, index);
  function lent(pointer, count) {
    Atomics.add(count.words, count.index, 1);
    return lend(pointer, LENGTH, count.pointer);
  }
  /** JSC takes for used what lies on the stack: of many the last ones may stay. */
  const MANY = 50;
  const FEW = 5;
`;

describe("countingLender", () => {
  it("counts on Deno and Bun, and not on Node", () => {
    assertEquals(outputOf(`${TOOLS} console.log(lend !== undefined);`), String(hostName !== "node"));
  });

  it("takes a buffer off the count when it is collected, and not before", { skip: onNode }, () => {
    const source = `${TOOLS}
      const [pointer, count] = [map(), takeCount()];
      const part = () => new Uint8Array(lent(pointer, count), 8, 8).subarray(1);
      let views = Array.from({ length: MANY }, part);
      views[0][0] = 7;
      for (let i = 0; i < 5; i++) gc();
      console.log(read(count) === MANY, views[1][0]);
      views.length = 1;
      console.log(await collect(() => read(count) <= FEW), read(count) > 0, views[0][0]);
    `;
    assertEquals(outputOf(source), "true 7\ntrue true 7");
  });

  it("counts who was transferred the memory, and not whom it was taken from", { skip: onNode }, () => {
    const source = `${TOOLS}
      const [pointer, count] = [map(), takeCount()];
      function passedOn() {
        const buffer = lent(pointer, count);
        return structuredClone(buffer, { transfer: [buffer] }).transfer();
      }
      const last = Array.from({ length: MANY }, passedOn);
      new Uint8Array(last[0])[5] = 9;
      for (let i = 0; i < 5; i++) gc();
      console.log(read(count) === MANY, new Uint8Array(last[1])[5]);
      last.length = 0;
      console.log(await collect(() => read(count) <= FEW));
    `;
    assertEquals(outputOf(source), "true 9\ntrue");
  });

  it("counts what another thread was given until that has let it go or ended", { skip: onNode }, () => {
    const source = `${TOOLS}
      import { Worker } from "node:worker_threads";
      import { once } from "node:events";
      const code = \`
        const { parentPort } = require("node:worker_threads");
        let held;
        parentPort.on("message", (message) => {
          if (message === "drop") held = undefined;
          else held = new Uint8Array(message);
          parentPort.postMessage(held?.[3] ?? "dropped");
        });
      \`;
      for (const drops of [true, false]) {
        const worker = new Worker(code, { eval: true });
        const [pointer, count] = [map(), takeCount()];
        let buffer = lent(pointer, count);
        new Uint8Array(buffer)[3] = 11;
        worker.postMessage(buffer, [buffer]);
        buffer = undefined;
        const [there] = await once(worker, "message");
        for (let i = 0; i < 5; i++) gc();
        console.log(there, read(count));
        if (drops) {
          worker.postMessage("drop");
          console.log((await once(worker, "message"))[0]);
        }
        await worker.terminate();
        console.log(await collect(() => read(count) === 0));
      }
      process.exit(0);
    `;
    assertEquals(outputOf(source), "11 1\ndropped\ntrue\n11 1\ntrue");
  });

  it("counts what a thread has passed on when the thread itself has ended", { skip: onNode }, () => {
    const source = `${TOOLS}
      import { Worker } from "node:worker_threads";
      import { once } from "node:events";
      import { pathToFileURL } from "node:url";
      import { writeFileSync } from "node:fs";
      import { addressOf } from "${moduleUrl("ffi/mod.ts")}";
      writeFileSync("worker.mts", \`
        import { libc, NULL, pointerAt } from "${moduleUrl("ffi/mod.ts")}";
        import { countingLender } from "${moduleUrl("lib/jit/lend.ts")}";
        import { parentPort, workerData } from "node:worker_threads";
        const pointer = pointerAt(libc().mmap(NULL, \${LENGTH}, 3, 0x22, -1, 0));
        for (let i = 0; i < workerData.many; i++) {
          const buffer = countingLender()(pointer, \${LENGTH}, pointerAt(workerData.address));
          new Uint8Array(buffer).fill(5);
          parentPort.postMessage(buffer, [buffer]);
        }
      \`);
      const count = takeCount();
      Atomics.add(count.words, count.index, MANY);
      const workerData = { address: addressOf(count.pointer), many: MANY };
      const worker = new Worker(pathToFileURL("worker.mts"), { workerData });
      const buffers = [];
      worker.on("message", (buffer) => buffers.push(buffer));
      await once(worker, "exit");
      while (buffers.length < MANY) await new Promise((resolve) => setTimeout(resolve, 5));
      for (let i = 0; i < 5; i++) gc();
      console.log(read(count) === MANY, buffers.every((buffer) => new Uint8Array(buffer).every((byte) => byte === 5)));
      buffers.length = 0;
      console.log(await collect(() => read(count) <= FEW));
      process.exit(0);
    `;
    assertEquals(outputOf(source), "true true\ntrue");
  });
});
