/** Guards that nobody releases, after the collector has found them; each in a process of its own. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { moduleUrl } from "../../child.ts";
import { runCollecting } from "../../mem/collect.ts";

const SOURCE = `
  const { Mutex, RwLock, Semaphore } = await import("${moduleUrl("lib/task/sync.ts")}");
  const mutex = new Mutex(0);
  const [reads, writes] = [new RwLock(0), new RwLock(0)];
  const semaphore = new Semaphore(3);
  const told = [];
  console.warn = (text) => told.push(text);
  (function forget() {
    mutex.tryLock();
    reads.tryRead();
    writes.tryWrite();
    semaphore.tryAcquire(2);
    semaphore.tryAcquire().release();
    new Mutex(0).tryLock().release();
    new RwLock(0).tryWrite().downgrade().release();
    new Semaphore(1).tryAcquire().forget();
  })();
  await collect(() => told.length >= 4);
  await collect();
  const names = told.map((text) => text.match(/a?n? \\w+ was collected unreleased/)[0]).sort();
  console.log(JSON.stringify([names, told.every((text) => text.includes("forget"))]));
  console.log(mutex.tryLock(), reads.tryWrite(), writes.tryRead(), semaphore.availablePermits);
`;

describe("a guard that is forgotten", () => {
  it("is told of where OXBOW_DEBUG is 1, and holds what it held", () => {
    const { code, stdout, stderr } = runCollecting(SOURCE, { debug: "1" });
    assertEquals([code, stderr], [0, ""]);
    const [told, held] = stdout.trim().split("\n");
    assertEquals(JSON.parse(told), [
      [
        "a MutexGuard was collected unreleased",
        "a SemaphorePermit was collected unreleased",
        "an RwLockReadGuard was collected unreleased",
        "an RwLockWriteGuard was collected unreleased",
      ],
      true,
    ]);
    assertEquals(held, "undefined undefined undefined 1");
  });

  it("is not told of otherwise", () => {
    const { code, stdout } = runCollecting(SOURCE.replace("() => told.length >= 4", ""));
    assertEquals(code, 0);
    assert(stdout.startsWith("[[],true]"), stdout);
    assertStringIncludes(stdout, "undefined undefined undefined 1");
  });
});
