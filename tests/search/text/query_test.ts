import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { checkQuery, wordsOf } from "../../../examples/search/text/query.ts";
import { ALONE, PAIR, SPACED } from "../../../examples/search/text/words.ts";

const decoder = new TextDecoder();

describe("checkQuery()", () => {
  it("leaves a query of words as it is, markup and all", () => {
    for (const query of ["page faults", "<b>q</b> & 'x' %41", "東京", "a".repeat(4096)]) {
      assertEquals(checkQuery(query), query);
    }
  });

  it("makes control characters spaces", () => {
    assertEquals(checkQuery("\0one\x1b[31mtwo\r\nthree\x7f\u0085 "), "one [31mtwo three");
  });

  it("refuses what has no words", () => {
    for (const query of ["", "   ", "\0\n\x1b", "?!…", "😀"]) {
      assertThrows(() => checkQuery(query), RangeError, "no words");
    }
  });

  it("refuses what is longer than 4,096 bytes of UTF-8", () => {
    for (const query of ["a".repeat(4097), "é".repeat(2049), "a".repeat(2 ** 20)]) {
      assertThrows(() => checkQuery(query), RangeError, "longer than 4096 bytes");
    }
  });
});

describe("wordsOf()", () => {
  it("counts the distinct words, in the order in which they come", () => {
    const words = wordsOf("Page fault, page FAULT page 水道 水 水道橋");
    assertEquals(words.map(({ bytes, kind, count }) => [decoder.decode(bytes), kind, count]), [
      ["page", SPACED, 3],
      ["fault", SPACED, 2],
      ["水道", PAIR, 2],
      ["水", ALONE, 1],
      ["道橋", PAIR, 1],
    ]);
  });
});
