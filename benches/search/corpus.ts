/**
 * Text made up for the benches: words of a vocabulary by Zipf's law, in paragraphs of about 150 words, which
 * become passages. The same seed gives the same bytes.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VOCABULARY = 40_000;
const WORDS_A_PASSAGE = 150;
const PASSAGES_A_FILE = 100;
const SYLLABLES = [
  "ba",
  "co",
  "di",
  "fen",
  "gu",
  "hal",
  "ji",
  "kor",
  "lu",
  "mes",
  "no",
  "pri",
  "ra",
  "sto",
  "tu",
  "ven",
];

/** Numbers from 0 to 1: a linear congruential generator of 32 bits, enough for text. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The word of a rank: short ones first, none twice. */
export function wordOf(rank: number): string {
  let word = "";
  for (let rest = rank + SYLLABLES.length; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) {
    word += SYLLABLES[rest % SYLLABLES.length];
  }
  return word;
}

/** A rank by Zipf's law. */
export function rankOf(uniform: number): number {
  return Math.floor(VOCABULARY ** uniform) - 1;
}

/** Writes `passages` passages below `folder`, and returns how many bytes they are. */
export function writeCorpus(folder: string, passages: number): number {
  const next = random(1);
  const words = Array.from({ length: VOCABULARY }, (_, rank) => wordOf(rank));
  let bytes = 0;
  for (let first = 0; first < passages; first += PASSAGES_A_FILE) {
    const paragraphs = Array.from({ length: Math.min(PASSAGES_A_FILE, passages - first) }, () => {
      const chosen = Array.from({ length: WORDS_A_PASSAGE }, () => words[rankOf(next())]);
      return chosen.map((word, i) => i % 12 === 11 ? `${word}\n` : `${word} `).join("").trimEnd();
    });
    const text = `${paragraphs.join("\n\n")}\n`;
    const below = join(folder, String(Math.floor(first / PASSAGES_A_FILE / 100)));
    mkdirSync(below, { recursive: true });
    writeFileSync(join(below, `${first}.txt`), text);
    bytes += text.length;
  }
  return bytes;
}

/** Queries of four words each, as somebody would type them. */
export function makeQueries(count: number): string[] {
  const next = random(2);
  return Array.from(
    { length: count },
    () => Array.from({ length: 4 }, () => wordOf(rankOf(0.3 + 0.7 * next()))).join(" "),
  );
}
