/**
 * Claim: a search finds the passage that a query was made of at least as often as BM25 over stemmed words
 * does, SQLite's FTS5 with its porter tokenizer, on the same queries.
 *
 * A query is four words of a random passage of a real folder, two of them with one letter changed. Shown is
 * how often the passage is among the first ten: for FTS5, for hashed vectors alone, for words alone, and
 * for both fused, which is what a search does.
 *
 *     deno run -A benches/search_quality.ts [DIR] [--quick]
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { HashedEmbedder } from "../examples/search/vectors/hashed_embedder.ts";
import { IndexFile } from "../examples/search/index/index_file.ts";
import { type Hit, indexFolder, SearchIndex, type SearchOptions } from "../examples/search/mod.ts";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
const K = 10;
const DIMS = [512, 1024, 2048, 4096, 8192];
const WORDS = 4;
const MISSPELT = 2;

/** A passage that was asked for, and the words it was asked for by. */
interface Question {
  readonly passage: number;
  readonly words: readonly string[];
}

/** A passage's place and text, which tells it from all that differ. */
function keyOf({ file, lines, text }: Omit<Hit, "score">): string {
  return JSON.stringify([file, lines, text]);
}

/** Every passage of an index: its text, and what a hit on it is known by. */
function readPassages(out: string): { text: string; key: string }[] {
  using file = IndexFile.open(out);
  const decoder = new TextDecoder();
  const passages = [];
  for (let at = 0; at < file.fileCount; at++) {
    for (let p = file.files.passages[at]; p < file.files.passages[at + 1]; p++) {
      const text = decoder.decode(file.text(p, p + 1)).replace(/^(?:[ \t\r\v\f]*\n)+|[ \t-\r]+$/g, "");
      const lines: [number, number] = [file.lines[2 * p], file.lines[2 * p + 1]];
      passages.push({ text, key: keyOf({ file: file.path(at), lines, text }) });
    }
  }
  return passages;
}

/** mulberry32: the same numbers for a seed on every host. */
function seeded(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return Math.floor(((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}

function misspell(word: string, random: (below: number) => number): string {
  const at = random(word.length);
  const letter = (word.charCodeAt(at) - 97 + 1 + random(25)) % 26;
  return word.slice(0, at) + String.fromCharCode(97 + letter) + word.slice(at + 1);
}

function ask(passages: readonly { text: string }[], count: number): Question[] {
  const random = seeded(1);
  const asked = new Set<number>();
  const questions: Question[] = [];
  for (let tries = 0; questions.length < count && tries < 100 * count; tries++) {
    const passage = random(passages.length);
    const words = [...new Set(passages[passage].text.toLowerCase().match(/\b[a-z]{4,}\b/g))];
    if (asked.has(passage) || words.length < WORDS) continue;
    asked.add(passage);
    const picked = Array.from({ length: WORDS }, () => words.splice(random(words.length), 1)[0]);
    questions.push({ passage, words: picked.map((word, i) => i < MISSPELT ? misspell(word, random) : word) });
  }
  return questions;
}

/** Among the first ten of FTS5's BM25. */
function fts5(passages: readonly { text: string }[], questions: readonly Question[]): number {
  using database = new DatabaseSync(":memory:");
  database.exec("CREATE VIRTUAL TABLE passage USING fts5(text, tokenize = 'porter'); BEGIN");
  const insert = database.prepare("INSERT INTO passage (rowid, text) VALUES (?, ?)");
  passages.forEach(({ text }, i) => insert.run(i, text));
  database.exec("COMMIT");
  const select = database.prepare(
    `SELECT rowid FROM passage WHERE passage MATCH ? ORDER BY bm25(passage) LIMIT ${K}`,
  );
  return share(
    questions,
    ({ passage, words }) =>
      select.all(words.map((word) => `"${word}"`).join(" OR ")).some(({ rowid }) => rowid === passage),
  );
}

function ours(
  out: string,
  passages: readonly { key: string }[],
  questions: readonly Question[],
  options: SearchOptions,
): number {
  using index = SearchIndex.open(out, options);
  const answers = index.search(questions.map(({ words }) => words.join(" ")), K);
  return share(questions, ({ passage }, i) => answers[i].some((hit) => keyOf(hit) === passages[passage].key));
}

function share(questions: readonly Question[], isFound: (question: Question, i: number) => boolean): number {
  return questions.filter(isFound).length / questions.length;
}

/** Prints the table, and throws where the claim does not hold. */
export async function run(
  { quick, folder = REPOSITORY }: { quick: boolean; folder?: string },
): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "oxbow-quality-"));
  try {
    const out = join(work, "index");
    const { files, passages: count } = await indexFolder(folder, { out });
    const passages = readPassages(out);
    const questions = ask(passages, quick ? 100 : 500);
    console.log(`${questions.length} of ${count} passages of ${files} files; found among the first ${K}:`);
    const baseline = fts5(passages, questions);
    print("BM25, porter (FTS5)", baseline);
    for (const dims of quick ? DIMS.slice(0, 2) : DIMS) {
      const hashed = join(work, `hashed-${dims}`);
      await indexFolder(folder, { out: hashed, embedder: new HashedEmbedder(dims) });
      print(
        `hashed vectors, ${dims}`,
        ours(hashed, passages, questions, { weights: { lexical: 0, vector: 1 } }),
      );
      rmSync(hashed, { recursive: true });
    }
    print("words", ours(out, passages, questions, { weights: { lexical: 1, vector: 0 } }));
    const fused = ours(out, passages, questions, {});
    print("fused", fused);
    if (fused < baseline) throw new Error(`fused ${fused} is less than FTS5's ${baseline}: the claim fails`);
  } finally {
    rmSync(work, { recursive: true });
  }
}

function print(name: string, share: number): void {
  console.log(`  ${name.padEnd(24)}${share.toFixed(3)}`);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false } },
  });
  await run({ quick: values.quick, folder: positionals[0] });
}
