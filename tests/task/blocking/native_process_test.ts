import { describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { moduleUrl, outputOf, runChild } from "../../child.ts";
import { tiered } from "../../tier.ts";

const TOOLS = `
  import process from "node:process";
  import { setTimeout as sleep } from "node:timers/promises";
  import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
  import { readdirSync, readFileSync } from "node:fs";
  import { dlopen } from ${JSON.stringify(moduleUrl("ffi/mod.ts"))};
  import { run, spawn } from ${JSON.stringify(moduleUrl("lib/task/mod.ts"))};
  import { spawnNative } from ${JSON.stringify(moduleUrl("lib/task/blocking/spawn_native.ts"))};
  import { descriptors } from ${JSON.stringify(moduleUrl("tests/descriptors.ts"))};
  const libc = dlopen(["libc.so.6"], {
    pipe: { parameters: ["buffer"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    usleep: { parameters: ["u32"], result: "i32" },
    getpid: { parameters: [], result: "i32" },
  });
  function pipe() {
    const ends = new Int32Array(2);
    libc.symbols.pipe(ends);
    return ends;
  }
  const block = (fd, buffer = new Uint8Array(1000)) => spawnNative(libc, "read", [fd, buffer, buffer.length]);
  // The kernel's list lacks threads that live, where one before them ends while it is read.
  function callThreads() {
    return Math.max(...Array.from({ length: 4 }, listedCallThreads));
  }
  function listedCallThreads() {
    return readdirSync("/proc/self/task").filter((task) => {
      try {
        return readFileSync("/proc/self/task/" + task + "/comm", "utf8") === "oxbow-calls\\n";
      } catch {
        return false;
      }
    }).length;
  }
`;

describe("a call that blocks for ever", () => {
  const endings: Record<string, [source: string, code: number]> = {
    "run is over": [
      `await run(async () => { spawn(() => block(fd)); await spawnNative(libc, "getpid", []); });`,
      0,
    ],
    "it was aborted in the host's loop": [
      `await block(fd).abortable(AbortSignal.timeout(20)).toPromise().catch(({ name }) => console.log(name));`,
      0,
    ],
    "the process exits": [
      `block(fd).toPromise(); await spawnNative(libc, "getpid", []); process.exit(3);`,
      3,
    ],
    "an error is uncaught": [
      `block(fd).toPromise(); await spawnNative(libc, "getpid", []); setTimeout(() => { throw new Error("uncaught"); });`,
      1,
    ],
    "64 of them block": [
      `await run(async () => {
         for (let i = 0; i < 100; i++) spawn(() => block(fd));
         while (callThreads() < 64) await new Promise((resolve) => setTimeout(resolve, 2));
       });`,
      0,
    ],
  };
  for (const [what, [source, code]] of Object.entries(endings)) {
    it(`does not keep the process, where ${what}`, () => {
      const ended = runChild(`${TOOLS} const [fd] = pipe(); ${source} console.log("over");`);
      assertEquals([ended.code, ended.stderr.includes("uncaught")], [code, code === 1]);
      if (code === 0) assertMatch(ended.stdout, /over\n$/);
    });
  }
});

describe("a call that is awaited", () => {
  it("keeps the process for as long as it takes, in the host's loop", () => {
    const output = outputOf(`${TOOLS}
      spawnNative(libc, "usleep", [300_000]).then(({ result }) => console.log("slept", result));`);
    assertEquals(output, "slept 0");
  });
});

describe("calls of a worker", () => {
  it("outlive it in memory of their own, whether it is terminated, leaves or fails, and leave nothing", () => {
    const output = outputOf(`${TOOLS}
      const ROUNDS = ${tiered({ quick: 1, full: 20, soak: 300 })};
      if (isMainThread) {
        const ends = pipe();
        const addresses = () => Number(/VmSize:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
        let workers = 0;
        for (let round = 0; round < ROUNDS; round++) {
          for (const ending of ["terminated", "leaves", "fails"]) {
            const worker = new Worker(new URL(import.meta.url), { workerData: { fd: ends[0], ending } });
            workers++;
            const ended = new Promise((resolve) => worker.on("exit", resolve));
            worker.on("error", () => {});
            await new Promise((resolve) => worker.on("message", resolve));
            if (ending === "terminated") await worker.terminate();
            await ended;
          }
        }
        const [threads, before] = [callThreads(), addresses()];
        // What C writes now goes to nobody's heap.
        const bytes = new Uint8Array(3000 * workers).fill(255);
        libc.symbols.write(ends[1], bytes, bytes.length);
        const isOver = () => callThreads() === 0 && before - addresses() > workers * 60_000;
        for (let i = 0; i < 1000 && !isOver(); i++) await sleep(10);
        const junk = Array.from({ length: 1000 }, (_, i) => new Uint8Array(1000).fill(i));
        const isSound = junk.every((bytes, i) => bytes.every((byte) => byte === i % 256));
        console.log(threads / workers, callThreads(), isOver() ? "given back" : before - addresses(), isSound);
      } else {
        const { fd, ending } = workerData;
        const before = callThreads();
        for (let i = 0; i < 3; i++) block(fd).toPromise();
        while (callThreads() < before + 3) await sleep(1);
        await sleep(5);
        parentPort.postMessage("blocked");
        if (ending === "leaves") setTimeout(() => process.exit(0), 5);
        if (ending === "fails") setTimeout(() => { throw new Error("of the worker"); }, 5);
      }`);
    assertEquals(output, "3 0 given back true");
  });
});

describe("where machine code cannot be loaded", () => {
  it("spawnNative fails by name, and so do files", () => {
    const output = outputOf(
      `
      import { readFile } from ${JSON.stringify(moduleUrl("lib/fs/mod.ts"))};
      try {
        await readFile("/etc/hostname");
      } catch ({ name, message }) {
        console.log(name, message);
      }`,
      { before: "export OXBOW_NATIVE=0" },
    );
    assertMatch(output, /^NativeUnavailableError cannot .*OXBOW_NATIVE is 0/);
  });
});
