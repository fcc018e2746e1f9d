import { describe, it } from "node:test";
import { assert, assertAlmostEquals, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { dlopen, errno, SystemError } from "../../ffi/mod.ts";
import { Epoll, EPOLLET, EPOLLIN, type TimerClock, TimerFd, WouldBlock } from "../../lib/io/mod.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { descriptors, openedSince } from "../descriptors.ts";

/** Waits for an expiration, and how often it has. */
function expirations(timer: TimerFd): number {
  using epoll = new Epoll({ maxEvents: 1 });
  epoll.add(timer.fd, EPOLLIN, 0);
  if (epoll.wait(10_000) !== 1) throw new Error("a timer did not expire within 10 s");
  return timer.read();
}

const EPERM = 1;
const ADJ_SETOFFSET = 0x0100;
const ADJ_NANO = 0x2000;

/** adjtimex(2): the machine's clock goes a nanosecond on, and back. Gives errno. */
function setClock(): number {
  using libc = dlopen(["libc.so.6"], { adjtimex: { parameters: ["buffer!"], result: "i32" } });
  for (const [seconds, nanoseconds] of [[0n, 1n], [-1n, 999_999_999n]]) {
    const timex = new DataView(new ArrayBuffer(208));
    timex.setUint32(0, ADJ_SETOFFSET | ADJ_NANO, true);
    timex.setBigInt64(72, seconds, true);
    timex.setBigInt64(80, nanoseconds, true);
    if (libc.symbols.adjtimex(timex) === -1) return errno();
  }
  return 0;
}

const cannotSetClock = skipping(setClock() === EPERM && "this process may not set the machine's clock");

describe("TimerFd", () => {
  it("expires once, and never early", () => {
    for (const clock of ["monotonic", "realtime", "boottime"] as const) {
      using timer = new TimerFd(clock);
      for (const after of [0.2, 1, 7.5]) {
        const start = performance.now();
        timer.set({ after });
        assertEquals(expirations(timer), 1);
        const passed = performance.now() - start;
        assert(passed >= after - 0.005, `${clock}: ${after} ms took ${passed}`);
        assertEquals([timer.read(), timer.remaining()], [WouldBlock, 0]);
      }
    }
  });

  it("is not set where nothing was said, nor after unset", () => {
    using timer = new TimerFd();
    assertEquals([timer.read(), timer.remaining()], [WouldBlock, 0]);
    timer.set({ after: 60_000 });
    timer.unset();
    assertEquals([timer.read(), timer.remaining()], [WouldBlock, 0]);
  });

  it("expires at once where it is set to 0, or to a time that is past", () => {
    using timer = new TimerFd("realtime");
    for (const settings of [{ after: 0 }, { at: 0 }, { at: Date.now() - 1000 }]) {
      timer.set(settings);
      assertEquals(expirations(timer), 1);
    }
  });

  it("expires at a time of day", () => {
    using timer = new TimerFd("realtime");
    const at = Date.now() + 5;
    timer.set({ at });
    assertEquals(expirations(timer), 1);
    assert(Date.now() >= at, `${Date.now()} is before ${at}`);
  });

  it("counts the intervals that nobody read", () => {
    using timer = new TimerFd();
    using epoll = new Epoll();
    epoll.add(timer.fd, EPOLLIN, 0);
    timer.set({ after: 1, interval: 0.5 });
    assertEquals(epoll.wait(1_000), 1);
    let count = 0;
    while (count < 6) {
      assertEquals(epoll.wait(1_000), 1);
      count += timer.read();
    }
    timer.set({ interval: 0.001 });
    const start = performance.now();
    while (performance.now() - start < 2);
    assert(timer.read() > 100);
    timer.unset();
    assertStrictEquals(timer.read(), WouldBlock);
  });

  it("waits one interval for the first where nothing else is said", () => {
    using timer = new TimerFd();
    timer.set({ interval: 50_000 });
    assertAlmostEquals(timer.remaining(), 50_000, 5_000);
    timer.set({ after: 10_000, interval: 50_000 });
    assertAlmostEquals(timer.remaining(), 10_000, 5_000);
  });

  it("forgets what it was set to, and what had expired, where it is set anew", () => {
    using timer = new TimerFd();
    timer.set({ after: 0 });
    using epoll = new Epoll();
    epoll.add(timer.fd, EPOLLIN, 0);
    assertEquals(epoll.wait(1_000), 1);
    timer.set({ after: 60_000 });
    assertEquals([timer.read(), epoll.wait(0)], [WouldBlock, 0]);
  });

  it("tells how much is left, of any time", () => {
    using timer = new TimerFd();
    fc.assert(fc.property(fc.double({ min: 1000, max: 2 ** 43, noNaN: true }), (after) => {
      timer.set({ after });
      const left = timer.remaining();
      assert(left <= after + 1e-6 * after && left > after - 900, `${left} of ${after}`);
    }));
    timer.set({ after: Number.MAX_SAFE_INTEGER });
    assert(timer.remaining() > 2 ** 42);
  });

  it("is an edge anew after each read, and no more before it, for the kernel starts the next interval there", () => {
    using timer = new TimerFd();
    using epoll = new Epoll();
    epoll.add(timer.fd, EPOLLIN | EPOLLET, 0);
    timer.set({ interval: 1 });
    for (let i = 0; i < 3; i++) {
      assertEquals([epoll.wait(1_000), epoll.wait(10)], [1, 0]);
      assert(timer.read() >= 1);
    }
  });

  it("is cancelled where the clock is set and it is to hear of it", { skip: cannotSetClock }, () => {
    using timer = new TimerFd("realtime");
    using epoll = new Epoll();
    epoll.add(timer.fd, EPOLLIN, 0);
    timer.set({ at: Date.now() + 60_000 });
    assertEquals([setClock(), timer.read()], [0, WouldBlock]);
    timer.set({ at: Date.now() + 60_000, cancelOnSet: true });
    assertEquals([setClock(), epoll.wait(1_000)], [0, 1]);
    const error = assertThrows(() => timer.read(), SystemError, "the machine's clock was set");
    assertEquals([error.code, error.syscall, timer.read()], ["ECANCELED", "read", WouldBlock]);
  });

  it("refuses what it cannot be set to, by name, and stays as it was", () => {
    using timer = new TimerFd();
    timer.set({ after: 50_000 });
    for (const value of [-1, NaN, Infinity, 2 ** 53, "1"]) {
      for (const name of ["after", "at", "interval"]) {
        assertThrows(
          () => Reflect.apply(timer.set, timer, [{ [name]: value }]),
          RangeError,
          `cannot set a TimerFd: ${name} is ${typeof value === "string" ? '"1"' : value}, not a count`,
        );
      }
    }
    for (
      const [settings, message] of [
        [{}, "none of after, at and interval is given"],
        [{ interval: 0 }, "none of after, at and interval is given"],
        [{ after: 1, at: 1 }, "both after and at are given"],
        [{ at: 1 }, "at is a time of day, and its clock is monotonic"],
        [{ after: 1, cancelOnSet: true }, "cancelOnSet goes with at"],
        [{ after: 1, cancelOnSet: 1 }, "cancelOnSet is 1, and no boolean"],
        [{ before: 1 }, 'there is no option "before"'],
        [undefined, "settings are no object"],
      ] as const
    ) {
      assertThrows(() => Reflect.apply(timer.set, timer, [settings]), TypeError, message);
    }
    assertAlmostEquals(timer.remaining(), 50_000, 10_000);
  });

  it("has no clock that is none", () => {
    for (const clock of ["tai", "toString", undefined, null, 1]) {
      if (clock === undefined) continue;
      const make = (): TimerFd => Reflect.construct(TimerFd, [clock]);
      assertThrows(make, TypeError, "none of realtime, monotonic, boottime");
    }
  });

  it("is not used once it was closed, and gives its descriptor back", () => {
    const timer = new TimerFd();
    timer.close();
    timer[Symbol.dispose]();
    for (const use of [() => timer.read(), () => timer.remaining(), () => timer.set({ after: 1 })]) {
      assertThrows(use, Error, "a file descriptor that was closed");
    }
    const clock: TimerClock = "boottime";
    const before = descriptors();
    for (let i = 0; i < tiered({ quick: 10_000, full: 100_000, soak: 10_000_000 }); i++) {
      using timer = new TimerFd(clock);
      timer.set({ after: 1 });
    }
    assert(openedSince(before).length < 50);
  });
});
