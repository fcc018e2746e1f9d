import { truncateSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { SharedCondvar, SharedFormatError, SharedMutex } from "../../../lib/mem/shared.ts";
import { MapInUseError, MapTruncatedError, Mmap } from "../../../lib/mem/mmap.ts";
import { moduleUrl, outputOf } from "../../child.ts";
import { tiered } from "../../tier.ts";
import { flipEachBit, inFolder, newMap, wordsOf } from "./file_map.ts";
import { preamble, startPeer } from "./peer.ts";

const files = inFolder();

function assertCode(code: string, act: () => unknown): void {
  const error = assertThrows(act, SystemError);
  assertEquals(error.code, code);
}

/** A peer that holds the mutex at byte 0, killed. */
async function dieHolding(path: string, before = ""): Promise<void> {
  const peer = startPeer(path, `${before} SharedMutex.open(map).lockSync(); tell("held"); sleep(60_000);`);
  assertEquals(await peer.line(), "held");
  await peer.kill();
}

describe("SharedMutex", () => {
  it("is held from lockSync until its guard is disposed", () => {
    using map = newMap(files.file("guard"));
    const mutex = SharedMutex.create(map);
    assertEquals(mutex.isHeld, false);
    {
      using guard = mutex.lockSync();
      assertEquals([mutex.isHeld, guard.ownerDied, mutex.ownerDied], [true, false, false]);
    }
    assertEquals(mutex.isHeld, false);
  });

  it("is another object's too", () => {
    using map = newMap(files.file("two"));
    const mutex = SharedMutex.create(map);
    const same = SharedMutex.open(map);
    mutex.lockSync();
    assertStrictEquals(same.tryLock(), undefined);
    assertCode("EDEADLK", () => same.lockSync());
    mutex.unlock();
    same.tryLock()?.[Symbol.dispose]();
    assertEquals([mutex.isHeld, same.isHeld], [false, false]);
  });

  it("tells recursion, and who unlocks what it does not hold", () => {
    using map = newMap(files.file("recursion"));
    const mutex = SharedMutex.create(map);
    assertCode("EPERM", () => mutex.unlock());
    mutex.lockSync();
    assertCode("EDEADLK", () => mutex.lockSync());
    assertCode("EDEADLK", () => mutex.lockSync({ timeout: 1 }));
    assertStrictEquals(mutex.tryLock(), undefined);
    assertEquals(mutex.isHeld, true);
    mutex.unlock();
    assertCode("EPERM", () => mutex.unlock());
  });

  it("does nothing for a guard that is disposed late", () => {
    using map = newMap(files.file("late"));
    const mutex = SharedMutex.create(map);
    const first = mutex.lockSync();
    mutex.unlock();
    const second = mutex.lockSync();
    first[Symbol.dispose]();
    assertEquals([mutex.isHeld, first.ownerDied], [true, false]);
    assertThrows(() => first.markConsistent(), Error, "the guard is over");
    second[Symbol.dispose]();
    second[Symbol.dispose]();
    assertEquals(mutex.isHeld, false);
  });

  it("refuses to mark what is consistent", () => {
    using map = newMap(files.file("marked"));
    const mutex = SharedMutex.create(map);
    assertThrows(() => mutex.markConsistent(), Error, "no owner died");
    using guard = mutex.lockSync();
    assertThrows(() => guard.markConsistent(), Error, "no owner died");
  });

  it("waits for another process, no longer than it is told to", async () => {
    const path = files.file("timeout");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const go = wordsOf(map, 64, 1);
    const peer = startPeer(
      path,
      `const mutex = SharedMutex.open(map);
       mutex.lockSync();
       tell("held");
       while (Atomics.load(words(64, 1), 0) === 0) sleep(1);
       mutex.unlock();`,
    );
    assertEquals(await peer.line(), "held");
    assertStrictEquals(mutex.tryLock(), undefined);
    for (const timeout of [0, 0.5, 20]) {
      const start = performance.now();
      const error = assertThrows(() => mutex.lockSync({ timeout }), DOMException);
      assertEquals(error.name, "TimeoutError");
      assert(performance.now() - start >= timeout);
    }
    assertEquals(mutex.isHeld, false);
    assertCode("EPERM", () => mutex.unlock());
    Atomics.store(go, 0, 1);
    using guard = mutex.lockSync({ timeout: 30_000 });
    assertEquals(guard.ownerDied, false);
    await peer.end();
  });

  it("refuses what is no timeout", () => {
    using map = newMap(files.file("bad timeout"));
    const mutex = SharedMutex.create(map);
    for (const timeout of [NaN, -1, -Infinity, "1", null, 1n]) {
      assertThrows(
        () => Reflect.apply(mutex.lockSync, mutex, [{ timeout }]),
        RangeError,
        `timeout is ${timeout}`,
      );
    }
    mutex.lockSync({ timeout: Infinity });
    mutex.unlock();
    mutex.lockSync({ timeout: undefined });
    mutex.unlock();
    mutex.lockSync({ timeout: Number.MAX_VALUE });
    mutex.unlock();
  });

  it("tells the next owner that the last was killed, until it is marked", async () => {
    const path = files.file("killed");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    await dieHolding(path);
    {
      using guard = mutex.lockSync();
      assertEquals([guard.ownerDied, mutex.ownerDied], [true, true]);
      guard.markConsistent();
      assertEquals([guard.ownerDied, mutex.ownerDied], [false, false]);
    }
    using guard = mutex.lockSync();
    assertEquals(guard.ownerDied, false);
  });

  it("tells so by tryLock, and of a program that ends without unlocking", async () => {
    const path = files.file("ended");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    await startPeer(path, "SharedMutex.open(map).lockSync();").end();
    const guard = mutex.tryLock();
    assertEquals(guard?.ownerDied, true);
    guard?.markConsistent();
    guard?.[Symbol.dispose]();
  });

  it("tells one that waits", async () => {
    const path = files.file("waiting");
    using map = newMap(path);
    SharedMutex.create(map);
    const holder = startPeer(path, `SharedMutex.open(map).lockSync(); tell("held"); sleep(60_000);`);
    await holder.line();
    const waiter = startPeer(
      path,
      `const mutex = SharedMutex.open(map);
       tell("waits");
       const guard = mutex.lockSync({ timeout: 30_000 });
       tell(String(guard.ownerDied));
       guard.markConsistent();
       guard[Symbol.dispose]();`,
    );
    await waiter.line();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await holder.kill();
    assertEquals(await waiter.line(), "true");
    await waiter.end();
  });

  it("is of no use any more where the next owner unlocks without marking", async () => {
    const path = files.file("unusable");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    await dieHolding(path);
    {
      using guard = mutex.lockSync();
      assert(guard.ownerDied);
    }
    assertCode("ENOTRECOVERABLE", () => mutex.lockSync());
    assertCode("ENOTRECOVERABLE", () => mutex.lockSync({ timeout: 10 }));
    for (let i = 0; i < 2; i++) {
      assertCode("ENOTRECOVERABLE", () => mutex.tryLock());
      assertCode("ENOTRECOVERABLE", () => mutex.lockSync());
    }
    assertEquals(mutex.isHeld, false);
    SharedMutex.create(map).lockSync()[Symbol.dispose]();
  });

  it("waits for no condition variable before it is marked", async () => {
    const path = files.file("condvar");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const condvar = SharedCondvar.create(map, 64);
    await dieHolding(path);
    using guard = mutex.lockSync();
    assertThrows(() => condvar.waitSync(mutex, { timeout: 1 }), Error, "call its markConsistent() first");
    guard.markConsistent();
  });

  it("holds its map while it is held, and no longer", () => {
    const map = newMap(files.file("disposed"));
    const mutex = SharedMutex.create(map);
    const bytes = map.bytes();
    mutex.lockSync();
    map[Symbol.dispose]();
    assertEquals(bytes.length, 4096);
    mutex.unlock();
    assertEquals(bytes.length, 0);
    for (const act of [() => mutex.lockSync(), () => mutex.tryLock(), () => mutex.lockSync({ timeout: 1 })]) {
      assertThrows(act, Error, "the map was disposed");
    }
    assertCode("EPERM", () => mutex.unlock());
    assertThrows(() => SharedMutex.create(map), Error, "the map was disposed");
  });

  it("goes along where its map moves, which it does not while it is held", () => {
    using map = newMap(files.file("moved"));
    const mutex = SharedMutex.create(map);
    for (const length of [8192, 2 ** 24, 4096]) {
      mutex.lockSync();
      assertThrows(() => map.remap(length), MapInUseError);
      mutex.unlock();
      map.remap(length);
      assertEquals(map.byteLength, length);
    }
    using guard = mutex.lockSync();
    assertEquals(guard.ownerDied, false);
  });

  it("is not made anew where this thread holds one", () => {
    using map = newMap(files.file("anew"));
    const mutex = SharedMutex.create(map);
    mutex.lockSync();
    assertThrows(() => SharedMutex.create(map), Error, "this thread holds one there");
    mutex.unlock();
    SharedMutex.create(map);
    using _guard = mutex.lockSync();
  });

  it("tells that the thread of a worker ended", async () => {
    const path = files.file("worker");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const program = files.file("worker.mjs");
    const source = `
      import { parentPort } from "node:worker_threads";
      SharedMutex.open(map).lockSync();
      parentPort.postMessage("held");
      setInterval(() => {}, 1000);`;
    writeFileSync(program, preamble(path) + source);
    const worker = new Worker(pathToFileURL(program));
    await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    assertStrictEquals(mutex.tryLock(), undefined);
    await worker.terminate();
    using guard = mutex.lockSync({ timeout: 30_000 });
    assertEquals(guard.ownerDied, true);
    guard.markConsistent();
  });

  it("survives a file that is cut short under it while it is held", () => {
    const path = files.file("cut");
    using map = newMap(path);
    using other = newMap(files.file("whole"));
    const mutex = SharedMutex.create(map);
    const whole = SharedMutex.create(other);
    mutex.lockSync();
    truncateSync(path, 0);
    assertThrows(() => mutex.unlock(), MapTruncatedError);
    assertEquals(mutex.isHeld, false);
    assertThrows(() => SharedMutex.open(map), MapTruncatedError);
    assertThrows(() => mutex.lockSync(), MapTruncatedError);
    assertThrows(() => mutex.tryLock(), MapTruncatedError);
    for (let i = 0; i < 3; i++) whole.lockSync()[Symbol.dispose]();
  });

  it("tells that it was overwritten", () => {
    using map = newMap(files.file("overwritten"));
    const mutex = SharedMutex.create(map);
    wordsOf(map, 0, 16).fill(0);
    assertThrows(() => mutex.lockSync(), SharedFormatError, "it was overwritten");
    assertThrows(() => mutex.tryLock(), SharedFormatError, "it was overwritten");
    SharedMutex.create(map).lockSync()[Symbol.dispose]();
  });

  it("keeps the memory of one that was forgotten while it was held", () => {
    const path = files.file("forgotten");
    newMap(path)[Symbol.dispose]();
    const source = `
      import { collect } from "${moduleUrl("tests/collector.ts")}";
      function forget() {
        for (let i = 0; i < 20; i++) {
          const map = Mmap.anonymous(4096);
          SharedMutex.create(map).lockSync();
        }
      }
      forget();
      await collect();
      const mutex = SharedMutex.create(map);
      for (let i = 0; i < 100; i++) mutex.lockSync()[Symbol.dispose]();
      const { readFileSync } = await import("node:fs");
      console.log(readFileSync("/proc/self/maps", "utf8").split("/memfd:oxbow ").length - 1);`;
    assertEquals(outputOf(preamble(path) + source), "20");
  });

  it("is refused outside the map, off a multiple of 64, and in what is not shared", () => {
    const path = files.file("refused");
    using map = newMap(path, 128);
    for (const make of [SharedMutex.create, SharedMutex.open]) {
      for (const byteOffset of [-64, 65, 128, 2 ** 53, NaN, 0.5]) {
        assertThrows(() => make(map, byteOffset), RangeError);
      }
      for (const byteOffset of [4, 8, 32, 63]) {
        assertThrows(() => make(map, byteOffset), RangeError, "multiple of 64");
      }
      for (const mode of ["r", "c"] as const) {
        using alone = mode === "r" ? Mmap.open(path) : Mmap.open(path, { mode });
        assertThrows(() => Reflect.apply(make, SharedMutex, [alone]), TypeError, "shares nothing");
      }
    }
    SharedMutex.create(map, 64).lockSync()[Symbol.dispose]();
  });

  it("opens only what create has finished", () => {
    using map = newMap(files.file("format"));
    assertThrows(() => SharedMutex.open(map), SharedFormatError, "none was made there");
    SharedCondvar.create(map);
    assertThrows(() => SharedMutex.open(map), SharedFormatError, "another kind");
    SharedMutex.create(map);
    flipEachBit(map, 4, () => assertThrows(() => SharedMutex.open(map), SharedFormatError));
    SharedMutex.open(map).lockSync()[Symbol.dispose]();
  });

  it("tells the version of another layout", () => {
    using map = newMap(files.file("version"));
    SharedMutex.create(map);
    const header = wordsOf(map, 0, 4);
    // As version 7 would have written it.
    header[1] = 7 << 16 | 1;
    header[3] = Math.imul(Math.imul(header[0] ^ header[1], 0x01000193) ^ header[2], 0x01000193);
    assertThrows(() => SharedMutex.open(map), SharedFormatError, "of version 7");
  });

  it("cannot be made by its constructor", () => {
    assertThrows(() => Reflect.construct(SharedMutex, [Symbol(), {}]), TypeError, "SharedMutex.create");
  });

  it("lets one at a time in", async () => {
    const path = files.file("counted");
    const [peers, times] = tiered({ quick: [3, 20_000], full: [6, 1_000_000], soak: [8, 100_000_000] });
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const counter = wordsOf(map, 64, 2);
    const running = Array.from({ length: peers }, () =>
      startPeer(
        path,
        `const mutex = SharedMutex.open(map);
         const counter = words(64, 2);
         for (let i = 0; i < ${times}; i++) {
           const guard = mutex.lockSync();
           if (counter[1]++ !== 0) throw new Error("not alone");
           counter[0]++;
           counter[1]--;
           guard[Symbol.dispose]();
         }`,
      ));
    for (let i = 0; i < times; i++) {
      using _guard = mutex.lockSync({ timeout: 60_000 });
      assertEquals(counter[1]++, 0);
      counter[0]++;
      counter[1]--;
    }
    for (const peer of running) await peer.end();
    assertEquals(counter[0], (peers + 1) * times);
  });
});
