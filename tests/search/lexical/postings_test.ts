import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { BagCollector, type Bags, MOST_COUNTED } from "../../../examples/search/lexical/bags.ts";
import { invert, revert } from "../../../examples/search/lexical/postings.ts";

type Counted = Map<number, number>;

function collect(passages: readonly number[][]): BagCollector {
  const bags = new BagCollector();
  for (const words of passages) {
    for (const word of words) bags.add(word);
    bags.close();
  }
  return bags;
}

function read({ starts, words, counts }: Bags): [number, number][][] {
  return Array.from(starts.subarray(1), (end, passage) => {
    const start = starts[passage];
    return Array.from(words.subarray(start, end), (word, i) => [word, counts[start + i]]);
  });
}

function count(words: readonly number[]): Counted {
  const counted: Counted = new Map();
  for (const word of words) counted.set(word, (counted.get(word) ?? 0) + 1);
  return counted;
}

const somePassages = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 40 }), { maxLength: 30 });

describe("BagCollector", () => {
  it("counts each word of a passage, in the order in which they come", () => {
    fc.assert(fc.property(somePassages, (passages) => {
      assertEquals(read(collect(passages)), passages.map((words) => [...count(words)]));
    }));
  });

  it("grows with the words, their numbers and the passages", () => {
    const passages = Array.from({ length: 1000 }, (_, p) => Array.from({ length: 40 }, (_, i) => 97 * p + i));
    assertEquals(read(collect(passages)), passages.map((words) => words.map((word) => [word, 1])));
  });

  it("takes several at once, and stops counting at 16 bits", () => {
    const bags = new BagCollector();
    bags.add(3, 60_000);
    bags.add(3, 5_535);
    bags.add(4, 70_000);
    bags.add(3);
    bags.close();
    assertEquals(read(bags), [[[3, MOST_COUNTED], [4, MOST_COUNTED]]]);
  });
});

describe("invert()", () => {
  it("gives each term its passages, ascending, in the order asked for", () => {
    fc.assert(fc.property(somePassages, fc.integer(), (passages, seed) => {
      const order = Uint32Array.from({ length: 31 }, (_, i) => i)
        .sort((a, b) => Math.sin(seed + a) - Math.sin(seed + b));
      const { offsets, passages: found, counts } = invert(collect(passages), order);
      order.forEach((word, term) => {
        const expected = passages.flatMap((words, p) => {
          const times = count(words).get(word);
          return times ? [[p, times]] : [];
        });
        const start = offsets[term];
        const postings = Array.from(
          found.subarray(start, offsets[term + 1]),
          (p, i) => [p, counts[start + i]],
        );
        assertEquals(postings, expected);
      });
      assertEquals(offsets[31], found.length);
    }));
  });
});

describe("revert()", () => {
  it("undoes invert(), with the words ascending", () => {
    fc.assert(fc.property(somePassages, (passages) => {
      const order = Uint32Array.from({ length: 31 }, (_, i) => i);
      const bags = revert(invert(collect(passages), order), passages.length);
      assertEquals(read(bags), passages.map((words) => [...count(words)].sort(([a], [b]) => a - b)));
    }));
  });
});
