import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { addressOf, dlopen, NULL, symbolPointer } from "../../ffi/mod.ts";
import { Assembler, type Code, dword, load, rax, rbx, rdi, symbol } from "../../lib/jit/mod.ts";
import { Calls, MOST_CALLS, STAGE_BYTES } from "../../lib/jit/calls.ts";
import { FLAG_RETRY } from "../../lib/jit/calls_memory.ts";
import { tiered } from "../tier.ts";
import { libc, until } from "./watched.ts";

const library = dlopen(["libc.so.6"], {});

function functionAt(name: string): number {
  return Number(addressOf(symbolPointer(library, name) ?? NULL));
}

const READ = functionAt("read");
const LABS = functionAt("labs");
const SYSCALL = functionAt("syscall");
const SYS_GETTID = 186;
const EINTR = 4;
const EBADF = 9;

/** The calls of one test, whose threads end with it. */
class Session implements Disposable {
  readonly calls: Calls;
  readonly ended: number[] = [];

  constructor(options?: ConstructorParameters<typeof Calls>[0]) {
    this.calls = new Calls(options);
  }

  submit(address: number, args: readonly number[], flags = 0): number {
    const slot = this.calls.take();
    this.calls.setFunction(slot, address, flags);
    for (const [i, value] of args.entries()) this.calls.setArgument(slot, i, value);
    this.calls.submit(slot);
    return slot;
  }

  /** A call that ends once `event` was written. */
  block(event: number): number {
    const slot = this.calls.take();
    this.calls.setFunction(slot, READ, 0);
    const at = this.calls.addressOf(this.calls.stageOf(slot));
    for (const [i, value] of [event, at, 8].entries()) this.calls.setArgument(slot, i, value);
    this.calls.submit(slot);
    return slot;
  }

  drain(): number {
    this.calls.drain((slot) => this.ended.push(slot));
    return this.ended.length;
  }

  async wait(count: number): Promise<void> {
    await until(() => this.drain() >= count, 1);
  }

  [Symbol.dispose](): void {
    this.calls[Symbol.dispose]();
  }
}

/** A descriptor that blocks who reads it until it is written, once for each. */
class Gate implements Disposable {
  readonly number: number = libc.eventfd(0, EFD_SEMAPHORE);

  open(count: number): void {
    libc.write(this.number, BigUint64Array.of(BigInt(count)), 8);
  }

  [Symbol.dispose](): void {
    libc.close(this.number);
  }
}

const EFD_SEMAPHORE = 1;
/** All signals, but the two that nobody can block, and the two that glibc tells all threads of a new user by. */
const BLOCKED = "SigBlk:\tfffffffe7ffbfeff";

const INTERRUPTED = { parameters: ["pointer"], result: "i32" } as const;

/** Says that a signal has ended it at each of its calls but the third, which it counts at an address. */
function interruptedCode(): Code {
  const a = new Assembler();
  const third = a.label("third");
  a.push(rbx);
  a.inc(dword(rdi));
  a.cmp(dword(rdi), 3);
  a.je(third);
  a.call(symbol("__errno_location"));
  a.mov(dword(rax), EINTR);
  a.mov(rax, -1);
  a.pop(rbx);
  a.ret();
  a.bind(third);
  a.mov(rax, 7);
  a.pop(rbx);
  a.ret();
  return a.finish();
}

/** What the kernel says of the threads that make calls. */
function callThreads(): string[] {
  const found: string[] = [];
  for (const task of readdirSync("/proc/self/task")) {
    try {
      const status = readFileSync(`/proc/self/task/${task}/status`, "utf8");
      if (status.startsWith("Name:\toxbow-calls\n")) found.push(status);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

describe("Calls", () => {
  // Those of the test before end by themselves, a moment after it.
  beforeEach(() => until(() => callThreads().length === 0));

  it("makes calls on other threads, with their results and each one's errno", async () => {
    using session = new Session();
    const slots = [
      session.submit(LABS, [-5_000_000_000]),
      session.submit(READ, [-1, 0, 0]),
      session.submit(SYSCALL, [SYS_GETTID]),
    ];
    await session.wait(3);
    const { calls } = session;
    assertEquals([calls.resultOf(slots[0]), calls.errnoOf(slots[0])], [5_000_000_000, 0]);
    assertEquals([calls.resultOf(slots[1]), calls.errnoOf(slots[1])], [-1, EBADF]);
    assertEquals(calls.wideResultOf(slots[1]), -1n);
    const main = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    assert(calls.resultOf(slots[2]) !== main);
    for (const slot of slots) calls.free(slot);
    assertEquals(calls.taken, 0);
  });

  it("passes six integers as they are, whatever they are", async () => {
    using session = new Session();
    const { calls } = session;
    // snprintf(stage, size, "%ld %ld %ld"): three of them come back as text.
    const print = functionAt("snprintf");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.maxSafeInteger(), { minLength: 3, maxLength: 3 }), async (values) => {
        const slot = calls.take();
        const stage = calls.stageOf(slot);
        const format = new TextEncoder().encode("%ld %ld %ld\0");
        calls.bytes.set(format, stage + 100);
        calls.setFunction(slot, print, 0);
        const args = [calls.addressOf(stage), 100, calls.addressOf(stage + 100), ...values];
        for (const [i, value] of args.entries()) calls.setArgument(slot, i, value);
        calls.submit(slot);
        const before = session.ended.length;
        await session.wait(before + 1);
        const length = calls.resultOf(slot);
        const text = new TextDecoder().decode(calls.bytes.slice(stage, stage + length));
        calls.free(slot);
        assertEquals(text, values.join(" ").replaceAll("-0", "0"));
      }),
      { numRuns: tiered({ quick: 30, full: 500, soak: 5000 }) },
    );
  });

  it("makes one thread more where all are blocked, up to the limit, which take no signal", async () => {
    using gate = new Gate();
    using session = new Session({ threads: 5 });
    const blocked = Array.from({ length: 8 }, () => session.block(gate.number));
    // One that is being made has its maker's name, and the signals that it is made with.
    await until(() => callThreads().filter((status) => status.includes(BLOCKED)).length === 5);
    assertEquals([session.calls.threads, callThreads().length], [5, 5]);
    assertEquals(session.drain(), 0);
    gate.open(1);
    await session.wait(1);
    gate.open(7);
    await session.wait(8);
    assertEquals(session.ended.toSorted((a, b) => a - b), blocked.toSorted((a, b) => a - b));
  });

  it("goes on with other calls while some block for ever", async () => {
    using gate = new Gate();
    using session = new Session({ threads: 3 });
    session.block(gate.number);
    session.block(gate.number);
    for (let i = 1; i <= 300; i++) {
      const slot = session.submit(LABS, [-i]);
      await session.wait(i);
      assertEquals(session.calls.resultOf(slot), i);
      session.calls.free(slot);
    }
    gate.open(2);
    await session.wait(302);
  });

  it("takes back what was not begun, which is never called, and nothing else", async () => {
    using gate = new Gate();
    using session = new Session({ threads: 1 });
    const { calls } = session;
    const first = session.block(gate.number);
    await until(() => callThreads().some((status) => /^State:\tS/m.test(status)));
    using never = new Gate();
    // More often than the ring has places, while nobody takes anything from it.
    for (let i = 0; i < 2000; i++) {
      const slot = session.submit(LABS, [-1]);
      assertEquals(calls.cancel(slot), true);
      assertEquals(calls.cancel(slot), false);
      calls.free(slot);
    }
    const written = calls.take();
    calls.setFunction(written, functionAt("eventfd_write"), 0);
    calls.setArgument(written, 0, never.number);
    calls.setArgument(written, 1, 5);
    calls.submit(written);
    assertEquals(calls.cancel(written), true);
    const last = session.submit(LABS, [-7]);
    gate.open(1);
    await session.wait(2);
    assertEquals(session.ended, [first, last]);
    assertEquals(calls.resultOf(last), 7);
    assertEquals(calls.cancel(last), false);
    assertEquals(
      readFileSync(`/proc/self/fdinfo/${never.number}`, "utf8").includes("eventfd-count:                0"),
      true,
    );
  });

  it("makes each of many calls once, in bursts, in order of their ends, with some taken back", async () => {
    using session = new Session({ threads: 8 });
    const { calls } = session;
    using count = new Gate();
    const write = functionAt("eventfd_write");
    let submitted = 0;
    let cancelled = 0;
    const rounds = tiered({ quick: 100, full: 2000, soak: 50_000 });
    for (let round = 0; round < rounds; round++) {
      const slots: number[] = [];
      for (let slot = calls.take(); slot !== -1 && slots.length < 1 + round % 97; slot = calls.take()) {
        calls.setFunction(slot, write, 0);
        calls.setArgument(slot, 0, count.number);
        calls.setArgument(slot, 1, 1);
        calls.submit(slot);
        slots.push(slot);
        submitted++;
      }
      for (const slot of slots) {
        if (slot % 3 !== round % 3 || !calls.cancel(slot)) continue;
        calls.free(slot);
        cancelled++;
      }
      calls.drain((slot) => {
        assertEquals(calls.resultOf(slot), 0);
        calls.free(slot);
        session.ended.push(slot);
      });
      if (round % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => {
      calls.drain((slot) => {
        calls.free(slot);
        session.ended.push(slot);
      });
      return session.ended.length === submitted - cancelled;
    });
    const info = readFileSync(`/proc/self/fdinfo/${count.number}`, "utf8");
    const [, hexadecimal] = /eventfd-count:\s*([0-9a-f]+)/.exec(info) ?? [];
    assertEquals(parseInt(hexadecimal, 16), submitted - cancelled);
    assert(submitted > rounds);
  });

  it("ends threads that have had nothing to do, and makes new ones", async () => {
    using session = new Session({ idleMs: 20 });
    for (let round = 1; round <= 3; round++) {
      session.submit(LABS, [-1]);
      await session.wait(round);
      await until(() => session.calls.threads === 0 && callThreads().length === 0);
    }
  });

  it("loses no call where threads end for want of any all the time", async () => {
    using session = new Session({ idleMs: 1, threads: 1 });
    const rounds = tiered({ quick: 200, full: 3000, soak: 100_000 });
    for (let round = 1; round <= rounds; round++) {
      const slot = session.submit(LABS, [-round]);
      await session.wait(round);
      assertEquals(session.calls.resultOf(slot), round);
      session.calls.free(slot);
      // As long as a thread waits, or a little more or less.
      const end = performance.now() + 0.9 + (round % 5) / 20;
      while (performance.now() < end);
    }
  });

  it("makes what a signal has ended again only where it was told to", async () => {
    using gate = new Gate();
    using session = new Session({ threads: 1 });
    gate.open(1);
    const slot = session.block(gate.number);
    await session.wait(1);
    assertEquals(session.calls.resultOf(slot), 8);
    using kernels = load({ interrupted: { signature: INTERRUPTED, code: interruptedCode() } });
    const interrupted = Number(addressOf(symbolPointer(kernels, "interrupted") ?? NULL));
    const counter = session.calls.stageOf(slot);
    session.calls.bytes.fill(0, counter, counter + 8);
    const times = session.calls.addressOf(counter);
    const again = session.submit(interrupted, [times], FLAG_RETRY);
    await session.wait(2);
    const { calls } = session;
    assertEquals([calls.resultOf(again), calls.errnoOf(again), calls.bytes[counter]], [7, 0, 3]);
    const once = session.submit(interrupted, [times]);
    await session.wait(3);
    assertEquals([calls.resultOf(once), calls.errnoOf(once), calls.bytes[counter]], [-1, EINTR, 4]);
  });

  it("has a stage and more memory beside each record, that others do not share", async () => {
    using session = new Session();
    const { calls } = session;
    const slots = Array.from({ length: MOST_CALLS }, () => calls.take());
    assertEquals(calls.take(), -1);
    for (const slot of slots) {
      const stage = calls.stageOf(slot);
      calls.bytes[stage] = slot;
      calls.bytes[stage + STAGE_BYTES - 1] = slot;
    }
    for (const slot of slots) {
      const stage = calls.stageOf(slot);
      assertEquals([calls.bytes[stage], calls.bytes[stage + STAGE_BYTES - 1]], [slot, slot]);
    }
    const [slot] = slots;
    const { address, bytes } = calls.addMemory(slot, 3_000_000);
    calls.setFunction(slot, functionAt("memset"), 0);
    for (const [i, value] of [address, 65, 3_000_000].entries()) calls.setArgument(slot, i, value);
    calls.submit(slot);
    await session.wait(1);
    assertEquals(bytes.every((byte) => byte === 65), true);
    for (const slot of slots) calls.free(slot);
    assertEquals(calls.taken, 0);
  });

  it("never calls what was not begun when it was disposed, and its threads end", async () => {
    using gate = new Gate();
    using written = new Gate();
    const session = new Session({ threads: 2 });
    const { calls } = session;
    session.block(gate.number);
    session.block(gate.number);
    await until(() => callThreads().length === 2);
    const slot = calls.take();
    calls.setFunction(slot, functionAt("eventfd_write"), 0);
    calls.setArgument(slot, 0, written.number);
    calls.setArgument(slot, 1, 5);
    calls.submit(slot);
    session[Symbol.dispose]();
    assertThrows(() => calls.submit(calls.take()), Error, "its threads were disposed");
    gate.open(2);
    await until(() => callThreads().length === 0);
    const info = readFileSync(`/proc/self/fdinfo/${written.number}`, "utf8");
    assert(/eventfd-count:\s*0\n/.test(info), info);
  });

  it("refuses counts of threads that are none", () => {
    for (const threads of [0, -1, 1.5, 5000, NaN]) {
      assertThrows(() => new Calls({ threads }), RangeError, "threads is");
    }
    assertThrows(() => new Calls({ idleMs: 0 }), RangeError, "idleMs is 0");
  });
});
