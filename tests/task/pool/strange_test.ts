import { after, before, describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { Pool, PoolClosedError } from "../../../lib/task/pool.ts";
import { moduleUrl, outputOf } from "../../child.ts";

const url = new URL("./strange_work.ts", import.meta.url);
type Work = typeof import("./strange_work.ts");

describe("a pool whose jobs are strange", () => {
  let pool: Pool;
  before(() => {
    pool = Pool.open({ threads: 1, slots: 2 });
  });
  after(() => pool.close());

  it("takes the first of what a thenable calls back with, and lets the rest spoil no other job", async () => {
    const { settlesTwice, wait } = pool.jobs<Work>(url);
    for (let round = 0; round < 3; round++) {
      assertEquals(await settlesTwice(), "first");
      assertEquals(await wait(20), 20);
    }
  });

  it("fails the job alone that gives or throws what throws when it is looked at", async () => {
    const { givesThrowingThen, givesRevokedProxy, throwsRevokedProxy, givesIterator, wait } = pool.jobs<Work>(
      url,
    );
    await assertRejects(async () => await givesThrowingThen(), Error);
    await assertRejects(async () => await givesRevokedProxy(), Error);
    await assertRejects(async () => await throwsRevokedProxy(), Error, "throws when it is looked at");
    await assertRejects(async () => await givesIterator(), DOMException, "cannot send");
    assertEquals(await wait(1), 1);
    assertEquals(pool.metrics().lost, 0);
  });

  it("goes on where what hears of reports throws, which is an uncaught error", () => {
    const source = `import { Pool } from ${JSON.stringify(moduleUrl("lib/task/pool.ts"))};
      import process from "node:process";
      process.on("uncaughtException", (error) => console.log("uncaught", error.message));
      await using pool = Pool.open({ threads: 1 });
      const countUp = { module: ${JSON.stringify(new URL("./work.ts", url).href)}, name: "countUp" };
      const onProgress = () => {
        throw new RangeError("mine");
      };
      const count = await pool.runWith({ onProgress }, countUp, 1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      console.log(count);`;
    assertEquals(outputOf(source).split("\n"), ["uncaught mine", "1"]);
  });

  it("gives slots to all that wait for one, where some cannot be sent after all", async () => {
    const { wait } = pool.jobs<Work>(url);
    const echo = { module: new URL("./work.ts", import.meta.url).href, name: "echo" };
    const release = new Int32Array(new SharedArrayBuffer(8));
    const hold = { module: new URL("./work.ts", import.meta.url).href, name: "hold" };
    const filling = [pool.run(hold, release), pool.run(hold, release)];
    const refused = [1, 2, 3].map(() => pool.run(echo, () => 1));
    const last = wait(1);
    Atomics.store(release, 1, 1);
    Atomics.notify(release, 1);
    for (const handle of refused) await assertRejects(async () => await handle, DOMException, "function");
    assertEquals(await last, 1);
    for (const handle of filling) assertEquals(await handle, undefined);
  });

  it("cancels many that have no slot yet, from the last to the first", async () => {
    const { wait } = pool.jobs<Work>(url);
    const handles = Array.from({ length: 20_000 }, () => wait(1));
    const waiting = handles.filter((handle) => !handle.isFinished);
    for (const handle of waiting.toReversed()) handle.cancel();
    for (const handle of waiting) await assertRejects(async () => await handle, DOMException, "cancelled");
    assertEquals(await wait(1), 1);
  });

  it("fails no job by another's module that does not load, in whose slot it is", async () => {
    const { wait } = pool.jobs<Work>(url);
    for (let round = 0; round < 5; round++) {
      const missing = { module: new URL(`./none${round}.ts`, url).href, name: "none" };
      const handle = pool.run(missing);
      handle.cancel();
      assertEquals([await wait(1), await wait(1)], [1, 1]);
      await assertRejects(async () => await handle, DOMException, "cancelled");
    }
  });

  it("says that it was closed, and what it had done", async () => {
    const closed = Pool.open({ threads: 1 });
    assertEquals(await closed.jobs<Work>(url).wait(1), 1);
    await closed.close();
    await assertRejects(() => closed.ready(), PoolClosedError, "was closed");
    assertEquals(closed.metrics().finished, 1);
  });
});
