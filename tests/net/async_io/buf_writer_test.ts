import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BufWriter, WriteZeroError } from "../../../lib/net/async_io.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { run } from "../../../lib/task/mod.ts";
import { Probe } from "../../task/probe.ts";
import { bytesOf, FlushedWriter, ScriptedWriter, textOf, type WriteStep } from "./scripted.ts";

describe("a buffered writer", () => {
  it("hands on every byte once and in order, whatever is written and taken", async () => {
    const call = fc.record({
      kind: fc.constantFrom("write", "writeAll", "flush"),
      bytes: fc.uint8Array({ maxLength: 30 }),
    });
    const step = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant<WriteStep>("yield"));
    await run(() =>
      fc.assert(fc.asyncProperty(
        fc.array(call, { maxLength: 20 }),
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 20 }),
        async (calls, steps, capacity) => {
          const target = new ScriptedWriter(...steps);
          const writer = new BufWriter(target, { capacity });
          const wanted: number[] = [];
          for (const { kind, bytes } of calls) {
            if (kind === "flush") {
              await writer.flush();
              assertEquals(target.taken.flatMap((part) => [...part]), wanted);
            } else if (kind === "writeAll") {
              await writer.writeAll(bytes);
              wanted.push(...bytes);
            } else {
              const count = await writer.write(bytes);
              assert(count > 0 || bytes.byteLength === 0);
              wanted.push(...bytes.subarray(0, count));
            }
            assert(writer.buffered.byteLength <= capacity);
          }
          await writer.shutdown();
          assertEquals(target.taken.flatMap((part) => [...part]), wanted);
          assert(target.isShutDown);
        },
      ))
    );
  });

  it("writes in large pieces what it was given in small ones, and what is large round the buffer", async () => {
    await run(async () => {
      const target = new ScriptedWriter();
      const writer = new BufWriter(target, { capacity: 4 });
      for (const piece of ["a", "b", "c", "d", "e", "fghijk", "l"]) await writer.writeAll(bytesOf(piece));
      assertEquals(target.taken.map(textOf), ["abcd", "e", "fghijk"]);
      assertEquals(textOf(writer.buffered), "l");
      assertEquals(await writer.write(bytesOf("mnopq")), 5);
      assertEquals(target.taken.map(textOf), ["abcd", "e", "fghijk", "l", "mnopq"]);
    });
  });

  it("flushes the writer below, and shuts it down having written all", async () => {
    await run(async () => {
      const target = new FlushedWriter(1, 1);
      const writer = new BufWriter(target);
      await writer.writeAll(bytesOf("abc"));
      await writer.flush();
      assertEquals([target.text, target.flushes, target.isShutDown], ["abc", 1, false]);
      await writer.writeAll(bytesOf("d"));
      await writer.shutdown();
      assertEquals([target.text, target.isShutDown], ["abcd", true]);
    });
  });

  it("loses and repeats no byte where a flush is dropped", async () => {
    await run(async () => {
      const target = new ScriptedWriter(2, "wait", 1);
      const writer = new BufWriter(target);
      await writer.writeAll(bytesOf("abcdef"));
      const probe = new Probe();
      const first = writer.flush();
      assert(probe.isPending(first));
      assertEquals(target.text, "ab");
      assertThrows(() => probe.poll(writer.flush()), Error, "another write to this writer waits");
      assertThrows(() => probe.poll(writer.writeAll(bytesOf("x"))), Error, "another write");
      first.drop();
      first.drop();
      await writer.writeAll(bytesOf("gh"));
      await writer.flush();
      assertEquals(target.text, "abcdefgh");
    });
  });

  it("has taken nothing of a write that is dropped while it waits for room", async () => {
    await run(async () => {
      const target = new ScriptedWriter("wait");
      const writer = new BufWriter(target, { capacity: 4 });
      await writer.writeAll(bytesOf("abc"));
      for (const future of [writer.write(bytesOf("de"))]) {
        coop.left = BUDGET;
        assert(new Probe().isPending(future));
        future.drop();
      }
      await writer.flush();
      assertEquals(target.text, "abc");
    });
  });

  it("keeps what could not be written where the writer fails", async () => {
    await run(async () => {
      const target = new ScriptedWriter(2, new Error("torn"));
      const writer = new BufWriter(target);
      await writer.writeAll(bytesOf("abcd"));
      await assertRejects(() => writer.flush().toPromise(), Error, "torn");
      assertEquals(textOf(writer.buffered), "cd");
      await writer.flush();
      assertEquals(target.text, "abcd");
    });
  });

  it("fails where the writer takes nothing", async () => {
    await run(async () => {
      const writer = new BufWriter(new ScriptedWriter(0));
      await writer.writeAll(bytesOf("a"));
      await assertRejects(() => writer.flush().toPromise(), WriteZeroError, "takes none of the bytes");
    });
  });

  it("does nothing before it is polled, and refuses wrong arguments by name", () => {
    const target = new ScriptedWriter();
    const writer = new BufWriter(target, { capacity: 1 });
    writer.writeAll(bytesOf("abc"));
    writer.write(bytesOf("abc"));
    assertEquals([target.text, writer.buffered.byteLength], ["", 0]);
    assertThrows(() => Reflect.apply(writer.write, writer, ["a"]), TypeError, "bytes is no Uint8Array");
    assertThrows(() => Reflect.apply(writer.writeAll, writer, [1]), TypeError, "bytes is no Uint8Array");
    assertThrows(() => Reflect.construct(BufWriter, [{ write: () => {} }]), TypeError, "has no writeAll()");
    assertThrows(() => new BufWriter(target, { capacity: 1.5 }), RangeError, "capacity is 1.5");
  });
});
