import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type AsyncRead,
  type AsyncWrite,
  BufWriter,
  copy,
  copyBidirectional,
  duplex,
  type DuplexStream,
  repeat,
  sink,
  take,
  WriteZeroError,
} from "../../../lib/net/async_io.ts";
import { type Future, lazy, pollFn, run, select, sleep, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { Probe } from "../../task/probe.ts";
import { bytesOf, cut, FlushedWriter, ScriptedReader, ScriptedWriter, textOf } from "./scripted.ts";

describe("copy", () => {
  it("gives every byte on in order, however they come and are taken", async () => {
    const wait = fc.constant<"yield">("yield");
    await run(() =>
      fc.assert(fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 4 }),
        fc.array(fc.oneof(wait, fc.integer({ min: 1, max: 40 })), { maxLength: 20 }),
        fc.boolean(),
        async (bytes, cuts, steps, waits) => {
          const reads = cut(bytes, cuts).flatMap((piece) => waits ? ["yield", piece] : [piece]);
          const writer = new ScriptedWriter(...steps);
          assertEquals(await copy(new ScriptedReader(...reads), writer), bytes.byteLength);
          assertEquals(writer.taken.flatMap((part) => [...part]), [...bytes]);
        },
      ))
    );
  });

  it("flushes at the end, and where nothing more comes for now", async () => {
    const writer = new FlushedWriter();
    assertEquals(await run(() => copy(new ScriptedReader("ab", "yield", "cd"), writer)), 4);
    assertEquals([writer.text, writer.flushes], ["abcd", 2]);
    await run(async () => {
      const [here, there] = duplex(1024);
      // The reader waits for what this writer has buffered.
      const buffered = new BufWriter(here, { capacity: 4096 });
      await buffered.writeAll(new Uint8Array(512));
      await buffered.flush();
      assertEquals(await copy(take(there, 1024), buffered), 1024);
    });
  });

  it("reads on while the writer waits, one buffer's worth and no more", () => {
    const reader = new ScriptedReader(new Uint8Array(20_000), new Uint8Array(20_000), new Uint8Array(20_000));
    const writer = new ScriptedWriter("wait", "wait");
    const copied = copy(reader, writer);
    const probe = new Probe();
    assert(probe.isPending(copied));
    const left = reader.steps.reduce(
      (sum, step) => sum + (step instanceof Uint8Array ? step.byteLength : 0),
      0,
    );
    assertEquals(60_000 - left, 32_768);
    assert(probe.isPending(copied));
    assertEquals(probe.poll(copied), 60_000);
    assertEquals(writer.taken.reduce((sum, part) => sum + part.byteLength, 0), 60_000);
  });

  it("fails with what either side fails with, and drops the other", async () => {
    await run(async () => {
      await assertRejects(
        () => copy(new ScriptedReader("a", new Error("torn")), new ScriptedWriter()).toPromise(),
        Error,
        "torn",
      );
      const writer = new ScriptedWriter(1, new Error("full"));
      await assertRejects(() => copy(new ScriptedReader("abc"), writer).toPromise(), Error, "full");
      assertEquals(writer.text, "a");
      await assertRejects(
        () => copy(new ScriptedReader("abc"), new ScriptedWriter(0)).toPromise(),
        WriteZeroError,
      );
      const liar = { read: () => pollFn(() => 1e6) };
      await assertRejects(() => copy(liar, new ScriptedWriter()).toPromise(), RangeError, "1000000 bytes");
    });
  });

  it("ends where its signal is aborted", async () => {
    await run(async () => {
      const [here] = duplex(8);
      const controller = new AbortController();
      const copied = spawn(() => copy(here, new ScriptedWriter(), { signal: controller.signal }));
      const aborts = spawn(() => lazy(() => controller.abort(new Error("enough"))));
      await assertRejects(() => Promise.resolve(copied), Error, "enough");
      await aborts;
    });
  });

  it("can be dropped, and leaves what it has not read", async () => {
    await run(async () => {
      const reader = new ScriptedReader("ab", "wait", "cd");
      const writer = new ScriptedWriter();
      const copied = copy(reader, writer);
      assert(new Probe().isPending(copied));
      copied.drop();
      copied.drop();
      assertEquals(writer.text, "ab");
      assertEquals(await copy(reader, writer), 2);
      assertThrows(() => new Probe().poll(copied), Error, "its value was taken");
    });
  });

  it("refuses what is no reader, writer or option, by name", () => {
    const writer = new ScriptedWriter();
    const reader = new ScriptedReader();
    assertThrows(() => Reflect.apply(copy, null, [{}, writer]), TypeError, "has no read()");
    assertThrows(() => Reflect.apply(copy, null, [reader, reader]), TypeError, "has no write()");
    assertThrows(() => Reflect.apply(copy, null, [reader, writer, { abort: 1 }]), TypeError, '"abort"');
    assertThrows(() => Reflect.apply(copy, null, [reader, writer, { signal: 1 }]), TypeError, "AbortSignal");
    assertThrows(
      () => Reflect.apply(copyBidirectional, null, [reader, writer]),
      TypeError,
      "a is [object Object]",
    );
  });
});

/** Two ends with a proxy between them, either way round. */
async function proxied(
  test: (a: DuplexStream, b: DuplexStream, handle: Future<{ aToB: number; bToA: number }>) => Promise<void>,
): Promise<void> {
  for (const isTurned of [false, true]) {
    await run(async () => {
      const [a, a1] = duplex(64);
      const [b, b1] = duplex(64);
      const handle = spawn(() => isTurned ? copyBidirectional(b1, a1) : copyBidirectional(a1, b1));
      if (isTurned) await test(b, a, handle);
      else await test(a, b, handle);
    });
  }
}

async function readAll(stream: DuplexStream): Promise<string> {
  const into = new Uint8Array(1000);
  let text = "";
  for (let count = await stream.read(into); count > 0; count = await stream.read(into)) {
    text += textOf(into.subarray(0, count));
  }
  return text;
}

describe("copyBidirectional", () => {
  it("gets on in one direction, though the other always has something to move", async () => {
    await run(async () => {
      const [here, there] = duplex(1000);
      let taken = 0;
      const a: AsyncRead & AsyncWrite = {
        ...sink(),
        read: (into) => repeat(1).read(into),
        write: (bytes) => {
          taken += bytes.byteLength;
          return sink().write(bytes);
        },
      };
      const copying = spawn(() => copyBidirectional(a, { ...sink(), read: (into) => there.read(into) }));
      await here.writeAll(new Uint8Array(500));
      for (let turn = 0; turn < 20 && taken < 500; turn++) await yieldNow();
      assertEquals(taken, 500);
      copying.abort();
    });
  });

  it("carries bytes both ways, and each direction's end", async () => {
    await proxied(async (a, b, handle) => {
      await a.writeAll(bytesOf("test"));
      const into = new Uint8Array(4);
      assertEquals([await b.read(into), textOf(into)], [4, "test"]);
      await a.shutdown();
      assertEquals(await readAll(b), "");
      await b.writeAll(bytesOf("quux!"));
      b.close();
      assertEquals(await readAll(a), "quux!");
      assertEquals(await handle, { aToB: 4, bToA: 5 });
    });
  });

  it("goes on in one direction while the other is blocked", async () => {
    await proxied(async (a, b, handle) => {
      let sent = 0;
      for (;;) {
        const won = await select({ count: a.write(new Uint8Array(2048)), late: sleep(10) });
        if (won.key === "late") break;
        sent += won.value;
      }
      await b.writeAll(bytesOf("quux"));
      const into = new Uint8Array(4);
      assertEquals([await a.read(into), textOf(into)], [4, "quux"]);
      await a.shutdown();
      assertEquals((await readAll(b)).length, sent);
      b.close();
      assertEquals(await handle, { aToB: sent, bToA: 4 });
    });
  });

  it("ends at once with an error of either side", async () => {
    for (const fails of ["read", "write"]) {
      const make = (): AsyncRead & AsyncWrite => {
        const reader = new ScriptedReader(
          fails === "read" ? new Error("no thanks") : "here, take this",
          "wait",
        );
        const writer = new ScriptedWriter(...(fails === "write" ? [new Error("no thanks")] : []));
        return {
          read: (into) => reader.read(into),
          write: (bytes) => writer.write(bytes),
          writeAll: (bytes) => writer.writeAll(bytes),
          shutdown: () => writer.shutdown(),
        };
      };
      await run(async () => {
        await assertRejects(() => copyBidirectional(make(), make()).toPromise(), Error, "no thanks");
      });
    }
  });

  it("can be dropped, and aborted", async () => {
    await run(async () => {
      const [a, a1] = duplex(64);
      const [b, b1] = duplex(64);
      const controller = new AbortController();
      const copied = copyBidirectional(a1, b1, { signal: controller.signal });
      const probe = new Probe();
      assert(probe.isPending(copied));
      controller.abort(new Error("enough"));
      assertThrows(() => probe.poll(copied), Error, "enough");
      const again = copyBidirectional(a1, b1);
      assert(probe.isPending(again));
      again.drop();
      await a.writeAll(bytesOf("x"));
      const into = new Uint8Array(1);
      assertEquals(await a1.read(into), 1);
      b.close();
    });
  });
});
