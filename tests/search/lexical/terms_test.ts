import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { sortWords } from "../../../examples/search/lexical/sort_words.ts";
import { Terms, type WordBytes } from "../../../examples/search/lexical/terms.ts";

function pack(words: readonly Uint8Array[]): WordBytes {
  const offsets = new Uint32Array(words.length + 1);
  words.forEach((word, i) => offsets[i + 1] = offsets[i] + word.length);
  return { bytes: Uint8Array.from(words.flatMap((word) => [...word])), offsets };
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

function startsWith(word: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => word[i] === byte);
}

/** Few bytes, so that words share beginnings and ends, and with the ones that are no ASCII. */
const someBytes = fc.array(fc.constantFrom(97, 98, 0xc3, 0xff, 0), { maxLength: 6 }).map((bytes) =>
  Uint8Array.from(bytes)
);
const someWords = fc.uniqueArray(someBytes, { selector: String, maxLength: 80 });

describe("sortWords()", () => {
  it("orders words by their bytes, from either end", () => {
    fc.assert(fc.property(someWords, (words) => {
      const forwards = words.map((_, i) => i).sort((a, b) => compare(words[a], words[b]));
      const backwards = words.map((_, i) => i)
        .sort((a, b) => compare(words[a].toReversed(), words[b].toReversed()));
      assertEquals([...sortWords(pack(words), "forwards")], forwards);
      assertEquals([...sortWords(pack(words), "backwards")], backwards);
    }));
  });

  it("sorts words that lie in order already, or in reverse", () => {
    const words = Array.from(
      { length: 5000 },
      (_, i) => new TextEncoder().encode(String(i).padStart(8, "0")),
    );
    assertEquals([...sortWords(pack(words), "forwards")], words.map((_, i) => i));
    assertEquals([...sortWords(pack(words.toReversed()), "forwards")], words.map((_, i) => 4999 - i));
  });
});

describe("Terms", () => {
  function termsOf(words: readonly Uint8Array[]): [Terms, Uint8Array[]] {
    const sorted = words.toSorted(compare);
    const { bytes, offsets } = pack(sorted);
    return [new Terms(bytes, offsets, sortWords({ bytes, offsets }, "backwards")), sorted];
  }

  it("finds each word and no other", () => {
    fc.assert(fc.property(someWords, someBytes, (words, other) => {
      const [terms, sorted] = termsOf(words);
      sorted.forEach((word, term) => {
        assertEquals(terms.find(word), term);
        assertEquals(terms.word(term), word);
      });
      assertEquals(terms.size, sorted.length);
      assertEquals(terms.find(other), sorted.findIndex((word) => compare(word, other) === 0));
    }));
  });

  it("finds the words that begin or end alike", () => {
    fc.assert(fc.property(someWords, someBytes, (words, part) => {
      const [terms, sorted] = termsOf(words);
      const begin = terms.startingWith(part);
      assertEquals(
        sorted.map((_, term) => term).filter((term) => term >= begin.first && term < begin.end),
        sorted.flatMap((word, term) => startsWith(word, part) ? [term] : []),
      );
      const end = terms.endingWith(part);
      assertEquals(
        [...terms.backwards.subarray(end.first, end.end)].sort((a, b) => a - b),
        sorted.flatMap((word, term) =>
          startsWith(word.toReversed(), part.toReversed()) && part.length <= word.length ? [term] : []
        ),
      );
    }));
  });
});
