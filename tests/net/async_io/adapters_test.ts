import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BufReader, chain, copy, empty, repeat, sink, take } from "../../../lib/net/async_io.ts";
import { type Coroutine, type Future, pollFn, run, spawn } from "../../../lib/task/mod.ts";
import { Probe } from "../../task/probe.ts";
import { cut, ScriptedReader, textOf, turn } from "./scripted.ts";

/** Whether another task has its turns beside one that makes the same call over and over. */
async function isCooperative(call: () => Future<unknown>): Promise<boolean> {
  return await run(async () => {
    let hasEnded = false;
    const busy = spawn(function* (): Coroutine<void> {
      for (let i = 0; i < 1000 && !hasEnded; i++) yield* call();
    });
    let turns = 0;
    const other = spawn(function* (): Coroutine<void> {
      for (; turns < 3; turns++) yield* turn();
      hasEnded = true;
    });
    await busy;
    const had = turns;
    await other;
    return had === 3;
  });
}

describe("take", () => {
  it("gives the first bytes, and leaves the others in the reader", async () => {
    await run(() =>
      fc.assert(fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(70),
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }),
        async (bytes, count, cuts) => {
          const reader = new ScriptedReader(...cut(bytes, cuts));
          const part = take(reader, count);
          assertEquals(await new BufReader(part, { capacity: 4 }).readToEnd(), bytes.slice(0, count));
          assertEquals(part.remaining, Math.max(0, count - bytes.byteLength));
          assertEquals(await new BufReader(reader).readToEnd(), bytes.slice(count));
        },
      ))
    );
  });

  it("does not ask the reader once it has given all, until it may give more", async () => {
    await run(async () => {
      const reader = new ScriptedReader("abcdef");
      const part = take(reader, 2);
      const into = new Uint8Array(8);
      assertEquals([await part.read(into), await part.read(into), reader.reads], [2, 0, 1]);
      part.remaining = 3;
      assertEquals([await part.read(into), textOf(into.subarray(0, 3))], [3, "cde"]);
      assertEquals(await take(reader, Infinity).read(into), 1);
    });
  });

  it("loses nothing where it is dropped, and refuses a reader that gives too much", () => {
    const reader = new ScriptedReader("wait", "abc");
    const part = take(reader, 2);
    const probe = new Probe();
    const first = part.read(new Uint8Array(4));
    assert(probe.isPending(first));
    first.drop();
    assertEquals(part.remaining, 2);
    assertEquals(probe.poll(part.read(new Uint8Array(4))), 2);
    const liar = take({ read: () => pollFn(() => 5) }, 2);
    assertThrows(
      () => probe.poll(liar.read(new Uint8Array(9))),
      RangeError,
      "gave 5 bytes where it had room for 2",
    );
    assertThrows(() => take(reader, -1), RangeError, "count is -1");
    assertThrows(() => take(reader, 1).read(new Uint8Array(0)), RangeError, "0 bytes");
  });
});

describe("chain", () => {
  it("gives what the first has, and then what the second has", async () => {
    await run(async () => {
      const second = new ScriptedReader("yield", "cd", "ef");
      const reader = new BufReader(chain(new ScriptedReader("a", "yield", "b"), second), { capacity: 3 });
      assertEquals(
        textOf(await reader.readExact(new Uint8Array(2)).andThen(() => reader.readToEnd())),
        "cdef",
      );
      assertEquals(await reader.read(new Uint8Array(1)), 0);
    });
  });

  it("does not ask the second before the first has ended, or where that fails", async () => {
    await run(async () => {
      const second = new ScriptedReader("b");
      const reader = chain(new ScriptedReader("a", new Error("torn")), second);
      const into = new Uint8Array(4);
      assertEquals(await reader.read(into), 1);
      await assertRejects(() => reader.read(into).toPromise(), Error, "torn");
      assertEquals(second.reads, 0);
      assertEquals([await reader.read(into), second.reads], [1, 1]);
    });
  });

  it("loses nothing where it is dropped", () => {
    const probe = new Probe();
    const reader = chain(new ScriptedReader("wait", "a"), new ScriptedReader());
    const first = reader.read(new Uint8Array(1));
    assert(probe.isPending(first));
    first.drop();
    assertEquals(probe.poll(reader.read(new Uint8Array(1))), 1);
    assertThrows(() => Reflect.apply(chain, null, [reader, {}]), TypeError, "second is [object Object]");
  });
});

describe("empty, repeat and sink", () => {
  it("give nothing, one byte for ever, and take all", async () => {
    await run(async () => {
      const into = new Uint8Array(3);
      assertEquals(await empty().read(into), 0);
      assertEquals([await repeat(7).read(into), into.join("")], [3, "777"]);
      assertEquals(await sink().write(into), 3);
      await sink().writeAll(into);
      await sink().shutdown();
      assertEquals(await copy(take(repeat(1), 100_000), sink()), 100_000);
    });
  });

  it("let other tasks have their turns", async () => {
    const into = new Uint8Array(3);
    assert(await isCooperative(() => empty().read(into)));
    assert(await isCooperative(() => repeat(1).read(into)));
    assert(await isCooperative(() => sink().write(into)));
    assert(await isCooperative(() => copy(new ScriptedReader("hello"), sink())));
    const reader = new BufReader(empty());
    assert(await isCooperative(() => reader.fillBuf()));
  });

  it("refuse what is no byte and no array", () => {
    assertThrows(() => repeat(256), RangeError, "byte is 256");
    assertThrows(() => empty().read(new Uint8Array(0)), RangeError, "0 bytes");
    assertThrows(() => Reflect.apply(sink().write, null, ["a"]), TypeError, "bytes is no Uint8Array");
  });
});
