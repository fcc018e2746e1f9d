import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { hashOf } from "../../../examples/search/hash.ts";
import { Vocabulary } from "../../../examples/search/lexical/vocabulary.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function add(vocabulary: Vocabulary, word: string): number {
  const bytes = encoder.encode(`..${word}..`);
  return vocabulary.add(bytes, 2, bytes.length - 4, hashOf(bytes, 2, bytes.length - 2));
}

function wordsOf({ bytes, offsets, size }: Vocabulary): string[] {
  return Array.from({ length: size }, (_, i) => decoder.decode(bytes.subarray(offsets[i], offsets[i + 1])));
}

describe("Vocabulary", () => {
  it("numbers words as a Map does", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 3 }), { maxLength: 200 }), (words) => {
        const vocabulary = new Vocabulary();
        const numbers = new Map<string, number>();
        for (const word of words.map((word) => word.toWellFormed())) {
          if (!numbers.has(word)) numbers.set(word, numbers.size);
          assertEquals(add(vocabulary, word), numbers.get(word));
        }
        assertEquals(wordsOf(vocabulary), [...numbers.keys()]);
      }),
    );
  });

  it("grows past any size that it began with", () => {
    const vocabulary = new Vocabulary();
    const words = Array.from({ length: 20_000 }, (_, i) => `word-number-${i}`);
    for (const [i, word] of words.entries()) assertEquals(add(vocabulary, word), i);
    for (const [i, word] of words.entries()) assertEquals(add(vocabulary, word), i);
    assertEquals(wordsOf(vocabulary), words);
  });

  it("tells words of one hash apart by their bytes", () => {
    const vocabulary = new Vocabulary();
    const words = ["a", "b", "ab", "", "ba"].map((word) => encoder.encode(word));
    const numbers = [...words, ...words].map((word) => vocabulary.add(word, 0, word.length, 7));
    assertEquals(numbers, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
  });
});
