import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";

const TASK = moduleUrl("lib/task/mod.ts");

/** A server of the host's own, which answers with the path that it was asked for. */
const SERVE = hostName === "deno"
  ? `const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
     const port = server.addr.port, stop = () => server.shutdown();`
  : hostName === "bun"
  ? `const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
     const port = server.port, stop = () => server.stop(true);`
  : `import { createServer } from "node:http";
     const server = createServer((request, response) => response.end(request.url));
     await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
     const port = server.address().port;
     const stop = () => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve)));`;

const PROGRAM = `
  import { run, sleep, spawn } from "${TASK}";
  const answer = (request) => new Response(new URL(request.url).pathname);
  ${SERVE}
`;

describe("the host's own server, fetch and timers inside run", () => {
  it("answer beside our tasks", () => {
    const output = outputOf(`${PROGRAM}
      const texts = await run(async () => {
        const texts = [];
        for (let i = 0; i < 5; i++) {
          texts.push(await (await fetch("http://127.0.0.1:" + port + "/" + i)).text());
          await sleep(1);
        }
        return texts;
      });
      await stop();
      console.log(texts.join());
    `);
    assertEquals(output, "/0,/1,/2,/3,/4");
  });

  it("answer after the thread has slept in the host's loop", () => {
    const output = outputOf(`${PROGRAM}
      let ticks = 0;
      const texts = await run(async () => {
        const interval = setInterval(() => ticks++, 5);
        const texts = [];
        for (let i = 0; i < 3; i++) {
          await sleep(60);
          texts.push(await (await fetch("http://127.0.0.1:" + port + "/" + i)).text());
        }
        clearInterval(interval);
        return texts;
      });
      await stop();
      console.log(texts.join(), ticks > 3);
    `);
    assertEquals(output, "/0,/1,/2 true");
  });
});

describe("a worker", () => {
  it("has a runtime of its own, beside this thread's", () => {
    const output = outputOf(`
      import { writeFileSync } from "node:fs";
      import { once } from "node:events";
      import { Worker } from "node:worker_threads";
      import { run, sleep, spawn } from "${TASK}";
      writeFileSync("worker.mjs", \`
        import { parentPort } from "node:worker_threads";
        import { attach, run, sleep, spawn } from "${TASK}";
        const inRun = await run(async () => { await sleep(2); return await spawn(async () => (await sleep(1), "run")); });
        const attached = await spawn(async () => (await sleep(1), "attached"));
        parentPort.postMessage(inRun + " " + attached);
        attach()[Symbol.dispose]();
      \`);
      const texts = await run(async () => {
        const ours = spawn(async () => { for (let i = 0; i < 20; i++) await sleep(1); return "ours"; });
        const texts = [];
        for (let i = 0; i < 2; i++) {
          const worker = new Worker("./worker.mjs");
          texts.push((await once(worker, "message"))[0]);
          await worker.terminate();
        }
        return [...texts, await ours];
      });
      console.log(texts.join());
    `);
    assertEquals(output, "run attached,run attached,ours");
  });
});

/** After what an async function still knows its task, with \`asyncContext\`. */
const CARRIED: Readonly<Record<string, boolean>> = {
  "its start": true,
  "a future of ours": true,
  "a promise": true,
  "a timer of the host's": true,
  "a microtask": true,
  "an event of node:events": true,
  "fetch": true,
  "a callback of node:fs": true,
  "a message of a port": hostName !== "bun",
};

describe("Task.current in an async function, with asyncContext", () => {
  it("is its own after what its host carries it through, and no stranger's anywhere", () => {
    const output = outputOf(`
      import { EventEmitter } from "node:events";
      import { stat } from "node:fs";
      import { run, sleep, spawn, Task } from "${TASK}";
      const found = {};
      await run(async () => {
        const handle = spawn(async () => {
          const { id } = Task.current();
          const told = (name) => {
            let seen;
            try { seen = Task.current().id; } catch { seen = -1; }
            found[name] = seen === id ? true : seen === -1 ? false : "a stranger's";
          };
          told("its start");
          await sleep(1);
          told("a future of ours");
          await Promise.resolve();
          told("a promise");
          await new Promise((resolve) => setTimeout(() => { told("a timer of the host's"); resolve(); }, 1));
          await new Promise((resolve) => queueMicrotask(() => { told("a microtask"); resolve(); }));
          const emitter = new EventEmitter();
          emitter.on("x", () => told("an event of node:events"));
          emitter.emit("x");
          await (await fetch("data:text/plain,x")).text();
          told("fetch");
          const { port1, port2 } = new MessageChannel();
          await new Promise((resolve) => {
            port2.onmessage = () => { told("a message of a port"); resolve(); };
            port1.postMessage("x");
          });
          port1.close();
          port2.close();
          await new Promise((resolve) => stat("/", () => { told("a callback of node:fs"); resolve(); }));
        });
        const other = spawn(async () => { for (let i = 0; i < 10; i++) await sleep(1); });
        await handle;
        await other;
      }, { asyncContext: true });
      console.log(JSON.stringify(found));
    `);
    assertEquals(JSON.parse(output), CARRIED);
  });

  it("is lost after the first await where it was not asked for", () => {
    const output = outputOf(`
      import { run, sleep, spawn, Task } from "${TASK}";
      console.log(await run(() => spawn(async () => {
        const first = Task.current().id;
        await sleep(1);
        try { return Task.current().id; } catch (error) { return first + " " + error.message; }
      })));
    `);
    assertEquals(output, "2 cannot tell the current task: no task has its turn");
  });
});
