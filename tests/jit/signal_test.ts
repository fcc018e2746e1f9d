import { describe, it } from "node:test";
import { readdirSync, readlinkSync } from "node:fs";
import { assertEquals, assertThrows } from "@std/assert";
import { dlopen, SystemError } from "../../ffi/mod.ts";
import { type SignalName, SignalWatch } from "../../lib/jit/signal.ts";
import { moduleUrl, outputOf, runChild } from "../child.ts";

const { symbols: libc } = dlopen(["libc.so.6"], {
  // To this very thread: it has arrived when the call is back.
  raise: { parameters: ["i32"], result: "i32" },
});

function eventfds(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("[eventfd]");
    } catch {
      return false;
    }
  }).length;
}

const NUMBERS: Partial<Record<SignalName, number>> = {
  SIGHUP: 1,
  SIGUSR2: 12,
  SIGWINCH: 28,
  SIGURG: 23,
};

function send(signal: SignalName): void {
  assertEquals(libc.raise(NUMBERS[signal] ?? -1), 0);
}

const TOOLS = `
  import process from "node:process";
  import { dlopen, errno, sigaction } from "${moduleUrl("ffi/mod.ts")}";
  import { SignalWatch } from "${moduleUrl("lib/jit/signal.ts")}";
  const { symbols: c } = dlopen(["libc.so.6"], {
    raise: { parameters: ["i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
    sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  });
  const raise = (number) => c.raise(number);
  function disposition(number) {
    const old = new Uint8Array(sigaction.size);
    c.sigaction(number, null, old);
    return new DataView(old.buffer).getBigUint64(0, true);
  }
  function setDisposition(number, handler) {
    const action = new Uint8Array(sigaction.size);
    new DataView(action.buffer).setBigUint64(0, handler, true);
    c.sigaction(number, action, null);
  }`;

function told(source: string): string {
  return outputOf(TOOLS + source);
}

describe("SignalWatch", () => {
  it("counts a signal, which then does not end the process", () => {
    using watch = new SignalWatch("SIGUSR2");
    assertEquals([watch.signal, watch.take()], ["SIGUSR2", 0]);
    for (let i = 0; i < 5; i++) send("SIGUSR2");
    assertEquals([watch.take(), watch.take()], [5, 0]);
    send("SIGUSR2");
    assertEquals(watch.take(), 1);
  });

  it("counts for each watch by itself, and each signal by itself", () => {
    using first = new SignalWatch("SIGUSR2");
    const second = new SignalWatch("SIGUSR2");
    using other = new SignalWatch("SIGHUP");
    send("SIGUSR2");
    assertEquals([first.take(), second.take(), other.take()], [1, 1, 0]);
    second[Symbol.dispose]();
    second[Symbol.dispose]();
    send("SIGUSR2");
    send("SIGHUP");
    assertEquals([first.take(), other.take()], [1, 1]);
    assertThrows(() => second.take(), Error, "cannot watch SIGUSR2: the watch was disposed");
    assertThrows(() => second.fd, Error, "was disposed");
  });

  it("makes its descriptor readable", () => {
    const source = `
      const watch = new SignalWatch("SIGTERM");
      const poll = (timeout) => {
        const entry = new Int32Array([watch.fd, 1]);
        const count = c.poll(entry, 1, timeout);
        return [count, count === 1 ? entry[1] >> 16 : 0].join("/");
      };
      const before = poll(0);
      raise(15);
      console.log(before, poll(10_000), watch.take(), poll(0));`;
    assertEquals(told(source), "0/0 1/1 1 0/0");
  });

  it("gives back what the signal was before, when the last watch ends", () => {
    const source = `
      // Deno takes some signals, SIGHUP among them, when the first is watched.
      new SignalWatch("SIGHUP")[Symbol.dispose]();
      const before = [12, 28].map(disposition);
      setDisposition(1, 1n);
      const watches = ["SIGUSR2", "SIGUSR2", "SIGWINCH", "SIGHUP"].map((name) => new SignalWatch(name));
      const during = disposition(12);
      watches[0][Symbol.dispose]();
      const between = disposition(12) === during;
      for (const watch of watches) watch[Symbol.dispose]();
      console.log(during !== before[0], between, [12, 28].map(disposition).join() === before.join(), disposition(1));
      new SignalWatch("SIGUSR2");
      raise(12);
      console.log("alive");`;
    assertEquals(told(source), "true true true 1n\nalive");
    const { code } = runChild(`${TOOLS}
      setDisposition(15, 0n);
      new SignalWatch("SIGTERM")[Symbol.dispose]();
      raise(15);
      setTimeout(() => {}, 10_000);`);
    assertEquals(code, "SIGTERM");
  });

  it("leaves a signal to who has taken it since", () => {
    const source = `
      const watch = new SignalWatch("SIGUSR2");
      setDisposition(12, 1n);
      watch[Symbol.dispose]();
      console.log(disposition(12));`;
    assertEquals(told(source), "1n");
  });

  it("tells who has a signal that ends nothing of it still, and nobody else", () => {
    const source = `
      import { openForProcess } from "${moduleUrl("lib/jit/library.ts")}";
      import { bump, handCode } from "${moduleUrl("tests/jit/hand_code.ts")}";
      const witness = openForProcess({
        functions: {
          bump: bump("cell"),
          address: handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xc3], {
            relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "bump" }],
          }),
        },
        memory: { cell: 4 },
      }, { bump: { parameters: [], result: "i32" }, address: { parameters: [], result: "u64" } }).symbols;
      for (const number of [12, 28]) setDisposition(number, witness.address());
      const watches = ["SIGUSR2", "SIGWINCH"].map((name) => new SignalWatch(name));
      raise(12);
      raise(28);
      raise(28);
      console.log(witness.bump() - 1, ...watches.map((watch) => watch.take()));
      for (const watch of watches) watch[Symbol.dispose]();
      raise(12);
      raise(28);
      console.log(witness.bump() - 1);`;
    assertEquals(told(source), "2 1 2\n5");
  });

  it("counts again from the next watch on, where a listener of the host has taken the signal", () => {
    const source = `
      const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
      const first = new SignalWatch("SIGUSR2");
      const listener = () => {};
      process.on("SIGUSR2", listener);
      await settled();
      raise(12);
      await settled();
      first.take();
      const second = new SignalWatch("SIGUSR2");
      raise(12);
      console.log(first.take(), second.take());
      process.off("SIGUSR2", listener);
      await settled();
      using third = new SignalWatch("SIGUSR2");
      raise(12);
      console.log(first.take(), second.take(), third.take());
      first[Symbol.dispose]();
      second[Symbol.dispose]();
      raise(12);
      console.log(third.take());`;
    assertEquals(told(source), "1 1\n1 1 1\n1");
  });

  it("counts once, where who took the signal since hands it back", () => {
    // mov rax, [rip+chain]; lock inc dword [rax]; jmp [rax+8]
    const source = `
      import { unsafeBufferAt } from "${moduleUrl("ffi/mod.ts")}";
      import { openForProcess } from "${moduleUrl("lib/jit/library.ts")}";
      import { handCode } from "${moduleUrl("tests/jit/hand_code.ts")}";
      const addressOf = (name) => handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xc3], {
        relocations: [{ kind: "symbol", offset: 3, addend: -4, name }],
      });
      const { symbols } = openForProcess({
        functions: {
          chaining: handCode([0x48, 0x8b, 5, 0, 0, 0, 0, 0xf0, 0xff, 0, 0xff, 0x60, 8], {
            relocations: [{ kind: "symbol", offset: 3, addend: -4, name: "chain" }],
          }),
          chainingAddress: addressOf("chaining"),
          chainAddress: addressOf("chain"),
        },
        memory: { chain: 16 },
      }, {
        chainingAddress: { parameters: [], result: "u64" },
        chainAddress: { parameters: [], result: "pointer" },
      });
      const chain = new BigUint64Array(unsafeBufferAt(symbols.chainAddress(), 16));
      const first = new SignalWatch("SIGWINCH");
      chain[1] = disposition(28);
      setDisposition(28, BigInt(symbols.chainingAddress()));
      raise(28);
      console.log(first.take(), chain[0]);
      const second = new SignalWatch("SIGWINCH");
      raise(28);
      raise(28);
      console.log(first.take(), second.take(), chain[0], disposition(28) === chain[1]);
      second[Symbol.dispose]();
      first[Symbol.dispose]();
      console.log(disposition(28) === BigInt(symbols.chainingAddress()));`;
    assertEquals(told(source), "1 1n\n2 2 3n true\ntrue");
  });

  it("gives a watch's place to no other while a handler may write for it", () => {
    const source = `
      import { readFileSync } from "node:fs";
      import { isMainThread, Worker, workerData } from "node:worker_threads";
      import { cString, libc } from "${moduleUrl("ffi/mod.ts")}";
      import { restorer, signalHandler, signalUnwatch, signalWatch } from "${
      moduleUrl("lib/jit/assembled.ts")
    }";
      import { openForProcess } from "${moduleUrl("lib/jit/library.ts")}";
      import { MEMORY } from "${moduleUrl("lib/jit/signal_memory.ts")}";
      const code = openForProcess({
        functions: {
          signal_watch: signalWatch,
          signal_unwatch: signalUnwatch,
          signal_handler: signalHandler,
          signal_restorer: restorer,
        },
        memory: MEMORY,
      }, {
        signal_watch: { parameters: ["u32", "i32", "u32"], result: "i32" },
        signal_unwatch: { parameters: ["u32"], result: "void" },
      }).symbols;
      const { symbols: more } = dlopen(["libc.so.6"], {
        eventfd: { parameters: ["u32", "i32"], result: "i32" },
        read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
        gettid: { parameters: [], result: "i32" },
      });
      const [HANDLING, UNWATCHING, WATCHING, UNWATCHED, WATCHED] = [0, 1, 2, 3, 4];
      const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      if (isMainThread) {
        // Its counter is full, so that the handler waits in write(2) until somebody reads it.
        const fd = more.eventfd(0, 0);
        libc().write(fd, new Uint8Array(new BigUint64Array([2n ** 64n - 2n]).buffer), 8);
        const index = code.signal_watch(12, fd, 0);
        const state = new Int32Array(new SharedArrayBuffer(20));
        const start = async (role, at) => {
          new Worker(new URL(import.meta.url), { workerData: { role, index, fd, state } });
          while (Atomics.load(state, at) === 0) await sleep(1);
          const path = "/proc/self/task/" + Atomics.load(state, at) + "/stat";
          return () => readFileSync(path, "utf8").split(") ")[1].split(" ");
        };
        const handling = await start("handle", HANDLING);
        // It sleeps in write(2), and not for a moment.
        for (let quiet = 0; quiet < 20; quiet = handling()[0] === "S" ? quiet + 1 : 0) await sleep(5);
        const unwatching = await start("unwatch", UNWATCHING);
        // It waits at work: when it has spent 50 ms it is there.
        const spent = () => Number(unwatching()[11]);
        for (const before = spent(); spent() < before + 5;) await sleep(5);
        await start("watch", WATCHING);
        await sleep(100);
        console.log(Atomics.load(state, UNWATCHED), Atomics.load(state, WATCHED));
        more.read(fd, new Uint8Array(8), 8);
        while (Atomics.load(state, WATCHED) === 0) await sleep(1);
        console.log(Atomics.load(state, UNWATCHED), Atomics.load(state, WATCHED) - 1 === index);
        process.exit(0);
      } else {
        const { role, index, fd, state } = workerData;
        if (role === "handle") {
          Atomics.store(state, HANDLING, more.gettid());
          raise(12);
        } else if (role === "unwatch") {
          Atomics.store(state, UNWATCHING, more.gettid());
          code.signal_unwatch(index);
          Atomics.store(state, UNWATCHED, 1);
        } else {
          Atomics.store(state, WATCHING, more.gettid());
          Atomics.store(state, WATCHED, 1 + code.signal_watch(10, fd, 0));
        }
      }`;
    assertEquals(told(source), "0 0\n1 true");
  });

  it("leaves errno alone", () => {
    const source = `
      using watch = new SignalWatch("SIGUSR2");
      c.close(-1);
      raise(12);
      c.close(-1);
      raise(12);
      console.log(errno(), watch.take());`;
    assertEquals(told(source), "9 2");
  });

  it("counts signals for workers, while others come and go", () => {
    const source = `
      import { isMainThread, parentPort, Worker } from "node:worker_threads";
      if (isMainThread) {
        const watch = new SignalWatch("SIGUSR2");
        const count = 4;
        const done = Array.from({ length: count }, () => new Promise((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url));
          worker.on("error", reject).once("message", resolve);
        }));
        const wrong = (await Promise.all(done)).reduce((sum, n) => sum + n, 0);
        console.log(wrong, watch.take());
        process.exit(0);
      } else {
        let wrong = 0;
        for (let i = 0; i < 500; i++) {
          using watch = new SignalWatch("SIGUSR2");
          raise(12);
          // Its own and whatever the others sent meanwhile.
          if (watch.take() < 1) wrong++;
        }
        parentPort.postMessage(wrong);
      }`;
    assertEquals(told(source), "0 2000");
  });

  it("watches 256 times at once, and leaves no descriptor behind", () => {
    new SignalWatch("SIGURG")[Symbol.dispose]();
    const before = eventfds();
    const watches = Array.from({ length: 256 }, () => new SignalWatch("SIGURG"));
    const error = assertThrows(() => new SignalWatch("SIGURG"), SystemError, "SIGURG is not watched");
    assertEquals(error.code, "EAGAIN");
    send("SIGURG");
    assertEquals(watches.map((watch) => watch.take()), watches.map(() => 1));
    for (const watch of watches) watch[Symbol.dispose]();
    assertEquals(eventfds(), before);
    using again = new SignalWatch("SIGURG");
    send("SIGURG");
    assertEquals(again.take(), 1);
  });

  it("refuses signals that cannot be watched, by name", () => {
    for (
      const name of ["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGPWR", "SIGCHLD", "toString", "", "sigint"]
    ) {
      // @ts-expect-error: it is no SignalName.
      assertThrows(() => new SignalWatch(name), TypeError, `cannot watch ${name}: use one of SIGHUP`);
    }
  });

  it("says by name where no code can be loaded", () => {
    const source = `
      import { SignalWatch } from "${moduleUrl("lib/jit/signal.ts")}";
      try { new SignalWatch("SIGINT"); } catch (error) { console.log(error.name); }`;
    assertEquals(outputOf(source, { before: "export OXBOW_NATIVE=0" }), "NativeUnavailableError");
  });
});
