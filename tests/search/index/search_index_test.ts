import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { HashedEmbedder } from "../../../examples/search/vectors/hashed_embedder.ts";
import { IndexFile } from "../../../examples/search/index/index_file.ts";
import { indexFolder } from "../../../examples/search/index/index_folder.ts";
import { Lexicon } from "../../../examples/search/lexical/lexicon.ts";
import { checkQuery, wordsOf } from "../../../examples/search/text/query.ts";
import { type Hit, SearchIndex } from "../../../examples/search/index/search_index.ts";
import { type Backend, Blas } from "../../../lib/blas/mod.ts";
import { prose, seeded, TestFolder } from "../folder.ts";

interface Ranked {
  file: string;
  lines: [number, number];
  score: number;
}

/** A folder of made-up prose, with copies of one file, so that there are ties. */
async function library(): Promise<TestFolder> {
  const random = seeded(11);
  const files: Record<string, string> = {};
  for (let i = 0; i < 40; i++) files[`${i}.md`] = prose(100 + 40 * (i % 9), random);
  for (const copy of ["copy.md", "deep/copy.md", "zz.md"]) files[copy] = files["17.md"];
  const folder = new TestFolder(files);
  await indexFolder(folder.path);
  return folder;
}

/** Queries of words from the folder, some of them misspelt or cut off. */
function queries(folder: TestFolder, count: number): string[] {
  const random = seeded(12);
  return Array.from({ length: count }, () => {
    const words = readFileSync(folder.at(`${Math.floor(40 * random())}.md`), "utf8").match(/\w{5,}/g) ?? [];
    return Array.from({ length: 4 }, (_, i) => {
      const word = words[Math.floor(words.length * random())];
      return [word, word, word.replace(/^(..)./, "$1x"), word.slice(0, 4)][i];
    }).join(" ");
  });
}

/** Every passage scored in full, sorted, and the first `k` taken. */
function slowSearch(folder: TestFolder, query: string, k: number): Ranked[] {
  using file = IndexFile.open(folder.at(".oxbow"));
  const lexicon = new Lexicon(
    file.terms,
    file.postings,
    file.idf,
    file.lengths,
    file.wordCount / file.passageCount,
  );
  const words = wordsOf(checkQuery(query));
  const lexical = new Float32Array(file.passageCount);
  lexicon.score(words, lexical);
  const vector = new Float32Array(file.dims);
  new HashedEmbedder(file.dims).embedQuery(
    words.map((word) => ({ ...word, idf: lexicon.idfOf(word.bytes) })),
    vector,
  );
  const hits: Ranked[] = Array.from(lexical, (score, p) => {
    let cosine = 0;
    for (let i = 0; i < file.dims; i++) cosine += vector[i] * file.matrix[p * file.dims + i];
    const at = file.files.passages.findLastIndex((first) => first <= p);
    return {
      file: file.path(at),
      lines: [file.lines[2 * p], file.lines[2 * p + 1]],
      score: 0.75 * score + 0.25 * cosine,
    };
  });
  // Array.prototype.sort is stable: ties stay in the order of the passages.
  return hits.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score).slice(0, k);
}

function ranking(hits: readonly Hit[]): Ranked[] {
  return hits.map(({ file, lines, score }) => ({ file, lines, score }));
}

/** The portable product with another last bit here and there, as other backends have. */
function noisy(random: () => number): Backend {
  const portable = Blas.open({ backend: "portable" });
  return {
    name: "noisy",
    description: "portable, with errors",
    threads: 1,
    sgemm(product): void {
      portable.sgemm(product);
      for (let i = 0; i < product.c.length; i++) product.c[i] += 1e-6 * (random() - 0.5);
    },
  };
}

describe("SearchIndex.search()", () => {
  it("finds the exact best, with the scores that all passages scored in full have", async () => {
    using folder = await library();
    using index = SearchIndex.open(folder.path);
    for (const query of queries(folder, 20)) {
      for (const k of [1, 10, 1000]) {
        assertEquals(ranking(index.search([query], k)[0]), slowSearch(folder, query, k));
      }
    }
  });

  it("answers a batch as it answers each", async () => {
    using folder = await library();
    using index = SearchIndex.open(folder.path);
    const asked = queries(folder, 33);
    assertEquals(index.search(asked, 7), asked.flatMap((query) => index.search([query], 7)));
    assertEquals(index.search([], 7), []);
  });

  it("ranks alike on every backend, ties and all", async () => {
    using folder = await library();
    using index = SearchIndex.open(folder.path);
    const random = seeded(13);
    const asked = queries(folder, 12);
    const backends = [noisy(random), noisy(random), "auto", "portable"] as const;
    for (const backend of backends) {
      using blas = Blas.open({ backend });
      using other = SearchIndex.open(folder.path, { blas });
      assertEquals(other.search(asked, 10), index.search(asked, 10));
    }
  });

  it("puts ties in the order of the files", async () => {
    using folder = await library();
    using index = SearchIndex.open(folder.path);
    const [sentence] = readFileSync(folder.at("17.md"), "utf8").split("\n");
    const [hits] = index.search([sentence], 4);
    assertEquals(hits.map(({ file }) => file), ["17.md", "copy.md", "deep/copy.md", "zz.md"]);
    assertEquals(new Set(hits.map(({ score }) => score)).size, 1);
  });

  it("scores between 0 and 1", async () => {
    using folder = new TestFolder({ "a.txt": "oxbow ".repeat(150), "b.txt": "something else" });
    await indexFolder(folder.path);
    using index = SearchIndex.open(folder.path);
    const [hits] = index.search(["oxbow"]);
    assert(hits[0].score > 0.95 && hits[0].score <= 1, `${hits[0].score}`);
    assert(hits.every(({ score }) => score > 0));
  });

  it("gives the text of the lines that it names, without blank ones at the ends", async () => {
    using folder = new TestFolder({ "a.txt": "\n \n\t indented ox\r\n\r\nlast line  \n\n\n" });
    await indexFolder(folder.path);
    using index = SearchIndex.open(folder.path);
    const [[{ file, lines, text }]] = index.search(["ox"]);
    assertEquals([file, lines, text], ["a.txt", [3, 5], "\t indented ox\r\n\r\nlast line"]);
  });

  it("finds words by slips, inflections, beginnings, other cases and accents", async () => {
    using folder = new TestFolder({
      "target.txt": "Mapping the façade's memory",
      "other.txt": "coroutines wait for sockets",
      "third.txt": "an ox and a cart",
    });
    await indexFolder(folder.path);
    using index = SearchIndex.open(folder.path);
    for (const query of ["maps", "MEMROY", "facade", "FAÇADES", "memo", "mapings"]) {
      assertEquals(index.search([query])[0][0]?.file, "target.txt");
    }
  });

  it("finds text in scripts without spaces", async () => {
    using folder = new TestFolder({
      "ja.txt": "東京都の水道水を飲む。",
      "zh.txt": "北京的天氣很好",
      "ko.txt": "한국어 문장입니다",
      "th.txt": "ภาษาไทยไม่มีช่องว่าง",
    });
    await indexFolder(folder.path);
    using index = SearchIndex.open(folder.path);
    for (
      const [query, file] of [["水道", "ja.txt"], ["飲", "ja.txt"], ["天氣", "zh.txt"], ["한국", "ko.txt"], [
        "ช่อง",
        "th.txt",
      ]]
    ) {
      assertEquals(index.search([query])[0][0].file, file);
    }
  });

  it("gives nothing for words that nothing has anything of", async () => {
    using folder = new TestFolder({ "a.txt": "ox" });
    await indexFolder(folder.path, { embedder: new HashedEmbedder(32768) });
    using index = SearchIndex.open(folder.path);
    assertEquals(index.search(["zzzzzzzz"]), [[]]);
  });

  it("answers over text that has no words at all", async () => {
    using folder = new TestFolder({ "a.txt": "-----\n=====\n" });
    await indexFolder(folder.path);
    using index = SearchIndex.open(folder.path);
    assertEquals(index.search(["ox"]), [[]]);
  });

  it("weighs words and vectors as it is told", async () => {
    using folder = await library();
    const [query] = queries(folder, 1);
    using lexical = SearchIndex.open(folder.path, { weights: { lexical: 1, vector: 0 } });
    using vector = SearchIndex.open(folder.path, { weights: { lexical: 0, vector: 1 } });
    using both = SearchIndex.open(folder.path);
    const scores = (index: SearchIndex) =>
      new Map(index.search([query], 1000)[0].map(({ file, lines, score }) => [`${file}:${lines}`, score]));
    const [words, vectors] = [scores(lexical), scores(vector)];
    for (const [passage, score] of scores(both)) {
      if (vectors.has(passage)) {
        assertAlmostEquals(score, 0.75 * (words.get(passage) ?? 0) + 0.25 * (vectors.get(passage) ?? 0));
      }
    }
    assert(words.size < vectors.size);
  });

  it("refuses a k that is none, by its name", async () => {
    using folder = new TestFolder({ "a.txt": "ox", "b.txt": "ox" });
    await indexFolder(folder.path);
    using index = SearchIndex.open(folder.path);
    for (const k of [0, -1, 1.5, NaN, Infinity]) {
      assertThrows(() => index.search(["ox"], k), RangeError, `k is ${k}, not a whole number of 1 or more`);
    }
    assertEquals(index.search(["ox"], 10 ** 9)[0].length, 2);
  });

  it("refuses a query without words, and one too long, whatever else was asked", async () => {
    using folder = new TestFolder({ "a.txt": "ox" });
    await indexFolder(folder.path);
    using index = SearchIndex.open(folder.path);
    assertThrows(() => index.search(["ox", ""]), RangeError, "no words");
    assertThrows(() => index.search(["x".repeat(2 ** 20)]), RangeError, "longer than");
  });
});

describe("SearchIndex", () => {
  it("tells how many passages it holds", async () => {
    using folder = new TestFolder({ "a.txt": "ox", "b.txt": "yoke" });
    await indexFolder(folder.path);
    using index = SearchIndex.open(folder.path);
    assertEquals(index.passages, 2);
  });

  it("does small products without a library, and large ones with the best there is", async () => {
    using folder = new TestFolder({ "a.txt": "ox" });
    await indexFolder(folder.path);
    using index = SearchIndex.open(folder.path);
    assertEquals(index.backend().backend, "portable");
    using best = Blas.open();
    assertEquals(index.backend(20_000).backend, best.backend);
    assertEquals(index.backend().backend, best.backend);
    using portable = SearchIndex.open(folder.path, { blas: Blas.open({ backend: "portable" }) });
    assertEquals(portable.backend(20_000).backend, "portable");
  });

  it("cannot be used once it is disposed", async () => {
    using folder = new TestFolder({ "a.txt": "ox" });
    await indexFolder(folder.path);
    const index = SearchIndex.open(folder.path);
    index.search(["ox"]);
    index[Symbol.dispose]();
    assertThrows(() => index.search(["ox"]), Error, "the index was disposed");
  });

  it("goes on with the index that it opened when a new one is put in place", async () => {
    using folder = new TestFolder({ "a.txt": "ox" });
    await indexFolder(folder.path);
    using old = SearchIndex.open(folder.path);
    folder.write("a.txt", "yoke");
    await indexFolder(folder.path);
    using fresh = SearchIndex.open(folder.path);
    assertEquals(old.search(["ox"])[0][0].text, "ox");
    assertEquals(fresh.search(["yoke"])[0][0].text, "yoke");
  });
});
