import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dlopen, pointerTo, type SymbolTable } from "../../../ffi/mod.ts";
import { EventFd } from "../../../lib/io/mod.ts";
import { nativeThreads } from "../../../lib/task/blocking/native_threads.ts";
import { spawnNative } from "../../../lib/task/blocking/spawn_native.ts";
import { attach, run, sleep, spawn } from "../../../lib/task/mod.ts";
import { collect, gc } from "../../collector.ts";
import { tiered } from "../../tier.ts";

const TABLE = {
  labs: { parameters: ["i64"], result: "i64" },
  getpid: { parameters: [], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  strlen: { parameters: ["cstring"], result: "usize" },
  memcpy: { parameters: ["buffer!", "buffer!", "usize"], result: "pointer" },
  fill: { symbol: "memset", parameters: ["buffer", "i32", "usize"], result: "pointer" },
  fillAt: { symbol: "memset", parameters: ["pointer!", "i32", "usize"], result: "pointer" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
  getenv: { parameters: ["cstring"], result: "cstring" },
  isatty: { parameters: ["i32"], result: "bool" },
  drand48: { parameters: [], result: "f64" },
  abs: { parameters: ["i32"], result: "i32", unchecked: true },
  nowhere: { parameters: [], result: "i32", optional: true },
  epoll_pwait2: {
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
} as const satisfies SymbolTable;

const libc = dlopen(["libc.so.6"], TABLE);

/** An eventfd that blocks who reads it, once for each time that it is written. */
class Gate implements Disposable {
  readonly event: EventFd = new EventFd({ semaphore: true });
  readonly number: number = this.event.fd.number;

  constructor() {
    this.event.fd.setBlocking(true);
  }

  open(count: number): void {
    this.event.write(count);
  }

  /** What it has counted. */
  get count(): number {
    const info = readFileSync(`/proc/self/fdinfo/${this.number}`, "utf8");
    return parseInt(/eventfd-count:\s*([0-9a-f]+)/.exec(info)?.[1] ?? "", 16);
  }

  [Symbol.dispose](): void {
    this.event.close();
  }
}

function blockedBy(gate: Gate, buffer: Uint8Array = new Uint8Array(8), signal?: AbortSignal) {
  return spawnNative(libc, "read", [gate.number, buffer, 8], signal === undefined ? {} : { signal });
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await sleep(1);
}

/** Under each of the two drivers. */
function driven(main: () => Promise<void>): () => Promise<void> {
  return async () => {
    await run(main);
    using _attached = attach();
    await main();
  };
}

describe("spawnNative()", () => {
  it(
    "gives what the function gives, as a call here does, and errno of its thread",
    driven(async () => {
      assertEquals(await spawnNative(libc, "labs", [-(2n ** 60n)]), { result: 2n ** 60n, errno: 0 });
      assertEquals((await spawnNative(libc, "getpid", [])).result, libc.symbols.getpid());
      assertEquals(await spawnNative(libc, "close", [-1]), { result: -1, errno: 9 });
      assertEquals((await spawnNative(libc, "strlen", ["oxböw"])).result, 6n);
      assertEquals((await spawnNative(libc, "isatty", [-1])).result, false);
      assertEquals((await spawnNative(libc, "getenv", ["OXBOW_NOTHING"])).result, null);
      const path = libc.symbols.getenv("PATH");
      assertEquals((await spawnNative(libc, "getenv", ["PATH"])).result, path);
      assertEquals((await spawnNative(libc, "fill", [null, 0, 0])).result, null);
    }),
  );

  it("lets other tasks go on while it blocks", async () => {
    await run(async () => {
      using gate = new Gate();
      const blocked = spawn(() => blockedBy(gate));
      let turns = 0;
      for (; turns < 100; turns++) await spawnNative(libc, "getpid", []);
      assertEquals(blocked.isFinished, false);
      gate.open(1);
      assertEquals((await blocked).result, 8n);
    });
  });

  it(
    "copies buffers to C, and back what it has made of them, of any size",
    driven(async () => {
      for (const size of [1, 15, 1000, 100_000, 3_000_000]) {
        const from = crypto.getRandomValues(new Uint8Array(Math.min(size, 65_536)));
        const source = new Uint8Array(size);
        source.set(from);
        const target = new Uint8Array(size + 20).subarray(10, 10 + size);
        await spawnNative(libc, "memcpy", [target, source, size]);
        assertEquals(target, source);
        assertEquals(new Uint8Array(target.buffer).slice(0, 10), new Uint8Array(10));
        assertEquals(new Uint8Array(target.buffer).slice(-10), new Uint8Array(10));
      }
      const floats = new Float64Array(3);
      await spawnNative(libc, "fill", [floats, 0xff, 24]);
      assert(floats.every(Number.isNaN));
      const view = new DataView(new ArrayBuffer(8), 2, 4);
      await spawnNative(libc, "fill", [view, 1, 4]);
      assertEquals(view.getUint32(0), 0x01010101);
    }),
  );

  it("writes through a pointer where it leads", async () => {
    const bytes = new Uint8Array(100);
    await spawnNative(libc, "fillAt", [pointerTo(bytes), 7, 100]);
    assert(bytes.every((byte) => byte === 7));
  });

  it("meets no collector: small arrays are moved and freed while calls are under way", async () => {
    await run(async () => {
      using gate = new Gate();
      const rounds = tiered({ quick: 20, full: 200, soak: 2000 });
      for (let round = 0; round < rounds; round++) {
        const buffers = Array.from({ length: 8 }, () => new Uint8Array(8));
        const reads = buffers.map((buffer) => blockedBy(gate, buffer).toPromise());
        gc();
        // JSC moves the bytes out at that.
        for (const buffer of buffers) buffer.subarray(1).buffer;
        gate.open(8);
        await Promise.all(reads);
        for (const buffer of buffers) assertEquals([...buffer], [1, 0, 0, 0, 0, 0, 0, 0]);
      }
    });
  });

  it("refuses what the table refuses before anything is called", () => {
    const call = (...args: unknown[]): unknown => Reflect.apply(spawnNative, undefined, args);
    const refused: [string, unknown, RegExp][] = [
      ["close", ["1"], /cannot call close: argument 1 \(i32\) is "1", not an integer/],
      ["close", [1.5], /not an integer/],
      ["close", [-0], /not an integer/],
      ["close", [2 ** 31], /outside/],
      ["close", [1n], /a bigint where a number is asked for/],
      ["close", [], /it takes 1 arguments, and there were 0 given/],
      ["close", undefined, /no array of them given/],
      ["labs", [2 ** 53], /which no number holds exactly/],
      ["labs", [2n ** 63n], /outside/],
      ["strlen", ["a\0b"], /with a NUL/],
      ["strlen", [1], /is 1/],
      ["memcpy", [new Uint8Array(0), new Uint8Array(1), 0], /which is empty/],
      ["memcpy", [null, new Uint8Array(1), 0], /is null/],
      ["memcpy", ["x", new Uint8Array(1), 0], /no view of bytes/],
      ["fillAt", [null, 0, 0], /is null/],
      ["fillAt", [new Uint8Array(1), 0, 0], /pass pointerTo/],
      ["drand48", [], /it takes or gives f64/],
      ["abs", [1], /it is unchecked/],
      ["epoll_pwait2", [0, 0, 0, 0, 0, 0, 0], /it takes 7 arguments, and six go/],
      ["missing", [], /it is in no table of an opened library/],
      ["nowhere", [], /has no nowhere/],
    ];
    for (const [name, args, message] of refused) {
      const error = assertThrows(() => call(libc, name, args), Error);
      assert(message.test(error.message), error.message);
    }
    assertThrows(() => call({}, "close", [1]), TypeError, "in no table");
    assertThrows(() => call(libc, "close", [1], { retry: 1 }), TypeError, "retry");
    assertThrows(() => call(libc, "close", [1], { timeout: 1 }), TypeError, "there is no option");
    using closed = dlopen(["libc.so.6"], { getpid: { parameters: [], result: "i32" } });
    closed.close();
    assertThrows(() => spawnNative(closed, "getpid", []), Error, "was closed");
  });

  it("never makes a call that was dropped or aborted before it was begun", async () => {
    await run(async () => {
      using gate = new Gate();
      using written = new Gate();
      // All threads are taken.
      const blocked = Array.from({ length: 64 }, () => blockedBy(gate).toPromise());
      await until(() => nativeThreads().threads === 64);
      const controller = new AbortController();
      const aborted = spawnNative(libc, "eventfd_write", [written.number, 1], { signal: controller.signal });
      const rejected = assertRejects(() => aborted.toPromise(), DOMException, "aborted");
      const dropped = spawn(() => spawnNative(libc, "eventfd_write", [written.number, 1]));
      const kept = spawnNative(libc, "eventfd_write", [written.number, 5]).toPromise();
      await until(() => nativeThreads().calls === 67);
      controller.abort();
      dropped.abort();
      await rejected;
      await assertRejects(async () => await dropped, Error, "abort");
      assertEquals(nativeThreads().calls, 65);
      gate.open(64);
      await Promise.all([...blocked, kept]);
      assertEquals(written.count, 5);
      assertEquals(nativeThreads().calls, 0);
    });
  });

  it(
    "leaves a call alone that was aborted in the middle, and its buffer as it is",
    driven(async () => {
      using gate = new Gate();
      const controller = new AbortController();
      const buffer = new Uint8Array(8);
      const call = blockedBy(gate, buffer, controller.signal).toPromise();
      await until(() => nativeThreads().calls === 1);
      // Begun, as far as can be told: the thread takes it in a moment, or it is never called.
      await spawnNative(libc, "getpid", []);
      controller.abort(new Error("enough"));
      await assertRejects(() => call, Error, "enough");
      gate.open(2);
      while (nativeThreads().calls > 0) await spawnNative(libc, "getpid", []);
      assertEquals(buffer, new Uint8Array(8));
    }),
  );

  it("has those wait who find no place, and makes their calls in turn", async () => {
    await run(async () => {
      using gate = new Gate();
      const order: number[] = [];
      const blocked = Array.from(
        { length: 300 },
        (_, i) => blockedBy(gate).toPromise().then(() => order.push(i)),
      );
      const dropped = blockedBy(gate);
      const waiting = spawn(() => dropped);
      await sleep(1);
      assertEquals(nativeThreads().calls, 256);
      waiting.abort();
      gate.open(300);
      await Promise.all(blocked);
      assertEquals(order.length, 300);
      assertEquals(nativeThreads().calls, 0);
      assertEquals(gate.count, 0);
      assertEquals(nativeThreads().threads <= 64, true);
    });
  });

  it("ends with its runtime: what is in the middle goes on, and the next runtime is told of its own", async () => {
    using gate = new Gate();
    await run(async () => {
      for (let i = 0; i < 3; i++) spawn(() => blockedBy(gate));
      await until(() => nativeThreads().calls === 3);
    });
    gate.open(3);
    await run(async () => {
      assertEquals((await spawnNative(libc, "labs", [-3])).result, 3n);
      while (nativeThreads().calls > 0) await spawnNative(libc, "getpid", []);
    });
  });

  it("says where a buffer is gone at the end", async () => {
    using gate = new Gate();
    const buffer = new Uint8Array(8);
    const call = blockedBy(gate, buffer).toPromise();
    structuredClone(buffer, { transfer: [buffer.buffer] });
    gate.open(1);
    await assertRejects(() => call, TypeError, "its buffer was transferred away");
    assertEquals(nativeThreads().calls, 0);
  });

  it("keeps nothing of calls that are over", async () => {
    const kept: WeakRef<Uint8Array>[] = [];
    await (async () => {
      for (let i = 0; i < 20; i++) {
        const bytes = new Uint8Array(5000);
        kept.push(new WeakRef(bytes));
        await spawnNative(libc, "fill", [bytes, 1, 10]);
      }
    })();
    // The host may keep the last one on its stack.
    assert(await collect(() => kept.filter((ref) => ref.deref() !== undefined).length <= 2));
  });
});
