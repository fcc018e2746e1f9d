import { describe, it } from "node:test";
import process from "node:process";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { outputOf } from "../child.ts";
import { ctrlC, run, shutdownSignal, Signal, sleep, spawn } from "../../lib/task/mod.ts";

const moduleUrl = (path: string): string => new URL(`../../${path}`, import.meta.url).href;

describe("Signal under run", () => {
  it("tells of each signal, and of those that came while nobody waited", async () => {
    await run(async () => {
      using usr = new Signal("SIGUSR2");
      process.kill(process.pid, "SIGUSR2");
      assertEquals(await usr.recv(), 1);
      const next = spawn(() => usr.recv());
      await sleep(2);
      assertEquals(next.isFinished, false);
      process.kill(process.pid, "SIGUSR2");
      assertEquals(await next, 1);
    });
  });

  it("may be dropped while it is waited for, and loses none", async () => {
    await run(async () => {
      using usr = new Signal("SIGUSR2");
      const dropped = spawn(() => usr.recv());
      await sleep(1);
      dropped.abort();
      process.kill(process.pid, "SIGUSR2");
      assertEquals(await usr.recv(), 1);
    });
  });

  it("refuses what cannot be listened to, and to wait once it was disposed", async () => {
    await run(async () => {
      await sleep(0);
      assertThrows(() => Reflect.construct(Signal, ["SIGKILL"]), TypeError, "cannot watch SIGKILL");
      const usr = new Signal("SIGUSR2");
      usr[Symbol.dispose]();
      usr[Symbol.dispose]();
      await assertRejects(() => usr.recv(), Error, "cannot wait for SIGUSR2");
    });
  });

  it("is what ctrlC and shutdownSignal wait for, which listen from their first poll", async () => {
    await run(async () => {
      const waiting = spawn(() => ctrlC());
      const either = spawn(() => shutdownSignal());
      await sleep(1);
      process.kill(process.pid, "SIGINT");
      assertEquals([await waiting, await either], ["SIGINT", "SIGINT"]);
      const term = spawn(() => shutdownSignal());
      await sleep(1);
      process.kill(process.pid, "SIGTERM");
      assertEquals(await term, "SIGTERM");
    });
  });

  it("is heard where the host begins to listen to another one later", () => {
    const output = outputOf(`
      import process from "node:process";
      import { run, Signal } from "${moduleUrl("lib/task/mod.ts")}";
      await run(function* () {
        using interrupt = new Signal("SIGINT");
        process.on("SIGUSR2", () => {});
        process.kill(process.pid, "SIGINT");
        console.log("heard", yield* interrupt.recv());
      });
      process.exit();`);
    assertEquals(output, "heard 1");
  });
});

describe("a signal in the host's loop", () => {
  it("is told by the host's own listener", async () => {
    const output = await outputOf(`
      import process from "node:process";
      import { ctrlC, Signal } from "${moduleUrl("lib/task/mod.ts")}";
      const usr = new Signal("SIGUSR2");
      setTimeout(() => process.kill(process.pid, "SIGUSR2"), 5);
      const alive = setTimeout(() => {}, 1e6);
      console.log(await usr.recv());
      setTimeout(() => process.kill(process.pid, "SIGINT"), 5);
      console.log(await ctrlC());
      usr[Symbol.dispose]();
      clearTimeout(alive);
    `);
    assertEquals(output.trim().split("\n"), ["1", "SIGINT"]);
  });

  it("is refused by name where nobody can listen to it", async () => {
    for (const name of ["SIGKILL", "SIGSEGV", "exit", "nonsense", null]) {
      assertThrows(() => Reflect.construct(Signal, [name]), TypeError, `cannot watch ${name}`);
      await run(() => {
        assertThrows(() => Reflect.construct(Signal, [name]), TypeError, `cannot watch ${name}`);
        return Promise.resolve();
      });
    }
  });

  it("is refused in a worker that would never be told, and told elsewhere", () => {
    const output = outputOf(`
      import process from "node:process";
      import { Worker } from "node:worker_threads";
      const source = \`
        const { parentPort } = require("node:worker_threads");
        import("${moduleUrl("lib/task/mod.ts")}").then(async ({ Signal }) => {
          try {
            const usr = new Signal("SIGUSR2");
            setTimeout(() => {}, 10_000);
            parentPort.postMessage("listens");
            await usr.recv();
            parentPort.postMessage("heard");
          } catch (error) {
            parentPort.postMessage(error.message.includes("tells its workers of no signal") ? "heard" : error.message);
          }
        });
      \`;
      process.on("SIGUSR2", () => {});
      const worker = new Worker(source, { eval: true });
      const told = await new Promise((resolve) => {
        worker.on("message", (message) => {
          if (message === "listens") setTimeout(() => process.kill(process.pid, "SIGUSR2"), 20);
          else resolve(message);
        });
        setTimeout(resolve, 10_000, "never heard").unref();
      });
      console.log(told);
      process.exit(0);
    `);
    assertEquals(output, "heard");
  });
});
