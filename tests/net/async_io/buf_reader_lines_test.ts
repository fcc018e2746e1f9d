import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BufReader, duplex, InvalidTextError, LimitExceededError } from "../../../lib/net/async_io.ts";
import { Pending, run, select, sleep, spawn } from "../../../lib/task/mod.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Ended } from "../../../lib/task/stream.ts";
import { Probe } from "../../task/probe.ts";
import { cuts, now, readerOf } from "./buf_readers.ts";
import { bytesOf, cut, ScriptedReader, textOf } from "./scripted.ts";

async function textUntil(reader: BufReader, byte: string): Promise<string> {
  return textOf(await reader.readUntil(byte.charCodeAt(0)));
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
