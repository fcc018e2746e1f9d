import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { SharedCondvar, SharedFormatError, SharedMutex, SharedSemaphore } from "../../../lib/mem/shared.ts";
import { Mmap } from "../../../lib/mem/mmap.ts";
import { inFolder, newMap, wordsOf } from "./file_map.ts";
import { startPeer } from "./peer.ts";

const files = inFolder();

describe("SharedCondvar", () => {
  it("times out with its mutex held again", () => {
    using map = newMap(files.file("timeout"));
    const mutex = SharedMutex.create(map);
    const condvar = SharedCondvar.create(map, 64);
    using guard = mutex.lockSync();
    for (const timeout of [0, 0.5, 5, 130]) {
      const start = performance.now();
      const error = assertThrows(() => condvar.waitSync(mutex, { timeout }), DOMException);
      assertEquals([error.name, mutex.isHeld, guard.ownerDied], ["TimeoutError", true, false]);
      assert(performance.now() - start >= timeout);
    }
    for (const timeout of [NaN, -1]) {
      assertThrows(() => condvar.waitSync(mutex, { timeout }), RangeError, `timeout is ${timeout}`);
    }
  });

  it("refuses a mutex that is not held, and changes nothing by it", () => {
    using map = newMap(files.file("free"));
    const mutex = SharedMutex.create(map);
    const condvar = SharedCondvar.create(map, 64);
    const before = wordsOf(map, 64, 16).slice();
    assertEquals(assertThrows(() => condvar.waitSync(mutex), SystemError).code, "EPERM");
    const same = SharedMutex.open(map);
    using _guard = mutex.lockSync();
    assertEquals(assertThrows(() => condvar.waitSync(same), SystemError).code, "EPERM");
    assertEquals(wordsOf(map, 64, 16), before);
  });

  it("leaves the mutex to others while it waits, and wakes them one by one or all", async () => {
    const path = files.file("woken");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const condvar = SharedCondvar.create(map, 64);
    // How many wait, how many may go, and how many have gone.
    const state = wordsOf(map, 128, 3);
    const peers = [1, 2, 3, 4].map(() =>
      startPeer(
        path,
        `const mutex = SharedMutex.open(map);
         const condvar = SharedCondvar.open(map, 64);
         const state = words(128, 3);
         {
           using guard = mutex.lockSync();
           state[0]++;
           while (state[1] === 0) condvar.waitSync(mutex, { timeout: 30_000 });
           state[1]--;
           state[2]++;
         }`,
      )
    );
    function atomically<T>(act: () => T): T {
      using _guard = mutex.lockSync({ timeout: 30_000 });
      return act();
    }
    async function until(act: () => boolean): Promise<void> {
      while (!atomically(act)) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until(() => state[0] === 4);
    atomically(() => state[1] = 1);
    condvar.notifyOne();
    await until(() => state[2] === 1);
    atomically(() => state[1] = 3);
    condvar.notifyAll();
    await until(() => state[2] === 4);
    for (const peer of peers) await peer.end();
    assertEquals(state.slice(), Int32Array.of(4, 0, 4));
    // Nobody is left in the count of those who wait.
    assertEquals(wordsOf(map, 64, 16)[5], 0);
  });

  it("carries a turn to and fro between two processes", async () => {
    const path = files.file("turns");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const condvar = SharedCondvar.create(map, 64);
    const state = wordsOf(map, 128, 1);
    // A wake-up that is lost costs a tenth of a second: this takes minutes where all are.
    const TURNS = 2000;
    const peer = startPeer(
      path,
      `const mutex = SharedMutex.open(map);
       const condvar = SharedCondvar.open(map, 64);
       const state = words(128, 1);
       const guard = mutex.lockSync();
       for (let i = 0; i < ${TURNS}; i++) {
         while (state[0] % 2 === 0) condvar.waitSync(mutex, { timeout: 30_000 });
         state[0]++;
         condvar.notifyOne();
       }
       guard[Symbol.dispose]();`,
    );
    using _guard = mutex.lockSync();
    for (let i = 0; i < TURNS; i++) {
      state[0]++;
      condvar.notifyOne();
      while (state[0] % 2 === 1) condvar.waitSync(mutex, { timeout: 30_000 });
    }
    assertEquals(state[0], 2 * TURNS);
    await peer.end();
  });

  it("is refused as a mutex is", () => {
    const path = files.file("refused");
    const map = newMap(path, 128);
    assertThrows(() => SharedCondvar.open(map), SharedFormatError, "none was made there");
    SharedSemaphore.create(map);
    assertThrows(() => SharedCondvar.open(map), SharedFormatError, "another kind");
    assertThrows(() => SharedCondvar.create(map, 32), RangeError, "multiple of 64");
    assertThrows(() => SharedCondvar.create(map, 128), RangeError);
    using alone = Mmap.open(path, { mode: "c" });
    assertThrows(() => SharedCondvar.create(alone), TypeError);
    assertThrows(() => Reflect.construct(SharedCondvar, [Symbol(), {}]), TypeError, "SharedCondvar.create");
    const condvar = SharedCondvar.create(map);
    const mutex = SharedMutex.create(map, 64);
    const guard = mutex.lockSync();
    map[Symbol.dispose]();
    // A mutex that is held holds the map.
    assertThrows(() => condvar.waitSync(mutex, { timeout: 1 }), DOMException);
    guard[Symbol.dispose]();
    assertThrows(() => condvar.waitSync(mutex, { timeout: 1 }), Error, "the map was disposed");
    assertThrows(() => condvar.notifyOne(), Error, "the map was disposed");
    assertThrows(() => condvar.notifyAll(), Error, "the map was disposed");
  });
});
