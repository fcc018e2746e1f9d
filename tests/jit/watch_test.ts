import { describe, it } from "node:test";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { Watch } from "../../lib/jit/watch.ts";
import { listenFirst, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { libc, Source, TOOLS, until } from "./watched.ts";
import { descriptors, openedSince } from "../descriptors.ts";

/** What the kernel says of the threads of watches: their states, how often each was switched to, the signals it blocks. */
function watchThreads(): Map<string, string> {
  const threads = new Map<string, string>();
  for (const task of readdirSync("/proc/self/task")) {
    try {
      const status = readFileSync(`/proc/self/task/${task}/status`, "utf8");
      if (!status.startsWith("Name:\toxbow-watch\n")) continue;
      const lines = status.split("\n").filter((line) => /^SigBlk|ctxt_switches/.test(line));
      const state = /^State:\t(\w)/m.exec(status)?.[1];
      threads.set(task, [state, ...lines].join(" ").replaceAll("\t", " "));
    } catch {
      // It has ended meanwhile.
    }
  }
  return threads;
}

/** All signals, but the two that nobody can block, and the two that glibc tells all threads of a new user by. */
const BLOCKED = "SigBlk: fffffffe7ffbfeff";

/** More than any turn of a loop that has nothing else to do. */
const LONG_MS = 60;

describe("Watch", () => {
  it("can be made here", () => {
    assertEquals(Watch.isAvailable, true);
  });

  it("calls once for each arming, when the descriptor becomes readable", async () => {
    using source = new Source();
    let calls = 0;
    using watch = new Watch(source.epoll, () => calls++);
    for (let i = 1; i <= 20; i++) {
      watch.arm();
      watch.arm();
      assertEquals(watch.isArmed, true);
      await new Promise((resolve) => setImmediate(resolve));
      assertEquals(calls, i - 1);
      source.write();
      await until(() => calls === i);
      assertEquals(watch.isArmed, false);
      source.read();
    }
    source.write();
    await sleep(LONG_MS);
    assertEquals(calls, 20);
  });

  it("calls where the descriptor is readable already, and again for as long as it is", async () => {
    using source = new Source();
    source.write();
    let calls = 0;
    using watch = new Watch(source.epoll, () => {
      if (++calls < 100) watch.arm();
    });
    watch.arm();
    assertEquals(calls, 0);
    await until(() => calls === 100);
    await sleep(LONG_MS);
    assertEquals(calls, 100);
  });

  it("calls in a turn of the loop, after which microtasks have run", async () => {
    using source = new Source();
    const order: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    let depth = 0;
    async function after(): Promise<void> {
      for (let i = 0; i < 3; i++) await null;
      order.push("async");
    }
    using watch = new Watch(source.epoll, () => {
      order.push(`call ${depth}`);
      queueMicrotask(() => order.push("microtask"));
      void after();
      setImmediate(() => {
        order.push("next turn");
        resolve();
      });
    });
    watch.arm();
    depth++;
    source.write();
    depth--;
    await promise;
    assertEquals(order, ["call 0", "microtask", "async", "next turn"]);
  });

  it("does not call once it was disarmed, though the descriptor was ready before", async () => {
    using source = new Source();
    let calls = 0;
    using watch = new Watch(source.epoll, () => calls++);
    watch.disarm();
    source.write();
    watch.arm();
    const end = performance.now() + 20;
    while (performance.now() < end);
    watch.disarm();
    assertEquals(watch.isArmed, false);
    await sleep(LONG_MS);
    assertEquals(calls, 0);
    watch.arm();
    await until(() => calls === 1);
  });

  it("calls for no arming but the last, however they follow each other while it writes", async () => {
    using source = new Source();
    let calls = 0;
    let isExpected = false;
    let unexpected = 0;
    using watch = new Watch(source.epoll, () => {
      calls++;
      if (!isExpected) unexpected++;
      isExpected = false;
      source.read();
    });
    let state = 12345;
    function random(below: number): number {
      state = (Math.imul(state, 1103515245) + 12345) >>> 1;
      return (state >>> 8) % below;
    }
    const turns = tiered({ quick: 10_000, full: 100_000, soak: 5_000_000 });
    for (let i = 0; i < turns; i++) {
      if (random(2) === 0) {
        watch.arm();
        isExpected = true;
      } else {
        watch.disarm();
        isExpected = false;
      }
      if (random(3) === 0) source.write();
      if (random(3) === 0) source.read();
      if (random(8) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assertEquals(unexpected, 0);
    assert(calls > 0);
    source.write();
    watch.arm();
    isExpected = true;
    const before = calls;
    await until(() => calls === before + 1);
  });

  it("does not call for a descriptor that is not readable any more", async () => {
    using source = new Source();
    let calls = 0;
    using watch = new Watch(source.epoll, () => calls++);
    for (let i = 0; i < 200; i++) {
      source.write();
      watch.arm();
      for (let j = 0; j < 100 * (i % 10); j++) performance.now();
      watch.disarm();
      source.read();
      watch.arm();
      await new Promise((resolve) => setImmediate(resolve));
      assertEquals(calls, 0);
      watch.disarm();
    }
  });

  it("can be disposed by its own call, and twice; then it cannot be armed", async () => {
    using source = new Source();
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch: Watch = new Watch(source.epoll, () => {
      watch[Symbol.dispose]();
      watch[Symbol.dispose]();
      resolve();
    });
    watch.arm();
    source.write();
    await promise;
    watch.disarm();
    watch.ref();
    watch.unref();
    assertEquals(watch.isArmed, false);
    assertThrows(() => watch.arm(), Error, "cannot arm a watch that was disposed");
    await sleep(LONG_MS);
  });

  it("does not call once it was disposed, though the descriptor was ready before", async () => {
    using source = new Source();
    source.write();
    let calls = 0;
    for (let i = 0; i < 50; i++) {
      using watch = new Watch(source.epoll, () => calls++);
      watch.arm();
      for (let j = 0; j < 200 * (i % 10); j++) performance.now();
    }
    await sleep(LONG_MS);
    assertEquals(calls, 0);
  });

  it("watches on where the descriptor is closed, and its number becomes another's", async () => {
    const source = new Source();
    using other = new Source();
    let calls = 0;
    using watch = new Watch(source.epoll, () => calls++);
    watch.arm();
    // By one call: a thread of the host might take the number in between.
    assertEquals(libc.dup2(other.epoll, source.epoll), source.epoll);
    other.write();
    await sleep(LONG_MS);
    assertEquals(calls, 0);
    source.write();
    await until(() => calls === 1);
    source[Symbol.dispose]();
  });

  it("has a thread that never wakes while it has nothing to tell, and that ends with it", async () => {
    using quiet = new Source();
    using ready = new Source();
    // The kernel lists a thread for a while that has been joined.
    await until(() => watchThreads().size === 0);
    using armed = new Watch(quiet.epoll, () => {});
    using fresh = new Watch(ready.epoll, () => {});
    using disarmed = new Watch(ready.epoll, () => {});
    armed.arm();
    disarmed.arm();
    disarmed.disarm();
    let first = new Map<string, string>();
    await until(() => {
      const last = first;
      first = watchThreads();
      return first.size === 3 &&
        [...first].every(([task, told]) => told === last.get(task) && /^S/.test(told));
    }, LONG_MS);
    ready.write();
    for (const thread of first.values()) assertMatch(thread, new RegExp(`^S ${BLOCKED} `));
    await sleep(tiered({ quick: 500, full: 10_000, soak: 60_000 }));
    assertEquals(watchThreads(), first);
    for (const watch of [armed, fresh, disarmed]) watch[Symbol.dispose]();
    await until(() => watchThreads().size === 0);
  });

  it("refuses what is no descriptor, and what cannot be polled", () => {
    const before = descriptors();
    assertThrows(() => new Watch(-1, () => {}), SystemError, "fcntl failed: Bad file descriptor (EBADF)");
    const file = libc.epoll_create1(0o2000000);
    libc.close(file);
    assertThrows(() => new Watch(file, () => {}), SystemError, "EBADF");
    const fd = libc.memfd_create(new TextEncoder().encode("file\0"), 1);
    assertThrows(
      () => new Watch(fd, () => {}),
      SystemError,
      "epoll_ctl failed: Operation not permitted (EPERM)",
    );
    libc.close(fd);
    assertEquals(openedSince(before), []);
    // @ts-expect-error A number is no function.
    assertThrows(() => new Watch(0, 1), TypeError, "cannot watch a descriptor: onReady is no function");
  });

  it("leaves nothing behind where the process has no descriptor left for all of it", () => {
    const output = outputOf(
      `${TOOLS}
      ${listenFirst}
      const fd = eventfd();
      new Watch(fd, () => {})[Symbol.dispose]();
      const fill = () => { const all = []; for (let f; (f = eventfd()) !== -1;) all.push(f); return all; };
      const full = fill();
      const before = full.length;
      const calls = [];
      for (let room = 0; room < 3; room++) {
        try { new Watch(fd, () => {}); } catch (error) { calls.push(error.code + " " + error.syscall); }
        c.close(full.pop());
      }
      const { promise: told, resolve } = Promise.withResolvers();
      const watch = new Watch(fd, () => { console.log("ready"); watch[Symbol.dispose](); resolve(); });
      watch.arm();
      write(fd);
      await told;
      for (const one of full) c.close(one);
      console.log(calls.join(), fill().length === before);`,
      { before: "ulimit -n 100" },
    );
    assertEquals(output, "ready\nEMFILE fcntl,EMFILE epoll_create1,EMFILE eventfd true");
  });

  it("gives back all that it took, however often", async () => {
    using source = new Source();
    source.write();
    const seen: { threads: number; descriptors: number; resident: number }[] = [];
    const cycles = tiered({ quick: 1000, full: 10_000, soak: 100_000 });
    for (let part = 0; part < 4; part++) {
      for (let i = 0; i < cycles / 4; i++) {
        using watch = new Watch(source.epoll, () => {});
        if (i % 3 > 0) watch.arm();
        if (i % 5 === 0) watch.unref();
        if (i % 64 === 0) await sleep(0);
      }
      await sleep(LONG_MS);
      seen.push({
        threads: readdirSync("/proc/self/task").length,
        descriptors: descriptors().size,
        resident: process.memoryUsage.rss(),
      });
    }
    const [first, , , last] = seen;
    assert(last.threads <= first.threads + 2, `${first.threads} threads became ${last.threads}`);
    assert(
      last.descriptors <= first.descriptors + 2,
      `${first.descriptors} files became ${last.descriptors}`,
    );
    const grown = (last.resident - first.resident) / cycles;
    assert(grown < 16_384, `${grown} bytes stay of each`);
  });
});
