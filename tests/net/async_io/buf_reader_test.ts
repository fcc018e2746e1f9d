import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  BufReader,
  BufStream,
  duplex,
  InvalidTextError,
  LimitExceededError,
  UnexpectedEndError,
} from "../../../lib/net/async_io.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Future, Pending, run, select, sleep, spawn } from "../../../lib/task/mod.ts";
import { Ended } from "../../../lib/task/stream.ts";
import { Probe } from "../../task/probe.ts";
import { bytesOf, cut, ScriptedReader, type Step, textOf, turn } from "./scripted.ts";

function readerOf(...steps: Step[]): BufReader {
  return new BufReader(new ScriptedReader(...steps), { capacity: 8 });
}

/** The value of a future that must be ready. */
function now<T>(future: Future<T>): T {
  coop.left = BUDGET;
  const value = new Probe().poll(future);
  if (value === Pending) throw new Error("the future pends");
  return value;
}

async function textUntil(reader: BufReader, byte: string): Promise<string> {
  return textOf(await reader.readUntil(byte.charCodeAt(0)));
}

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

describe("readUntil", () => {
  it("gives what comes up to a byte and with it, and then what is left", async () => {
    await run(async () => {
      const reader = readerOf("he", "yield", "llo\nwo", "rld");
      assertEquals(await textUntil(reader, "\n"), "hello\n");
      assertEquals(await textUntil(reader, "\n"), "world");
      assertEquals(await textUntil(reader, "\n"), "");
    });
  });

  it("leaves what there is where its reader fails, or where there is too much of it", async () => {
    await run(async () => {
      const reader = readerOf("hello ", new Error("torn"), "world! and much more;");
      await assertRejects(() => reader.readUntil(59).toPromise(), Error, "torn");
      assertEquals(textOf(reader.buffered), "hello ");
      const error = await assertRejects(
        () => reader.readUntil(59, { limit: 10 }).toPromise(),
        LimitExceededError,
        "longer than 10 bytes",
      );
      assertEquals(error.limit, 10);
      assertEquals(await textUntil(reader, ";"), "hello world! and much more;");
    });
  });

  it("takes a piece of just the limit", () => {
    assertEquals(textOf(now(readerOf("abcd;").readUntil(59, { limit: 4 }))), "abcd;");
    assertThrows(() => now(readerOf("abcde;").readUntil(59, { limit: 4 })), LimitExceededError);
    assertThrows(() => now(readerOf(";").readUntil(10, { limit: 0 })), LimitExceededError);
    assertEquals(textOf(now(readerOf("\n").readUntil(10, { limit: 0 }))), "\n");
  });
});

describe("readLine", () => {
  it("gives lines without their ends, and null behind the last", async () => {
    await run(async () => {
      const reader = readerOf("one\r\ntw", "yield", "o\n\n\r", "\n🐂", "é\r");
      const lines: (string | null)[] = [];
      for (let i = 0; i < 7; i++) lines.push(await reader.readLine());
      assertEquals(lines, ["one", "two", "", "", "🐂é\r", null, null]);
    });
  });

  it("takes a line that is no UTF-8, and says so", async () => {
    await run(async () => {
      const reader = readerOf(Uint8Array.of(0xc3, 0x28, 10), "next\n");
      await assertRejects(() => reader.readLine().toPromise(), InvalidTextError, "a line is no UTF-8");
      assertEquals(await reader.readLine(), "next");
    });
  });

  it("leaves what there is of a line where its reader fails", async () => {
    await run(async () => {
      const reader = readerOf("he", new Error("torn"), "llo\n");
      await assertRejects(() => reader.readLine().toPromise(), Error, "torn");
      assertEquals(await reader.readLine(), "hello");
    });
  });
});

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop();
  const whole = lines.map((line) => line.replace(/\r$/, ""));
  return last === undefined || last === "" ? whole : [...whole, last];
}

const text = fc.array(
  fc.oneof(fc.constantFrom("\n", "\r\n", "\r", "é", "🐂", "€"), fc.string({ maxLength: 12 })),
  { maxLength: 40 },
).map((parts) => parts.join(""));
const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 });

describe("lines", () => {
  it("are those of the text, wherever it is cut", async () => {
    await run(() =>
      fc.assert(
        fc.asyncProperty(text, cuts, fc.integer({ min: 1, max: 64 }), async (text, cuts, capacity) => {
          const bytes = bytesOf(text);
          const wanted = linesOf(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
          const pieces = cut(bytes, cuts);
          const reader = new BufReader(new ScriptedReader(...pieces), { capacity });
          assertEquals(await reader.lines().collect(), wanted);
          const other = new BufReader(new ScriptedReader(...pieces), { capacity });
          const lines: string[] = [];
          for (let line = await other.readLine(); line !== null; line = await other.readLine()) {
            lines.push(line);
          }
          assertEquals(lines, wanted);
        }),
      )
    );
  });

  it("leave their reader behind the last that was given, where they are dropped", async () => {
    await run(() =>
      fc.assert(fc.asyncProperty(text, cuts, fc.nat(10), async (text, cuts, count) => {
        const bytes = bytesOf(text);
        const reader = new BufReader(new ScriptedReader(...cut(bytes, cuts)), { capacity: 16 });
        const given = await reader.lines().take(count).collect();
        assertEquals(given, linesOf(textOf(bytes)).slice(0, count));
        const rest = textOf(bytes).split("\n").slice(given.length).join("\n");
        assertEquals(textOf(await reader.readToEnd()), rest);
      }))
    );
  });

  it("end with the first that is too long, and leave it in the reader", async () => {
    await run(async () => {
      for (const capacity of [4, 64]) {
        const reader = new BufReader(new ScriptedReader("abcd\nab🐂\r\nabcdefgh", "ijkl\nz\n"), { capacity });
        const lines = reader.lines({ limit: 7 });
        assertEquals(await lines.next(), "abcd");
        assertEquals(await lines.next(), "ab🐂");
        await assertRejects(
          () => lines.next().toPromise(),
          LimitExceededError,
          "a line is longer than 7 bytes",
        );
        assertEquals(await lines.next(), Ended);
        assertEquals(await reader.readLine(), "abcdefghijkl");
        assertEquals(await reader.readLine(), "z");
      }
    });
  });

  it("have their reader for themselves until they have ended or are dropped", async () => {
    await run(async () => {
      const reader = readerOf("a\nb\nc\nd");
      const lines = reader.lines();
      const others = [reader.readLine(), reader.fillBuf(), reader.lines().next(), reader.split(10).next()];
      assertEquals(await lines.next(), "a");
      for (const other of others) {
        await assertRejects(() => other.toPromise(), Error, "lines() of this reader is not over");
      }
      assertThrows(() => reader.consume(1), Error, "is not over");
      lines.drop();
      assertEquals(await reader.readLine(), "b");
      const rest = reader.lines();
      assertEquals(await rest.collect(), ["c", "d"]);
      assertEquals(await reader.readLine(), null);
    });
  });

  it("count bytes, not characters, and the CR with them", async () => {
    await run(async () => {
      assertEquals(await readerOf("€€\n").lines({ limit: 6 }).collect(), ["€€"]);
      await assertRejects(
        () => readerOf("€€\n").lines({ limit: 5 }).collect().toPromise(),
        LimitExceededError,
      );
      await assertRejects(
        () => readerOf("abc\r\n").lines({ limit: 3 }).collect().toPromise(),
        LimitExceededError,
      );
      await assertRejects(
        () => readerOf("abcd").lines({ limit: 3 }).collect().toPromise(),
        LimitExceededError,
      );
      assertEquals(await readerOf("abc").lines({ limit: 3 }).collect(), ["abc"]);
    });
  });

  it("give those before one that is no UTF-8, then fail, and leave it in the reader", async () => {
    await run(async () => {
      const reader = readerOf(Uint8Array.of(97, 10, 98, 13, 10, 0xff, 10, 99, 10));
      const lines = reader.lines();
      assertEquals([await lines.next(), await lines.next()], ["a", "b"]);
      await assertRejects(() => lines.next().toPromise(), InvalidTextError);
      assertEquals(await lines.next(), Ended);
      assertEquals([...await reader.readToEnd()], [0xff, 10, 99, 10]);
    });
  });

  it("fail once with what the reader fails with, having given those that were whole", async () => {
    await run(async () => {
      const lines = readerOf("a\nb", new Error("torn")).lines();
      assertEquals(await lines.next(), "a");
      await assertRejects(() => lines.next().toPromise(), Error, "torn");
      assertEquals(await lines.next(), Ended);
    });
  });

  it("lose nothing where next() loses a select", async () => {
    await run(async () => {
      const [here, there] = duplex(16);
      const sent = spawn(async () => {
        for (const piece of ["on", "e\nt", "wo\nthr", "ee"]) {
          await sleep(3);
          await there.writeAll(bytesOf(piece));
        }
        there.close();
      });
      const lines = new BufReader(here).lines();
      const got: string[] = [];
      for (;;) {
        const won = await select({ line: lines.next(), late: sleep(1) }, { biased: true });
        if (won.key === "late") continue;
        if (won.value === Ended) break;
        got.push(won.value);
      }
      assertEquals(got, ["one", "two", "three"]);
      await sent;
    });
  });
});

describe("split", () => {
  it("gives what lies between the bytes, wherever they are cut", async () => {
    await run(() =>
      fc.assert(fc.asyncProperty(
        fc.array(fc.nat(3), { maxLength: 60 }),
        cuts,
        async (numbers, cuts) => {
          const bytes = Uint8Array.from(numbers);
          const parts = await readerOf(...cut(bytes, cuts)).split(0).collect();
          const wanted = numbers.join("").split("0");
          if (wanted.at(-1) === "") wanted.pop();
          assertEquals(parts.map((part) => part.join("")), wanted);
        },
      ))
    );
  });

  it("fails where a part is too long, or its reader does, and has ended then", async () => {
    await run(async () => {
      for (
        const [reader, message] of [
          [readerOf("a,bbbb,c"), "longer than 3 bytes"],
          [readerOf("a,b", new Error("torn")), "torn"],
        ] as const
      ) {
        const parts = reader.split(44, { limit: 3 });
        assertEquals(
          textOf(Uint8Array.from(await parts.next().map((part) => part === Ended ? [] : part))),
          "a",
        );
        await assertRejects(() => parts.next().toPromise(), Error, message);
        assertEquals(await parts.next(), Ended);
      }
    });
  });

  it("leaves what it waits for where it is dropped", () => {
    const reader = readerOf("a,b", "wait", "c,");
    const parts = reader.split(44);
    const probe = new Probe();
    coop.left = BUDGET;
    assertEquals(parts.pollNext(probe), Uint8Array.of(97));
    assertEquals(parts.pollNext(probe), Pending);
    parts.drop();
    assertEquals(parts.pollNext(probe), Ended);
    assertEquals(textOf(now(reader.readUntil(44))), "bc,");
  });
});

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
