import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { run, sleep } from "../../../lib/task/mod.ts";
import { type Job, job, Pool, PoolClosedError } from "../../../lib/task/pool.ts";
import { type ChildResult, moduleUrl, runChild } from "../../child.ts";
import { descriptors, openedSince } from "../../descriptors.ts";
import { tiered } from "../../tier.ts";

const url = new URL("./work.ts", import.meta.url);
type Work = typeof import("./work.ts");

const add: Job<[number, number], number> = job<Work, "add">(url, "add");
const hold: Job<[Int32Array], void> = job<Work, "hold">(url, "hold");

function words(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(8));
}

async function raised(words: Int32Array, index: number): Promise<void> {
  while (Atomics.load(words, index) === 0) await sleep(1);
}

describe("closing a pool", () => {
  it("waits for what is in flight, and takes nothing more", async () => {
    const pool = Pool.open({ threads: 2 });
    const handles = Array.from({ length: 100 }, (_, i) => pool.run(add, i, 1));
    const slow = pool.job<Work, "addByHost">(url, "addByHost")(1, 2);
    const closing = pool.close();
    const error = assertThrows(() => pool.run(add, 1, 2), PoolClosedError, "closed");
    assert(error.message.startsWith("cannot run a job"));
    assertThrows(() => pool.spawnBlocking(add, 1, 2), PoolClosedError);
    await closing;
    for (const [i, handle] of handles.entries()) assertEquals(await handle, i + 1);
    assertEquals(await slow, 3);
    await pool.close();
  });

  it("fails what is left at the deadline, queued or running, and ends its thread", async () => {
    const pool = Pool.open({ threads: 1 });
    const flags = words();
    const running = pool.run(hold, flags);
    await raised(flags, 0);
    const queued = pool.run(add, 1, 2);
    const closing = pool.close({ deadline: 5 });
    await assertRejects(async () => await running, PoolClosedError, "before the job had ended");
    await assertRejects(async () => await queued, PoolClosedError);
    Atomics.store(flags, 1, 1);
    Atomics.notify(flags, 1);
    await closing;
  });

  it("comes back under run, and before a thread has come to be", async () => {
    await run(async () => {
      const pool = Pool.open({ threads: 1 });
      assertEquals(await pool.run(add, 1, 2), 3);
      await pool.close();
      const other = Pool.open({ threads: 2 });
      const early = other.run(add, 1, 2);
      const closing = other.close({ deadline: 0 });
      await assertRejects(async () => await early, PoolClosedError);
      await closing;
      await Pool.open().close();
    });
  });

  it("refuses what is no deadline", async () => {
    await using pool = Pool.open();
    assertThrows(() => pool.close({ deadline: -1 }), RangeError, "deadline");
    assertThrows(() => Reflect.apply(pool.close, pool, [{ after: 1 }]), TypeError, "after");
  });

  it("leaves no descriptor of ours behind", async () => {
    async function cycle(): Promise<void> {
      await using pool = Pool.open({ threads: 2 });
      await pool.ready();
      await Promise.all(Array.from({ length: 10 }, (_, i) => pool.run(add, i, 1)));
      await pool.job<Work, "addByHost">(url, "addByHost")(1, 2);
    }
    await cycle();
    const before = descriptors();
    for (let i = 0; i < tiered({ quick: 2, full: 50, soak: 1_000 }); i++) await cycle();
    // Deno leaves an epoll instance and its eventfd of each thread that a watch was made in.
    const opened = openedSince(before).filter((one) => !/\[event(?:fd|poll)\]/.test(one));
    assertEquals(opened, []);
  });
});

const THREADS = tiered({ quick: 1, full: 2, soak: 2 });

/** A program with an open pool that has worked. */
function program(end: string): ChildResult {
  return runChild(
    `
    import process from "node:process";
    import { Pool } from "${moduleUrl("lib/task/pool.ts")}";
    const pool = Pool.open({ threads: ${THREADS} });
    const { add, addByHost, addOne } = pool.jobs(new URL("${url.href}"));
    await pool.ready();
    console.log(await add(1, 2));
    process.on("exit", (code) => console.log("exit", code));
    ${end}
  `,
    { limitMs: 60_000 },
  );
}

describe("a process with an open pool", () => {
  const cases = [
    { what: "ends by itself, where nobody waits", end: "", code: 0, output: "3\nexit 0\n" },
    {
      what: "ends by itself with a job that nobody waits for",
      end: "addByHost(1, 2);",
      code: 0,
      output: "3\nexit 0\n",
    },
    {
      what: "stays for a job that somebody waits for",
      end: "addByHost(3, 4).then((sum) => console.log(sum));",
      code: 0,
      output: "3\n7\nexit 0\n",
    },
    { what: "ends by exit", end: "process.exit(3);", code: 3, output: "3\nexit 3\n" },
  ];
  for (const { what, end, code, output } of cases) {
    it(what, () => {
      const result = program(end);
      assertEquals({ code: result.code, stdout: result.stdout }, { code, stdout: output });
    });
  }
});

// At the end of the file: Deno ends no thread that loops, which burns a core until the process ends.
describe("closing a pool for good", () => {
  it("comes back though a job holds its thread in JavaScript for good", async () => {
    const pool = Pool.open({ threads: 1 });
    const flags = words();
    const looping = pool.job<Work, "loop">(url, "loop")(flags);
    await raised(flags, 0);
    await pool.close({ deadline: 0 });
    await assertRejects(async () => await looping, PoolClosedError);
  });
});
