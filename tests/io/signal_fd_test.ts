import { describe, it } from "node:test";
import { readFileSync } from "node:fs";
import process from "node:process";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { dlopen } from "../../ffi/mod.ts";
import { Epoll, EPOLLIN, type Signal, SignalFd, WouldBlock } from "../../lib/io/mod.ts";
import { moduleUrl, runChild } from "../child.ts";
import { tiered } from "../tier.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const { symbols: libc } = dlopen(["libc.so.6"], {
  pthread_self: { parameters: [], result: "usize" },
  pthread_kill: { parameters: ["usize", "i32"], result: "i32" },
  pthread_sigqueue: { parameters: ["usize", "i32", "u64"], result: "i32" },
  gettid: { parameters: [], result: "i32" },
});

/** To this very thread: tgkill(2), by pthread_kill(3). */
function raise(signal: number): void {
  assertEquals(libc.pthread_kill(libc.pthread_self(), signal), 0);
}

/** Whether this thread has the signal blocked. */
function isBlocked(signal: number): boolean {
  const status = readFileSync(`/proc/self/task/${libc.gettid()}/status`, "latin1");
  const mask = BigInt(`0x${/^SigBlk:\s*(\w+)/m.exec(status)?.[1]}`);
  return ((mask >> BigInt(signal - 1)) & 1n) === 1n;
}

function taken(signals: SignalFd): Signal | typeof WouldBlock {
  const info = signals.read();
  return info === WouldBlock ? WouldBlock : info.signal;
}

describe("SignalFd", () => {
  it("takes what is sent to the thread that made it, and says who sent it", () => {
    using signals = new SignalFd(["SIGUSR2", 40]);
    using epoll = new Epoll();
    epoll.add(signals.fd, EPOLLIN, 0);
    assertEquals([signals.read(), epoll.wait(0)], [WouldBlock, 0]);
    raise(40);
    assertEquals(epoll.wait(0), 1);
    const info = signals.read();
    assert(info !== WouldBlock);
    assertEquals([info.signal, info.pid, info.code, info.value], [40, process.pid, -6, 0]);
    raise(12);
    assertEquals([taken(signals), taken(signals)], ["SIGUSR2", WouldBlock]);
  });

  it("keeps every realtime signal, in order and with its value, and of a standard one only one", () => {
    using signals = new SignalFd([41, 40, "SIGUSR2"]);
    for (const value of [7, -8, 9]) {
      assertEquals(libc.pthread_sigqueue(libc.pthread_self(), 40, BigInt.asUintN(64, BigInt(value))), 0);
    }
    for (let i = 0; i < 3; i++) raise(12);
    raise(41);
    const values = Array.from({ length: 6 }, () => signals.read()).map((info) =>
      info === WouldBlock ? "nothing" : `${info.signal} ${info.value}`
    );
    assertEquals(values, ["SIGUSR2 0", "40 7", "40 -8", "40 9", "41 0", "nothing"]);
  });

  it("blocks its signals until it is closed, and takes what is pending then", () => {
    const signals = new SignalFd([40, 42, 42]);
    assertEquals([isBlocked(40), isBlocked(41), isBlocked(42)], [true, false, true]);
    // Not blocked, and not taken, it would end the process.
    raise(42);
    signals.close();
    signals[Symbol.dispose]();
    assertEquals([isBlocked(40), isBlocked(42)], [false, false]);
  });

  it("keeps blocked what another has, with what is pending for that", () => {
    const first = new SignalFd([40, 41]);
    using second = new SignalFd([41]);
    raise(40);
    raise(41);
    first.close();
    assertEquals([isBlocked(40), isBlocked(41), taken(second)], [false, true, 41]);
    second.close();
    assertEquals(isBlocked(41), false);
  });

  it("keeps nobody from what is sent to the process: it ends by a thread that has it not blocked", () => {
    for (const signal of ["SIGTERM", "SIGINT"]) {
      const { code, stdout } = runChild(`
        import { kill, pid } from "node:process";
        import { SignalFd } from "${moduleUrl("lib/io/mod.ts")}";
        new SignalFd(["${signal}"]);
        kill(pid, "${signal}");
        // Not read: until another thread has woken and taken the signal, a read could be quicker.
        const end = performance.now() + 30_000;
        while (performance.now() < end);
        console.log("alive");`);
      assertEquals([stdout, code], ["", signal]);
    }
  });

  it("refuses what must not be blocked, and says why", () => {
    for (
      const [signal, why] of [
        ["SIGKILL", "nobody can block it"],
        ["SIGSTOP", "nobody can block it"],
        ["SIGSEGV", "a fault raises it"],
        ["SIGBUS", "a fault raises it"],
        ["SIGPWR", "engines stop their threads by it"],
      ] as const
    ) {
      const message = `cannot make a SignalFd: ${signal} is among the signals, and ${why}`;
      assertThrows(() => new SignalFd([40, signal]), TypeError, message);
    }
    assertStrictEquals(isBlocked(40), false);
    for (const signals of [[], "SIGTERM", undefined, null, {}]) {
      assertThrows(() => Reflect.construct(SignalFd, [signals]), TypeError, "no list of one or more");
    }
    assertThrows(() => new SignalFd([15]), RangeError, "signal is 15, not the number of a realtime signal");
    assertThrows(
      () => Reflect.construct(SignalFd, [["SIGNONE"]]),
      TypeError,
      'signal is "SIGNONE", the name of none',
    );
  });

  it("is not used once it was closed, and gives its descriptor back", () => {
    const signals = new SignalFd([40]);
    signals.close();
    assertThrows(() => signals.read(), Error, "a file descriptor that was closed");
    const before = descriptors();
    for (let i = 0; i < tiered({ quick: 10_000, full: 100_000, soak: 10_000_000 }); i++) {
      new SignalFd([40]).close();
    }
    assert(openedSince(before).length < 50);
  });
});
