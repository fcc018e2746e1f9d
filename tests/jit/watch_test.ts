import { describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { dlopen, hostName, SystemError } from "../../ffi/mod.ts";
import { Watch } from "../../lib/jit/watch.ts";
import { listenFirst, moduleUrl, outputOf, runChild } from "../child.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";

const { symbols: libc } = dlopen(["libc.so.6"], {
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
});

const FLAGS = 0o2004000;

/** An eventfd, and an epoll instance that watches it by level. */
class Source implements Disposable {
  readonly event: number;
  readonly epoll: number;
  #word = new BigUint64Array(1);

  constructor() {
    this.event = libc.eventfd(0, FLAGS);
    this.epoll = libc.epoll_create1(0o2000000);
    libc.epoll_ctl(this.epoll, 1, this.event, new Uint32Array([1, 0, 0]));
  }

  write(): void {
    this.#word[0] = 1n;
    libc.write(this.event, this.#word, 8);
  }

  read(): void {
    libc.read(this.event, this.#word, 8);
  }

  [Symbol.dispose](): void {
    libc.close(this.event);
    libc.close(this.epoll);
  }
}

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

/** Looks every so many milliseconds. */
async function until(isDone: () => boolean, every = 5): Promise<void> {
  const end = performance.now() + 60_000;
  while (!isDone()) {
    assert(performance.now() < end, "it did not come about in a minute");
    await sleep(every);
  }
}

const TOOLS = `
  import process from "node:process";
  import { setTimeout as sleep } from "node:timers/promises";
  import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
  import { readdirSync } from "node:fs";
  import { dlopen } from "${moduleUrl("ffi/mod.ts")}";
  import { Watch } from "${moduleUrl("lib/jit/watch.ts")}";
  const { symbols: c } = dlopen(["libc.so.6"], {
    eventfd: { parameters: ["u32", "i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const word = BigUint64Array.of(1n);
  const eventfd = () => c.eventfd(0, ${FLAGS});
  const write = (fd) => c.write(fd, BigUint64Array.of(1n), 8);
  const read = (fd) => c.read(fd, word, 8);
`;

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
    const before = readdirSync("/proc/self/fd").length;
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
    assertEquals(readdirSync("/proc/self/fd").length, before);
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
        descriptors: readdirSync("/proc/self/fd").length,
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

describe("an armed watch", () => {
  const cases = {
    "keeps the process alive until it calls": ["watch.arm(); later(() => write(fd));", "ready true"],
    "keeps it alive where it was ref'd again": [
      "watch.unref(); watch.arm(); watch.ref(); watch.unref(); watch.ref(); later(() => write(fd));",
      "ready true",
    ],
    "keeps it alive until it is disarmed": ["watch.arm(); later(() => watch.disarm());", "true"],
    "keeps it alive until it is disposed": ["watch.arm(); later(() => watch[Symbol.dispose]());", "true"],
    "keeps it alive until it is unref'd": ["watch.arm(); later(() => watch.unref());", "true"],
    "lets it end where it is unref'd": ["watch.unref(); watch.arm(); later(() => write(fd));", "false"],
    "lets it end where it is not armed": ["later(() => write(fd));", "false"],
  };
  for (const [what, [source, expected]] of Object.entries(cases)) {
    it(what, () => {
      const output = outputOf(`${TOOLS}
        const fd = eventfd();
        let isLate = false;
        const told = [];
        // Where the process ends before it, it is so long that it does so on the slowest machine.
        const later = (act) => setTimeout(() => { isLate = true; act(); }, ${
        expected === "false" ? 60_000 : 200
      }).unref();
        const watch = new Watch(fd, () => { read(fd); told.push("ready"); });
        process.on("exit", () => console.log([...told, isLate].join(" ")));
        ${source}`);
      assertEquals(output, expected);
    });
  }

  it("calls though it is unref'd, while something else keeps the process alive", () => {
    const output = outputOf(`${TOOLS}
      const fd = eventfd();
      const alive = setTimeout(() => {}, 30_000);
      const watch = new Watch(fd, () => { console.log("ready"); clearTimeout(alive); });
      watch.unref();
      watch.arm();
      setTimeout(() => write(fd), 20);`);
    assertEquals(output, "ready");
  });

  for (
    const [what, ending, code] of [
      ["by process.exit", "process.exit(3);", 3],
      ["by process.exit while it is ready", "write(fd); process.exit(4);", 4],
      ["by process.exit in its call", "inCall = () => process.exit(5); write(fd);", 5],
      ["by an exit code", "process.exitCode = 6; watch.unref();", 6],
      ["by an uncaught error", 'setTimeout(() => { throw new Error("uncaught"); }, 20);', 1],
      ["by SIGTERM", 'process.kill(process.pid, "SIGTERM");', "SIGTERM"],
      ["by SIGKILL", 'process.kill(process.pid, "SIGKILL");', "SIGKILL"],
    ] as const
  ) {
    it(`lets the process end ${what}`, () => {
      const result = runChild(`${TOOLS}
        const fd = eventfd();
        let inCall = () => {};
        const watch = new Watch(fd, () => inCall());
        watch.arm();
        ${ending}`);
      assertEquals(result.code, code);
    });
  }

  it("leaves signals to the host, and goes on after one", () => {
    const output = outputOf(`${TOOLS}
      const fd = eventfd();
      const order = [];
      const watch = new Watch(fd, () => { order.push("ready"); process.off("SIGUSR2", onSignal); });
      const onSignal = () => order.push("signal");
      process.on("SIGUSR2", onSignal);
      watch.arm();
      const come = async (count) => { while (order.length < count) await sleep(1); };
      await sleep(20);
      for (let i = 1; i <= 3; i++) { process.kill(process.pid, "SIGUSR2"); await come(i); }
      write(fd);
      await come(4);
      console.log(order.join(" "));`);
    assertEquals(output, "signal signal signal ready");
  });
});

describe("what onReady throws", () => {
  it("is an uncaught error, which ends the process", () => {
    const { code, stdout, stderr } = runChild(`${TOOLS}
      const fd = eventfd();
      const watch = new Watch(fd, () => { throw new Error("of the callback"); });
      watch.arm();
      write(fd);
      setTimeout(() => console.log("went on"), 30_000);`);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /of the callback/);
  });

  it("comes to who listens for uncaught errors, and the watch works on", () => {
    const output = outputOf(`${TOOLS}
      const fd = eventfd();
      let calls = 0;
      const watch = new Watch(fd, () => {
        read(fd);
        if (++calls < 4) throw new Error("call " + calls);
        console.log("done");
      });
      process.on("uncaughtException", (error) => {
        console.log(error.message);
        watch.arm();
        write(fd);
      });
      watch.arm();
      write(fd);`);
    assertEquals(output.split("\n"), ["call 1", "call 2", "call 3", "done"]);
  });
});

describe("a watch in a worker", () => {
  const WORKERS = tiered({ quick: 6, full: 40, soak: 500 });

  it("calls there, while the main thread blocks", () => {
    const output = outputOf(`${TOOLS}
      if (isMainThread) {
        const worker = new Worker(new URL(import.meta.url), { workerData: 0 });
        await new Promise((resolve) => worker.on("message", resolve));
        const shared = new Int32Array(new SharedArrayBuffer(4));
        worker.postMessage(shared);
        console.log(Atomics.wait(shared, 0, 0, 20_000));
        await worker.terminate();
      } else {
        const fd = eventfd();
        let calls = 0;
        parentPort.on("message", (shared) => {
          const watch = new Watch(fd, () => {
            read(fd);
            if (++calls === 5) { Atomics.store(shared, 0, 1); Atomics.notify(shared, 0); return; }
            watch.arm();
            write(fd);
          });
          watch.arm();
          write(fd);
        });
        parentPort.postMessage("here");
      }`);
    assertMatch(output, /^(?:ok|not-equal)$/);
  });

  const endings = {
    "is terminated while it is armed": "",
    "is terminated while it calls all the time": "call = () => { watch.arm(); write(fd); }; write(fd);",
    "leaves": "setTimeout(() => process.exit(0), 5);",
    "leaves in a call": "call = () => process.exit(0); write(fd);",
    "fails in a call": 'call = () => { throw new Error("of the worker"); }; write(fd);',
    "has done its work": "watch.unref();",
  };
  for (const [what, ending] of Object.entries(endings)) {
    it(`ends with it, where it ${what}`, () => {
      const terminates = what.startsWith("is terminated");
      const output = outputOf(`${TOOLS}
        const count = () => readdirSync("/proc/self/task").length;
        const files = () => readdirSync("/proc/self/fd").length;
        if (isMainThread) {
          const seen = [];
          for (let i = 0; i < ${WORKERS}; i++) {
            const worker = new Worker(new URL(import.meta.url), { workerData: 0 });
            const ended = new Promise((resolve) => worker.on("exit", resolve));
            worker.on("error", () => {});
            worker.on("message", async () => {
              if (!${terminates}) return;
              await sleep(i);
              await worker.terminate();
            });
            await ended;
            await sleep(100);
            seen.push([count(), files()]);
          }
          // One eventfd stays of each, which is the worker's own.
          const more = () => [count() - seen[2][0], files() - seen[2][1]];
          const isFew = () => more().every((number, i) => number <= [2, ${WORKERS} - 3 + 2][i]);
          // A thread may end a while after the host says that it did.
          for (let i = 0; i < 500 && !isFew(); i++) await sleep(20);
          console.log(isFew() ? "few" : seen.join(" "));
        } else {
          const fd = eventfd();
          let call = () => {};
          const watch = new Watch(fd, () => { read(fd); call(); });
          watch.arm();
          parentPort.postMessage("armed");
          ${ending}
        }`);
      assertEquals(output, "few");
    });
  }
});

const onOthers = skipping(hostName !== "node" && "Node alone may refuse addons and allow C");

describe("where no addon may be loaded", () => {
  it("Watch says that it is not available, and what to do", { skip: onOthers }, () => {
    const source = `
      import { Watch } from "${moduleUrl("lib/jit/watch.ts")}";
      try {
        new Watch(0, () => {});
      } catch (error) {
        console.log(Watch.isAvailable, error.name, error.message);
      }`;
    const allowed = ["--permission", "--allow-ffi", "--allow-fs-read=*", "--allow-fs-write=*"];
    for (const flags of [["--no-addons"], allowed]) {
      const { stdout } = spawnSync(
        process.execPath,
        [...flags, "--no-warnings", "--input-type=module-typescript", "-e", source],
        { encoding: "utf8" },
      );
      assertEquals(
        stdout.trim(),
        "false NativeUnavailableError cannot let C wake the loop: Node lets no addon in: run this again " +
          "without --no-addons, or with --allow-addons under --permission",
      );
    }
  });
});

describe("where machine code cannot be loaded", () => {
  it("Watch says that it is not available, and throws by name", () => {
    const output = outputOf(
      `
      import { Watch } from "${moduleUrl("lib/jit/watch.ts")}";
      try {
        new Watch(0, () => {});
      } catch (error) {
        console.log(Watch.isAvailable, error.name);
      }`,
      { before: "export OXBOW_NATIVE=0" },
    );
    assertEquals(output, "false NativeUnavailableError");
  });
});
