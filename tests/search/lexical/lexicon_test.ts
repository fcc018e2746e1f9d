import { describe, it } from "node:test";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { inverseFrequency, Lexicon } from "../../../examples/search/lexical/lexicon.ts";
import { ALONE, PAIR, SPACED } from "../../../examples/search/text/words.ts";
import { idf, postingsOf, sorted, termsOf } from "../small_index.ts";

const encoder = new TextEncoder();

interface Small {
  lexicon: Lexicon;
  score: (query: string, kind?: number) => number[];
}

function open(passages: readonly string[]): Small {
  const split = passages.map((passage) => passage.split(" ").filter((word) => word !== ""));
  const words = sorted(split.flat());
  const postings = postingsOf(words, split);
  const lengths = Uint32Array.from(split, ({ length }) => length);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const frequencies = words.map((_, term) => postings.offsets[term + 1] - postings.offsets[term]);
  const idfs = Float32Array.from(frequencies, (frequency) => idf(frequency, passages.length));
  const lexicon = new Lexicon(termsOf(words), postings, idfs, lengths, mean);
  const score = (query: string, kind = SPACED) => {
    const scores = new Float32Array(passages.length);
    lexicon.score(query.split(" ").map((word) => ({ bytes: encoder.encode(word), kind })), scores);
    return [...scores];
  };
  return { lexicon, score };
}

/** Okapi BM25 by its formula, over its greatest value, with no kin. */
function slowScore(passages: readonly string[], query: string): number[] {
  const split = passages.map((passage) => passage.split(" ").filter((word) => word !== ""));
  const mean = split.flat().length / split.length;
  const asked = query.split(" ");
  const idfs = asked.map((word) => idf(split.filter((words) => words.includes(word)).length, split.length));
  const most = idfs.reduce((sum, idf) => sum + idf, 0);
  return split.map((words) =>
    asked.reduce((sum, word, i) => {
      const count = words.filter((other) => other === word).length;
      return sum + idfs[i] / most * count / (count + 0.9 * (1 - 0.4 + 0.4 * words.length / mean));
    }, 0)
  );
}

describe("Lexicon", () => {
  it("scores as BM25 does", () => {
    // No two are inflections of one another, or one slip apart.
    const word = fc.constantFrom("aaaaaa", "bbbbbb", "cccccc", "dddddd", "eeeeee");
    const passage = fc.array(word, { maxLength: 30 }).map((words) => words.join(" "));
    fc.assert(fc.property(
      fc.array(passage, { minLength: 1, maxLength: 20 }).filter((passages) =>
        passages.some((text) => text !== "")
      ),
      fc.uniqueArray(word, { minLength: 1 }).map((words) => words.join(" ")),
      (passages, query) => {
        const expected = slowScore(passages, query);
        open(passages).score(query).forEach((score, p) => assertAlmostEquals(score, expected[p], 1e-6));
      },
    ));
  });

  it("adds to what is there", () => {
    const { lexicon } = open(["ox yoke", "ox"]);
    const scores = Float32Array.of(1, 2);
    lexicon.score([{ bytes: encoder.encode("yoke"), kind: SPACED }], scores);
    assert(scores[0] > 1);
    assertEquals(scores[1], 2);
  });

  it("counts the best of a word's kin in a passage, not their sum", () => {
    const { score } = open(["file", "files", "filing", "file files filing", "other"]);
    const [file, files, filing, all, other] = score("file");
    assert(file > files && files > 0 && filing > 0, "the word itself counts most");
    assert(all < file + files, "its kin do not add up");
    assertEquals(other, 0);
  });

  it("leaves nothing behind from one query to the next", () => {
    const { score } = open(["file files", "filing", "map"]);
    const first = score("file map");
    score("filing");
    assertEquals(score("file map"), first);
  });

  it("does not make a rare inflection of a common word weightier than the word", () => {
    const passages = [...Array.from({ length: 30 }, () => "index"), "indexing", "rare"];
    const scores = open(passages).score("index rare");
    assert(scores[30] < scores[0]);
    assert(scores[31] > scores[0]);
  });

  it("gives a word that nobody has its share, so that the rest cannot reach 1", () => {
    const passages = ["ox yoke", "bow"];
    const [both] = open(passages).score("ox yoke");
    const [one] = open(passages).score("ox zzzzzz");
    assert(one < both / 2 + 0.01);
  });

  it("finds passages by one slip and by a beginning", () => {
    const { score } = open(["memory map", "coroutine"]);
    assert(score("memroy")[0] > 0);
    assert(score("corou")[1] > 0);
    assertEquals(score("zebra"), [0, 0]);
  });

  it("finds single characters of scripts without spaces", () => {
    const { score } = open(["水道 道", "下水 水", "山"]);
    assert(score("水", ALONE).slice(0, 2).every((score) => score > 0));
    assertEquals(score("水道", PAIR)[1], 0);
  });

  it("tells the inverse frequency of words it has and has not", () => {
    const { lexicon } = open(["ox yoke", "ox", "ox bow"]);
    assertEquals(lexicon.idfOf(encoder.encode("ox")), idf(3, 3));
    assertEquals(lexicon.idfOf(encoder.encode("bow")), idf(1, 3));
    assertAlmostEquals(lexicon.idfOf(encoder.encode("none")), idf(0, 3), 1e-6);
  });
});

describe("inverseFrequency()", () => {
  it("falls with the frequency and stays above 0", () => {
    const falling = [0, 1, 2, 10, 99, 100].map((frequency) => inverseFrequency(frequency, 100));
    assertEquals(falling, falling.toSorted((a, b) => b - a));
    assert(falling.every((idf) => idf > 0));
    assertAlmostEquals(inverseFrequency(1, 10), Math.log(1 + 9.5 / 1.5), 1e-15);
  });
});
