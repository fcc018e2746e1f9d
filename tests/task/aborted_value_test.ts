import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { JoinSet, run, sleep, spawn } from "../../lib/task/mod.ts";
import { ended } from "./parked.ts";

describe("the value of a task that is aborted", () => {
  /** Counts how often it was disposed of. */
  class Resource implements Disposable {
    disposals = 0;

    [Symbol.dispose](): void {
      this.disposals++;
    }
  }

  it("is disposed of where the task has ended and nobody has taken it", async () => {
    await run(async () => {
      const resource = new Resource();
      const handle = spawn(() => sleep(0).map(() => resource));
      await sleep(2);
      assertEquals([handle.isFinished, resource.disposals], [true, 0]);
      handle.abort("not wanted");
      handle.abort("not wanted either");
      assertEquals(resource.disposals, 1);
      assertEquals(await handle.then(() => "a value", (reason) => reason), "not wanted");
    });
  });

  it("is disposed of where an async function gives it after it was told", async () => {
    await run(async () => {
      const resource = new Resource();
      const handle = spawn(async () => {
        await sleep(1);
        return resource;
      });
      await ended();
      handle.abort("not wanted");
      assertEquals(await handle.then(() => "a value", (reason) => reason), "not wanted");
      assertEquals(resource.disposals, 1);
    });
  });

  it("is who has taken it's own, and stays where it cannot be disposed of", async () => {
    await run(async () => {
      const resource = new Resource();
      const taken = spawn(() => sleep(0).map(() => resource));
      assertStrictEquals(await taken, resource);
      taken.abort();
      assertEquals(resource.disposals, 0);
      const plain = spawn(() => sleep(0).map(() => 5));
      await sleep(2);
      plain.abort();
      assertEquals(await plain, 5);
    });
  });

  it("fails the handle with what disposing of it throws", async () => {
    await run(async () => {
      const handle = spawn(() =>
        sleep(0).map(() => ({
          [Symbol.dispose]() {
            throw new Error("cannot be closed");
          },
        }))
      );
      await sleep(2);
      handle.abort();
      await assertRejects(() => handle, Error, "cannot be closed");
    });
  });

  it("is disposed of in a JoinSet that is disposed of or shut down, and not by abortAll", async () => {
    await run(async () => {
      const resources = [new Resource(), new Resource(), new Resource()];
      {
        using set = new JoinSet<Resource>();
        set.spawn(() => sleep(0).map(() => resources[0]));
        await sleep(2);
      }
      const set = new JoinSet<Resource>();
      set.spawn(() => sleep(0).map(() => resources[1]));
      await sleep(2);
      await set.shutdown();
      set.spawn(() => sleep(0).map(() => resources[2]));
      await sleep(2);
      set.abortAll();
      assertStrictEquals((await set.joinNext())?.value, resources[2]);
      assertEquals(resources.map(({ disposals }) => disposals), [1, 1, 0]);
    });
  });
});
