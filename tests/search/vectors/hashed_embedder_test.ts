import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Corpus } from "../../../examples/search/vectors/embedder.ts";
import { HashedEmbedder } from "../../../examples/search/vectors/hashed_embedder.ts";
import { postingsOf, sorted, termsOf } from "../small_index.ts";
import { revert } from "../../../examples/search/lexical/postings.ts";

const encoder = new TextEncoder();

function corpusOf(passages: readonly string[]): Corpus {
  const split = passages.map((passage) => passage.split(" ").filter((word) => word !== ""));
  const words = sorted(split.flat());
  return { words: termsOf(words), bags: revert(postingsOf(words, split), passages.length) };
}

function embed(embedder: HashedEmbedder, passages: readonly string[]): Float32Array[] {
  const corpus = corpusOf(passages);
  return passages.map((_, passage) => {
    const vector = new Float32Array(embedder.dims);
    embedder.embedPassage(corpus, passage, vector);
    return vector;
  });
}

function embedQuery(
  embedder: HashedEmbedder,
  query: Readonly<Record<string, [count: number, idf: number]>>,
): Float32Array {
  const vector = new Float32Array(embedder.dims);
  const words = Object.entries(query).map(([word, [count, idf]]) => ({
    bytes: encoder.encode(word),
    count,
    idf,
  }));
  embedder.embedQuery(words, vector);
  return vector;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function fnv(text: string): number {
  let hash = 0x811c9dc5n;
  for (const byte of encoder.encode(text)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  return Number(hash);
}

function murmurMix(hash: number): number {
  let h = BigInt(hash >>> 0);
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & 0xffffffffn;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & 0xffffffffn;
  return Number(h ^ (h >> 16n));
}

/** By strings and big integers, gram by gram: the vector. */
function slowVector(words: readonly { word: string; weight: number }[], dims: number): number[] {
  const sums = new Array<number>(dims).fill(0);
  let added = 0;
  const put = (hash: number, weight: number) => {
    const mixed = murmurMix(hash);
    sums[(mixed >>> 1) % dims] += mixed % 2 === 1 ? -weight : weight;
    added += weight;
  };
  for (const { word, weight } of words) {
    put(fnv(word) ^ 0x5bd1e995, weight);
    const marked = ["\x02", ...word, "\x03"];
    for (const size of [3, 4, 5]) {
      for (let i = 0; i + size <= marked.length; i++) {
        put(fnv(marked.slice(i, i + size).join("")), 0.3 * weight);
      }
    }
  }
  const length = Math.hypot(...sums);
  const isResidue = length <= added * 2 ** -24;
  return sums.map((value) => isResidue ? 0 : value / length);
}

function assertSame(vector: Float32Array, expected: readonly number[]): void {
  vector.forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-6));
}

const someWord = fc.string({
  unit: fc.constantFrom("a", "b", "r", "é", "ж", "漢", "\u{20000}"),
  minLength: 1,
  maxLength: 12,
});
/** In one dimension what these add is zero, but for rounding. */
const CANCELLING = ["漢r\u{20000}bbж\u{20000}aa漢", "a漢abbж\u{20000}漢"];
const someDims = fc.constantFrom(1, 7, 64, 1000, 1024);

describe("HashedEmbedder", () => {
  it("embeds passages as a slow hasher of strings does", () => {
    fc.assert(
      fc.property(fc.array(someWord, { maxLength: 12 }), someDims, (words, dims) => {
        const [vector] = embed(new HashedEmbedder(dims), [words.join(" ")]);
        const weighted = [...new Set(words)].map((word) => ({
          word,
          weight: (1 + Math.log(words.filter((other) => other === word).length)) *
            Math.min(1, encoder.encode(word).length / 8),
        }));
        assertSame(vector, slowVector(weighted, dims));
      }),
      { examples: [[CANCELLING, 1]] },
    );
  });

  it("embeds queries with their inverse frequencies", () => {
    fc.assert(fc.property(
      fc.dictionary(
        someWord,
        fc.tuple(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0.1, max: 12, noNaN: true })),
      ),
      someDims,
      (query, dims) => {
        const weighted = Object.entries(query)
          .map(([word, [count, idf]]) => ({ word, weight: (1 + Math.log(count)) * idf }));
        assertSame(embedQuery(new HashedEmbedder(dims), query), slowVector(weighted, dims));
      },
    ));
  });

  it("gives vectors of length 1, and zeros for no words", () => {
    const [some, none] = embed(new HashedEmbedder(), ["an oxbow fastens an ox to its yoke", ""]);
    assertAlmostEquals(dot(some, some), 1, 1e-6);
    assert(none.every((value) => value === 0));
  });

  it("gives zeros where what the words add cancels out, in whatever order", () => {
    const [passage] = embed(new HashedEmbedder(1), [CANCELLING.join(" ")]);
    assertEquals(passage, new Float32Array(1));
    const words = ["fggfd", "egcf", "da"];
    for (const order of [words, words.toReversed()]) {
      const query = Object.fromEntries(order.map((word): [string, [number, number]] => [word, [1, 1.7]]));
      assertEquals(embedQuery(new HashedEmbedder(1), query), new Float32Array(1));
    }
  });

  it("makes a passage's vector of its own words alone", () => {
    const embedder = new HashedEmbedder();
    const [alone] = embed(embedder, ["ox bow yoke"]);
    const among = embed(embedder, ["yoke fellow", "ox bow yoke", "a cart before an ox"]);
    assertEquals(among[1], alone);
  });

  it("finds words that are spelt alike nearer than others", () => {
    const [passage, other] = embed(new HashedEmbedder(), [
      "memory mapping of large files",
      "coroutines wait for sockets",
    ]);
    const query = embedQuery(new HashedEmbedder(), { memorry: [1, 3], maped: [1, 3] });
    assert(dot(query, passage) > 0.15 + dot(query, other));
  });

  it("makes room for any number of words, short and long", () => {
    const words = Array.from({ length: 3000 }, (_, i) => `${"long".repeat(i % 15)}${i}`);
    const [vector] = embed(new HashedEmbedder(64), [words.join(" ")]);
    const weighted = words.map((word) => ({ word, weight: Math.min(1, word.length / 8) }));
    assertSame(vector, slowVector(weighted, 64));
  });

  it("gives the same bytes on every host", () => {
    const passages = ["An oxbow fastens ox and yoke", "漢字 とカ ж é é é é 水", "x ".repeat(700).trim()];
    const hash = createHash("sha256");
    for (const vector of embed(new HashedEmbedder(), passages)) hash.update(new Uint8Array(vector.buffer));
    hash.update(new Uint8Array(embedQuery(new HashedEmbedder(), { yoke: [2, 1.7], 水: [1, 0.3] }).buffer));
    assertEquals(
      hash.digest("hex"),
      "05eba04935def55dca866880fe1d77a2bc412a977e16436a704679fbe6135dd4",
    );
  });

  it("refuses dims that are none", () => {
    for (const dims of [0, -1, 1.5, NaN, 40_000]) {
      assertThrows(() => new HashedEmbedder(dims), RangeError, `dims is ${dims}`);
    }
  });
});
