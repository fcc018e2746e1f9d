import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SharedCondvar, SharedFormatError, SharedSemaphore } from "../../../lib/mem/shared.ts";
import { Mmap } from "../../../lib/mem/mmap.ts";
import { tiered } from "../../tier.ts";
import { inFolder, newMap, wordsOf } from "./file_map.ts";
import { startPeer } from "./peer.ts";

const files = inFolder();

describe("SharedSemaphore", () => {
  it("counts down to 0, and up", () => {
    using map = newMap(files.file("counts"));
    const semaphore = SharedSemaphore.create(map, 0, 2);
    semaphore.acquireSync();
    assertEquals([semaphore.count, semaphore.tryAcquire(), semaphore.tryAcquire()], [1, true, false]);
    for (const timeout of [0, 0.5, 5]) {
      const start = performance.now();
      assertEquals(assertThrows(() => semaphore.acquireSync({ timeout }), DOMException).name, "TimeoutError");
      assert(performance.now() - start >= timeout);
    }
    semaphore.release(3);
    const same = SharedSemaphore.open(map);
    same.acquireSync({ timeout: 0 });
    assertEquals([semaphore.count, same.count], [2, 2]);
  });

  it("refuses counts that are none, and to count too far", () => {
    using map = newMap(files.file("range"));
    for (const count of [-1, 0.5, NaN, 2 ** 31]) {
      assertThrows(() => SharedSemaphore.create(map, 0, count), RangeError, `count is ${count}`);
    }
    const semaphore = SharedSemaphore.create(map, 0, 2 ** 31 - 2);
    for (const count of [0, -1, 0.5, NaN, 2 ** 31]) {
      assertThrows(() => semaphore.release(count), RangeError, `count is ${count}`);
    }
    assertThrows(() => semaphore.release(2), RangeError, "is over 2147483647");
    semaphore.release();
    assertThrows(() => semaphore.release(), RangeError, "is over 2147483647");
    assertEquals(semaphore.count, 2 ** 31 - 1);
    for (const timeout of [NaN, -1]) {
      assertThrows(() => semaphore.acquireSync({ timeout }), RangeError, `timeout is ${timeout}`);
    }
  });

  it("wakes as many of other processes as it is released for", async () => {
    const path = files.file("woken");
    using map = newMap(path);
    const semaphore = SharedSemaphore.create(map);
    const done = SharedSemaphore.create(map, 64);
    const peers = [1, 2, 3].map(() =>
      startPeer(
        path,
        `const semaphore = SharedSemaphore.open(map);
         tell("waits");
         semaphore.acquireSync({ timeout: 30_000 });
         SharedSemaphore.open(map, 64).release();`,
      )
    );
    for (const peer of peers) await peer.line();
    semaphore.release();
    done.acquireSync({ timeout: 30_000 });
    assertEquals(done.tryAcquire(), false);
    semaphore.release(2);
    done.acquireSync({ timeout: 30_000 });
    done.acquireSync({ timeout: 30_000 });
    for (const peer of peers) await peer.end();
    assertEquals([semaphore.count, wordsOf(map, 0, 16)[5]], [0, 0]);
  });

  it("wakes who sleeps at once", async () => {
    const path = files.file("asleep");
    using map = newMap(path);
    const semaphore = SharedSemaphore.create(map);
    // A wake-up that is lost costs a tenth of a second: this takes minutes where all are.
    const TIMES = 1500;
    const peer = startPeer(
      path,
      `const semaphore = SharedSemaphore.open(map);
       const state = words(0, 16);
       for (let i = 0; i < ${TIMES}; i++) {
         while (Atomics.load(state, 4) !== 0 || Atomics.load(state, 5) === 0);
         sleep(0.3);
         semaphore.release();
       }`,
    );
    for (let i = 0; i < TIMES; i++) semaphore.acquireSync({ timeout: 30_000 });
    await peer.end();
  });

  it("lets no more in than it counts", async () => {
    const path = files.file("contended");
    const [peers, times] = tiered({ quick: [4, 5_000], full: [8, 500_000], soak: [8, 50_000_000] });
    using map = newMap(path);
    SharedSemaphore.create(map, 0, 2);
    const inside = wordsOf(map, 64, 2);
    const running = Array.from({ length: peers }, () =>
      startPeer(
        path,
        `const semaphore = SharedSemaphore.open(map);
         const inside = words(64, 2);
         for (let i = 0; i < ${times}; i++) {
           semaphore.acquireSync({ timeout: 60_000 });
           if (Atomics.add(inside, 0, 1) >= 2) throw new Error("a third is in");
           Atomics.add(inside, 1, 1);
           Atomics.sub(inside, 0, 1);
           semaphore.release();
         }`,
      ));
    for (const peer of running) await peer.end();
    assertEquals([inside[0], inside[1]], [0, peers * times]);
    assertEquals(SharedSemaphore.open(map).count, 2);
  });

  it("is refused as a mutex is", () => {
    const path = files.file("refused");
    const map = newMap(path, 128);
    assertThrows(() => SharedSemaphore.open(map), SharedFormatError, "none was made there");
    SharedCondvar.create(map);
    assertThrows(() => SharedSemaphore.open(map), SharedFormatError, "another kind");
    assertThrows(() => SharedSemaphore.create(map, 32), RangeError, "multiple of 64");
    assertThrows(() => SharedSemaphore.create(map, 128), RangeError);
    using alone = Mmap.open(path, { mode: "c" });
    assertThrows(() => SharedSemaphore.create(alone), TypeError);
    assertThrows(
      () => Reflect.construct(SharedSemaphore, [Symbol(), {}]),
      TypeError,
      "SharedSemaphore.create",
    );
    const semaphore = SharedSemaphore.create(map, 64, 1);
    map[Symbol.dispose]();
    for (
      const act of [() => semaphore.acquireSync(), () => semaphore.tryAcquire(), () => semaphore.release()]
    ) {
      assertThrows(act, Error, "the map was disposed");
    }
    assertThrows(() => semaphore.count, Error, "the map was disposed");
  });
});
