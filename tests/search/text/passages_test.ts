import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cutPassages, MAX_PASSAGE_BYTES, type Passage } from "../../../examples/search/text/passages.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BLANK = /^[ \t\r\v\f\n]*$/;

function cut(text: string): Passage[] {
  return cutPassages(encoder.encode(text));
}

/** What each passage holds. */
function texts(text: string): string[] {
  const bytes = encoder.encode(text);
  return cutPassages(bytes).map(({ start, end }) => decoder.decode(bytes.subarray(start, end)));
}

function words(count: number, word = "word"): string {
  return Array.from({ length: count }, () => word).join(" ");
}

/** The lines, from 1, that the bytes from `start` to `end` touch and that are not blank there. */
function filledLines(text: string, { start, end }: Passage): number[] {
  const bytes = encoder.encode(text);
  const first = decoder.decode(bytes.subarray(0, start)).split("\n").length;
  return decoder.decode(bytes.subarray(start, end)).split("\n")
    .flatMap((line, i) => BLANK.test(line) ? [] : [first + i]);
}

const anyLine = fc.oneof(
  fc.constantFrom("", "   ", "\t", "-----", "\r"),
  fc.nat({ max: 90 }).map((count) => words(count)),
  fc.nat({ max: 300 }).map((count) => "漢".repeat(count)),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll("\n", " ")),
);
const longLine = fc.oneof(
  fc.nat({ max: 900 }).map((count) => words(count, "ab")),
  fc.nat({ max: 20_000 }).map((length) => "x".repeat(length)),
  fc.nat({ max: 5_000 }).map((length) => "é".repeat(length)),
  fc.tuple(fc.nat({ max: 9_000 }), fc.nat({ max: 9_000 }))
    .map(([before, within]) => `${" ".repeat(before)}a${" ".repeat(within)}b`),
);
const anyText = fc.tuple(
  fc.array(fc.oneof({ arbitrary: anyLine, weight: 12 }, { arbitrary: longLine, weight: 1 }), {
    maxLength: 60,
  }),
  fc.constantFrom("\n", "\r\n"),
  fc.constantFrom("", "\n"),
).map(([lines, newline, end]) => lines.join(newline) + end);

describe("cutPassages()", () => {
  it("tiles any text, at characters, with the lines that are in each", () => {
    fc.assert(fc.property(anyText, (text) => {
      const passages = cut(text);
      if (BLANK.test(text)) {
        assertEquals(passages, []);
        return;
      }
      assertEquals(texts(text).join(""), text);
      for (const passage of passages) {
        const lines = filledLines(text, passage);
        assertEquals([passage.firstLine, passage.lastLine], [lines[0], lines.at(-1)]);
      }
    }));
  });

  it("makes no passage much larger than 200 words or 4 KiB", () => {
    fc.assert(fc.property(anyText, (text) => {
      for (const passage of texts(text).map((passage) => passage.replace(/^[ \t-\r]+|[ \t-\r]+$/g, ""))) {
        const count = passage.match(/[0-9A-Za-z]+/g)?.length ?? 0;
        assert(count < 225, `${count} words`);
        assert(encoder.encode(passage).length <= MAX_PASSAGE_BYTES, `${passage.length} characters`);
      }
    }));
  });

  it("has no passages for nothing and for blanks", () => {
    for (const text of ["", "\n", " \t\r\n\n  ", "\n".repeat(10_000)]) assertEquals(cut(text), []);
  });

  it("leaves a short text whole, with or without a newline at its end", () => {
    assertEquals(cut("one\ntwo"), [{ start: 0, end: 7, firstLine: 1, lastLine: 2 }]);
    assertEquals(cut("\n\none\r\ntwo\r\n\r\n"), [{ start: 0, end: 14, firstLine: 3, lastLine: 4 }]);
  });

  it("cuts before the last paragraph that leaves at least 100 words", () => {
    const paragraphs = [60, 60, 60, 90].map((count) => `${words(count)}\n`);
    assertEquals(texts(paragraphs.join("\n")), [
      `${paragraphs[0]}\n${paragraphs[1]}\n${paragraphs[2]}\n`,
      paragraphs[3],
    ]);
  });

  it("cuts at the end of a line where the paragraphs are too long", () => {
    const lines = Array.from({ length: 30 }, () => `${words(13)}\n`);
    const passages = cut(lines.join(""));
    assertEquals(passages.map(({ firstLine, lastLine }) => [firstLine, lastLine]), [[1, 15], [16, 30]]);
  });

  it("does not cut at a paragraph that leaves fewer than 100 words", () => {
    const text = `${words(90)}\n\n${words(60)}\n${words(60)}\n${words(60)}\n`;
    assertEquals(cut(text).map(({ firstLine, lastLine }) => [firstLine, lastLine]), [[1, 3], [4, 5]]);
  });

  it("cuts a long line at words, and says that it is one line", () => {
    const passages = cut(`title\n\n${words(500)}\nlast`);
    assertEquals(passages.map(({ firstLine, lastLine }) => [firstLine, lastLine]), [[1, 1], [3, 3], [3, 3], [
      3,
      4,
    ]]);
    assert(texts(words(500)).slice(0, -1).every((text) => text.endsWith(" ")));
  });

  it("cuts a word without end at characters", () => {
    const passages = texts("é".repeat(10_000));
    assertEquals(passages.map((text) => text.length), [2048, 2048, 2048, 2048, 1808]);
  });

  it("counts two Chinese characters as a word", () => {
    assertEquals(texts("漢".repeat(1000)).map((text) => text.length), [400, 400, 200]);
  });

  it("puts a scrap of a rest to the passage before it", () => {
    const lines = Array.from({ length: 20 }, () => `${words(10)}\n`).join("");
    assertEquals(cut(`${lines}${words(24)}`).length, 1);
    assertEquals(cut(`${lines}${words(25)}`).length, 2);
  });
});
