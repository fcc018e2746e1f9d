import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Epoll, EPOLLET, EPOLLIN, EPOLLOUT, EventFd, type Fd, WouldBlock } from "../../lib/io/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";

/** What an epoll instance tells of one descriptor now. */
function eventsOf(fd: Fd): number {
  using epoll = new Epoll({ maxEvents: 1 });
  epoll.add(fd, EPOLLIN | EPOLLOUT, 0);
  return epoll.wait(0) === 0 ? 0 : epoll.events(0);
}

const LARGEST = 2n ** 64n - 2n;

describe("EventFd", () => {
  it("gives all that was counted at once, and then would block", () => {
    using event = new EventFd();
    assertStrictEquals(event.read(), WouldBlock);
    assertEquals([event.write(), event.write(41), event.write(0)], [1, 41, 0]);
    assertEquals([event.read(), event.read()], [42, WouldBlock]);
  });

  it("counts as a sum does, whatever is written", () => {
    using event = new EventFd();
    const count = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3));
    fc.assert(fc.property(fc.array(count, { maxLength: 20 }), (counts) => {
      for (const count of counts) assertEquals(event.write(count), count);
      const sum = counts.reduce((sum, count) => sum + count, 0);
      assertEquals(event.read(), sum === 0 ? WouldBlock : sum);
    }));
  });

  it("gives one at a time as a semaphore", () => {
    using event = new EventFd({ initial: 2, semaphore: true });
    event.write();
    assertEquals(Array.from({ length: 4 }, () => event.read()), [1, 1, 1, WouldBlock]);
  });

  it("starts from what it is told", () => {
    using event = new EventFd({ initial: 2 ** 32 - 1 });
    assertEquals(event.read(), 2 ** 32 - 1);
  });

  it("is readable above 0, and writable below its end", () => {
    using event = new EventFd();
    assertEquals(eventsOf(event.fd), EPOLLOUT);
    event.write();
    assertEquals(eventsOf(event.fd), EPOLLIN | EPOLLOUT);
    event.read();
    assertEquals(eventsOf(event.fd), EPOLLOUT);
  });

  it("would block where the sum is too large, keeps it, and throws how much it was", () => {
    using event = new EventFd();
    let sum = 0n;
    while (sum + BigInt(Number.MAX_SAFE_INTEGER) <= LARGEST) {
      sum += BigInt(event.write(Number.MAX_SAFE_INTEGER));
    }
    assertEquals(event.write(Number.MAX_SAFE_INTEGER), WouldBlock);
    const rest = Number(LARGEST - sum);
    assertEquals([event.write(rest), event.write(), eventsOf(event.fd)], [rest, WouldBlock, EPOLLIN]);
    assertThrows(() => event.read(), RangeError, `it counted ${LARGEST}, which no number holds exactly`);
    assertEquals([event.read(), event.write(2 ** 53 - 1), event.read()], [
      WouldBlock,
      2 ** 53 - 1,
      2 ** 53 - 1,
    ]);
  });

  it("is told at each write where it is watched for edges, though nobody reads it", () => {
    using event = new EventFd();
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN | EPOLLET, 5);
    for (let i = 0; i < 3; i++) {
      event.write();
      assertEquals([epoll.wait(1_000), epoll.wait(0)], [1, 0]);
    }
    assertEquals(event.read(), 3);
  });

  it("is one with what its descriptor's duplicate makes of it", () => {
    using event = new EventFd();
    using other = new EventFd(event.fd.dup());
    other.write(7);
    assertEquals(event.read(), 7);
    event.close();
    assertEquals([other.write(), other.read()], [1, 1]);
  });

  it("wakes a thread that waits, from another, once or many times", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-eventfd-"));
    try {
      const worker = join(folder, "worker.mjs");
      writeFileSync(
        worker,
        `import { parentPort, workerData } from "node:worker_threads";
        import { EventFd, Fd } from "${moduleUrl("lib/io/mod.ts")}";
        using event = new EventFd(Fd.unsafeOwn(workerData.number));
        parentPort.postMessage("ready");
        Atomics.wait(workerData.turn, 0, 0);
        for (let i = 0; i < workerData.writes; i++) event.write();`,
      );
      const output = outputOf(`
        import { Worker } from "node:worker_threads";
        import { Epoll, EPOLLET, EPOLLIN, EventFd } from "${moduleUrl("lib/io/mod.ts")}";
        for (const [threads, writes] of [[1, 1], [1, 1000], [3, 1000]]) {
          const event = new EventFd(), epoll = new Epoll();
          const turn = new Int32Array(new SharedArrayBuffer(4));
          epoll.add(event.fd, EPOLLIN | EPOLLET, 7);
          const workers = Array.from({ length: threads }, () => new Worker(new URL("${
        pathToFileURL(worker)
      }"), {
            workerData: { number: event.fd.dup().number, turn, writes },
          }));
          await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))));
          Atomics.store(turn, 0, 1);
          Atomics.notify(turn, 0);
          let sum = 0;
          while (sum < threads * writes) {
            if (epoll.wait(10_000) !== 1) throw new Error("nobody woke this thread");
            sum += Math.max(event.read(), 0);
          }
          console.log(sum, event.read());
          await Promise.all(workers.map((worker) => worker.terminate()));
        }`);
      assertEquals(output, "1 -1\n1000 -1\n3000 -1");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses what is no count, and takes nothing of it", () => {
    using event = new EventFd();
    for (const count of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      assertThrows(() => event.write(count), RangeError, `count is ${count}, not a safe integer from 0`);
    }
    assertEquals(event.read(), WouldBlock);
  });

  it("refuses options that are none", () => {
    for (const initial of [-1, 0.5, NaN, 2 ** 32]) {
      assertThrows(() => new EventFd({ initial }), RangeError, `initial is ${initial}`);
    }
    for (
      const [options, message] of [
        [{ semaphore: 1 }, "semaphore is 1, and no boolean"],
        [{ count: 1 }, 'there is no option "count", only initial, semaphore'],
        [null, "options are no object"],
        [7, "options are no object"],
      ]
    ) {
      assertThrows(() => Reflect.construct(EventFd, [options]), TypeError, message?.toString());
    }
  });

  it("is not used once it was closed", () => {
    const event = new EventFd();
    event.close();
    event[Symbol.dispose]();
    for (const use of [() => event.read(), () => event.write()]) {
      assertThrows(use, Error, "a file descriptor that was closed");
    }
  });
});
