import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  BufReader,
  BufStream,
  duplex,
  LimitExceededError,
  UnexpectedEndError,
} from "../../../lib/net/async_io.ts";
import { Future, run, spawn } from "../../../lib/task/mod.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Probe } from "../../task/probe.ts";
import { cuts, now, readerOf } from "./buf_readers.ts";
import { bytesOf, cut, ScriptedReader, type Step, textOf, turn } from "./scripted.ts";

describe("a buffered reader", () => {
  it("gives the bytes of its reader, however they come and are asked for", async () => {
    await run(() =>
      fc.assert(fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 30 }),
        async (bytes, cuts, sizes, capacity) => {
          const steps = cut(bytes, cuts).flatMap((piece): Step[] => ["yield", piece]);
          const reader = new BufReader(new ScriptedReader(...steps), { capacity });
          const got: number[] = [];
          for (let i = 0;; i++) {
            const into = new Uint8Array(sizes[i % sizes.length]);
            const count = await reader.read(into);
            if (count === 0) break;
            got.push(...into.subarray(0, count));
          }
          assertEquals(got, [...bytes]);
        },
      ))
    );
  });

  it("reads much for what is asked for in little", () => {
    const source = new ScriptedReader("abcdefgh");
    const reader = new BufReader(source, { capacity: 8 });
    for (const letter of "abcdefgh") {
      const into = new Uint8Array(1);
      assertEquals([now(reader.read(into)), textOf(into)], [1, letter]);
    }
    assertEquals(source.reads, 1);
  });

  it("reads large pieces round an empty buffer, and never round a full one", () => {
    const reader = readerOf("ab", "cdefghijkl");
    assertEquals(textOf(now(reader.fillBuf())), "ab");
    const into = new Uint8Array(20);
    assertEquals(now(reader.read(into)), 2);
    assertEquals(now(reader.read(into)), 10);
    assertEquals(reader.buffered.byteLength, 0);
  });

  it("shows what is there by fillBuf, until it is consumed", () => {
    const reader = readerOf("abc", "de");
    assertEquals(textOf(now(reader.fillBuf())), "abc");
    reader.consume(1);
    assertEquals(textOf(now(reader.fillBuf())), "bc");
    assertThrows(() => reader.consume(3), RangeError, "cannot skip 3 bytes: there are 2");
    reader.consume(2);
    assertEquals(textOf(now(reader.fillBuf())), "de");
    reader.consume(2);
    assertEquals(now(reader.fillBuf()).byteLength, 0);
  });

  it("waits where its reader waits, and passes on what that fails with", async () => {
    await run(async () => {
      const reader = readerOf("yield", "ab", "yield", new Error("torn"), "cd");
      const into = new Uint8Array(4);
      assertEquals(await reader.read(into), 2);
      await assertRejects(() => reader.read(into).toPromise(), Error, "torn");
      assertEquals(await reader.read(into), 2);
      assertEquals(textOf(into.subarray(0, 2)), "cd");
    });
  });

  it("gives way to other tasks though bytes are always there", async () => {
    await run(async () => {
      const reader = new BufReader(new ScriptedReader(new Uint8Array(10_000)), { capacity: 10_000 });
      let others = 0;
      const other = spawn(function* () {
        for (let i = 0; i < 10; i++) {
          others++;
          yield* turn();
        }
      });
      await spawn(function* () {
        const into = new Uint8Array(1);
        for (let i = 0; i < 5_000; i++) yield* reader.read(into);
      });
      assert(others > 5, `others had ${others} turns`);
      await other;
    });
  });

  it("does nothing before it is polled, and refuses a second one that waits", () => {
    const source = new ScriptedReader("wait", "ab");
    const reader = new BufReader(source);
    const first = reader.fillBuf();
    assertEquals(source.reads, 0);
    const probe = new Probe();
    assert(probe.isPending(first));
    assertThrows(() => probe.poll(reader.fillBuf()), Error, "another read of this reader waits");
    first.drop();
    first.drop();
    assertThrows(() => probe.poll(first), Error, "its value was taken");
    assertEquals(textOf(now(reader.fillBuf())), "ab");
  });

  it("gives nothing of a line to another while one waits for its end", () => {
    const reader = readerOf("abc", "wait", "d\nef\n");
    const probe = new Probe();
    const line = reader.readLine();
    assert(probe.isPending(line));
    for (const use of [() => probe.poll(reader.read(new Uint8Array(3))), () => reader.consume(1)]) {
      assertThrows(use, Error, "another read of this reader waits");
    }
    assertEquals([now(line), now(reader.readLine())], ["abcd", "ef"]);
  });

  it("refuses a reader that says it gave more than it had room for", () => {
    const reader = new BufReader({ read: () => ready(1000) }, { capacity: 8 });
    assertThrows(() => now(reader.fillBuf()), RangeError, "cannot add 1000 bytes");
  });

  it("refuses wrong arguments by name", () => {
    const reader = readerOf();
    const none: unknown = {};
    assertThrows(() => Reflect.construct(BufReader, [none]), TypeError, "has no read()");
    assertThrows(() => Reflect.construct(BufReader, [undefined]), TypeError, "reader is undefined");
    assertThrows(() => readerOf().read(new Uint8Array(0)), RangeError, "0 bytes");
    assertThrows(() => Reflect.apply(reader.read, reader, ["a"]), TypeError, "into is no Uint8Array");
    assertThrows(() => Reflect.apply(reader.readExact, reader, [4]), TypeError, "into is no Uint8Array");
    assertThrows(() => reader.readUntil(300), RangeError, "byte is 300");
    assertThrows(() => reader.readLine({ limit: -1 }), RangeError, "limit is -1");
    assertThrows(() => reader.readToEnd({ limit: 0.5 }), RangeError, "limit is 0.5");
    assertThrows(() => reader.lines({ limit: NaN }), RangeError, "limit is NaN");
    assertThrows(() => Reflect.apply(reader.lines, reader, [{ max: 1 }]), TypeError, 'no option "max"');
    assertThrows(() => new BufReader(new ScriptedReader(), { capacity: 0 }), RangeError, "capacity is 0");
    assertThrows(() => Reflect.apply(reader.readNumber, reader, ["u16"]), TypeError, 'format is "u16"');
  });
});

class Ready<T> extends Future<T> {
  #value: T;

  constructor(value: T) {
    super();
    this.#value = value;
  }

  override poll(): T {
    return this.#value;
  }
}

function ready<T>(value: T): Future<T> {
  return new Ready(value);
}

describe("readExact", () => {
  it("fills the array from as many reads as it takes", async () => {
    await run(() =>
      fc.assert(fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        cuts,
        fc.integer({ min: 1, max: 60 }),
        async (bytes, cuts, size) => {
          const reader = readerOf(...cut(bytes, cuts).flatMap((piece): Step[] => ["yield", piece]));
          for (let at = 0; at + size <= bytes.byteLength; at += size) {
            const into = new Uint8Array(size);
            await reader.readExact(into);
            assertEquals(into, bytes.slice(at, at + size));
          }
          const rest = bytes.byteLength % size;
          const error = await assertRejects(
            () => reader.readExact(new Uint8Array(size)).toPromise(),
            UnexpectedEndError,
          );
          assertEquals([error.expected, error.received], [size, rest]);
          assertEquals(await reader.readToEnd(), bytes.slice(bytes.byteLength - rest));
        },
      ))
    );
  });

  it("puts back what it took, where it is dropped or its reader fails", async () => {
    await run(async () => {
      for (const stop of ["wait", new Error("torn")]) {
        const reader = readerOf("abc", "defghijklmnop", stop, "qrstuvwxyz");
        assertEquals(textOf(now(reader.fillBuf())), "abc");
        const future = reader.readExact(new Uint8Array(26));
        const probe = new Probe();
        coop.left = BUDGET;
        if (stop === "wait") assert(probe.isPending(future));
        else assertThrows(() => probe.poll(future), Error, "torn");
        future.drop();
        assertEquals(textOf(reader.buffered), "abcdefghijklmnop");
        assertEquals(textOf(await reader.readToEnd()), "abcdefghijklmnopqrstuvwxyz");
      }
    });
  });

  it("fills an empty array without a read", () => {
    now(readerOf("wait").readExact(new Uint8Array(0)));
    assertEquals(textOf(now(readerOf("a").readToEnd())), "a");
  });
});

describe("readToEnd", () => {
  it("gives all there is", async () => {
    await run(() =>
      fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), cuts, async (bytes, cuts) => {
        assertEquals(await readerOf(...cut(bytes, cuts)).readToEnd({ limit: bytes.byteLength }), bytes);
      }))
    );
  });

  it("takes nothing where there is too much, its reader fails, or it is dropped", async () => {
    await run(async () => {
      const reader = readerOf("abc", "wait", "def", new Error("torn"), "ghi");
      const future = reader.readToEnd();
      assert(new Probe().isPending(future));
      future.drop();
      await assertRejects(() => reader.readToEnd({ limit: 5 }).toPromise(), LimitExceededError, "5 bytes");
      await assertRejects(() => reader.readToEnd().toPromise(), Error, "torn");
      assertEquals(textOf(await reader.readToEnd()), "abcdefghi");
    });
  });
});

describe("readNumber", () => {
  it("reads each format as a DataView does, wherever it is cut", async () => {
    await run(() =>
      fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 8, maxLength: 8 }), cuts, async (bytes, cuts) => {
          const view = new DataView(bytes.slice().buffer);
          const bigints = [
            ["u64be", view.getBigUint64(0)],
            ["u64le", view.getBigUint64(0, true)],
            ["i64be", view.getBigInt64(0)],
            ["i64le", view.getBigInt64(0, true)],
          ] as const;
          for (const [format, value] of bigints) {
            assertEquals(await readerOf(...cut(bytes, cuts)).readNumber(format), value);
          }
          const numbers = [
            ["u8", view.getUint8(0)],
            ["i8", view.getInt8(0)],
            ["u16be", view.getUint16(0)],
            ["u16le", view.getUint16(0, true)],
            ["i16be", view.getInt16(0)],
            ["i16le", view.getInt16(0, true)],
            ["u32be", view.getUint32(0)],
            ["u32le", view.getUint32(0, true)],
            ["i32be", view.getInt32(0)],
            ["i32le", view.getInt32(0, true)],
            ["f32be", view.getFloat32(0)],
            ["f32le", view.getFloat32(0, true)],
            ["f64be", view.getFloat64(0)],
            ["f64le", view.getFloat64(0, true)],
          ] as const;
          for (const [format, value] of numbers) {
            assertEquals(await readerOf(...cut(bytes, cuts)).readNumber(format), value);
          }
        }),
        { numRuns: 30 },
      )
    );
  });

  it("takes nothing where the end comes first, or where it is dropped", async () => {
    await run(async () => {
      const reader = readerOf("ab", "wait", "c");
      const future = reader.readNumber("u32be");
      assert(new Probe().isPending(future));
      future.drop();
      const error = await assertRejects(() => reader.readNumber("u32be").toPromise(), UnexpectedEndError);
      assertEquals([error.expected, error.received], [4, 3]);
      assertEquals(await reader.readNumber("u16be"), 0x6162);
    });
  });
});

describe("a buffered stream", () => {
  it("is both, over the same stream", async () => {
    await run(async () => {
      const [here, there] = duplex(64);
      const near = new BufStream(here);
      const far = new BufStream(there, { capacity: 4 });
      await near.writeAll(bytesOf("one\ntwo\n"));
      assertEquals(await near.write(bytesOf("three")), 5);
      await near.flush();
      assertEquals([await far.readLine(), await far.readLine()], ["one", "two"]);
      await near.shutdown();
      assertEquals([await far.readLine(), await far.readLine()], ["three", null]);
    });
  });
});
