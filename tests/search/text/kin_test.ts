import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isOneEditApart } from "../../../examples/search/text/edits.ts";
import { kinOf } from "../../../examples/search/text/kin.ts";
import { isInflection, stem } from "../../../examples/search/text/stem.ts";
import { ALONE, PAIR, SPACED } from "../../../examples/search/text/words.ts";
import { sorted, termsOf } from "../small_index.ts";

const encoder = new TextEncoder();

/** The kin of a word among `words`, with their weights, by word. */
function kin(word: string, words: readonly string[], kind = SPACED): Record<string, number> {
  const all = sorted(words);
  const found = kinOf({ bytes: encoder.encode(word), kind }, termsOf(all), () => 1);
  return Object.fromEntries(found.map(({ term, weight }) => [all[term], weight]));
}

/** The same by looking at every word. */
function slowKin(word: string, words: readonly string[]): Record<string, number> {
  const characters = (text: string) => Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const isKnown = words.includes(word);
  const isGuessed = !isKnown && characters(word).length >= 3;
  const kin: Record<string, number> = {};
  for (const other of words) {
    const weights = [
      other === word ? 1 : 0,
      other.startsWith(stem(word)) && isInflection(stem(word), other.slice(stem(word).length)) ? 0.8 : 0,
      isGuessed && isOneEditApart(characters(word), characters(other)) ? 0.6 : 0,
      isGuessed && other.startsWith(word) ? encoder.encode(word).length / encoder.encode(other).length : 0,
    ];
    if (Math.max(...weights) > 0) kin[other] = Math.max(...weights);
  }
  return kin;
}

describe("kinOf()", () => {
  it("finds what a look at every word finds", () => {
    const letter = fc.constantFrom("a", "b", "e", "s", "d", "é", "жж", "\u{20000}");
    const word = fc.array(letter, { minLength: 1, maxLength: 7 }).map((letters) => letters.join(""));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), word, (words, asked) => {
        assertEquals(kin(asked, words), slowKin(asked, words));
      }),
      { numRuns: 500 },
    );
  });

  it("finds a word by each slip, in each place", () => {
    for (
      const slip of ["xemory", "memorx", "mexory", "emory", "memor", "meory", "memoryx", "xmemory", "memxory"]
    ) {
      assertEquals(Object.keys(kin(slip, ["memory", "other"])), ["memory"]);
    }
    for (const swap of ["emmory", "mmeory", "meomry", "memroy", "memoyr"]) {
      assertEquals(kin(swap, ["memory", "other"]), { memory: 0.6 });
    }
  });

  it("guesses at nothing where the word itself is there, but its inflections count", () => {
    assertEquals(kin("file", ["file", "files", "filled", "fire", "filet", "mile"]), { file: 1, files: 0.8 });
  });

  it("completes a word that is being typed", () => {
    assertEquals(kin("memo", ["memory", "memorable", "me"]), { memory: 4 / 6, memorable: 4 / 9 });
  });

  it("guesses at no word of fewer than three characters", () => {
    assertEquals(kin("ab", ["abc", "ac", "b"]), {});
    assertEquals(kin("日本", ["日", "日木"], PAIR), {});
  });

  it("takes one character of a script without spaces for all that begin with it", () => {
    assertEquals(kin("水", ["水", "水道", "下水", "水色"], ALONE), { 水: 1, 水道: 1, 水色: 1 });
  });

  it("keeps the heaviest, and of those the most frequent", () => {
    const words = sorted(Array.from({ length: 600 }, (_, i) => `zebra${i}`));
    const terms = termsOf(words);
    const frequencyOf = (term: number) => term % 7;
    const found = kinOf({ bytes: encoder.encode("zebra"), kind: SPACED }, terms, frequencyOf);
    assertEquals(found.length, 256);
    assertEquals(
      found.map(({ term, weight }) => [words[term], weight]),
      words
        .map((word, term) => ({ word, term, weight: Math.max(5 / word.length, word.length === 6 ? 0.6 : 0) }))
        .sort((a, b) => b.weight - a.weight || frequencyOf(b.term) - frequencyOf(a.term) || a.term - b.term)
        .slice(0, 256).map(({ word, weight }) => [word, weight]),
    );
  });
});
