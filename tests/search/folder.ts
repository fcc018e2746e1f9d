/**
 * Folders of text for the tests of the search.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder that is removed when it is disposed. */
export class TestFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "oxbow-search-"));

  /** With `files`, by path. */
  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
    for (const [path, content] of Object.entries(files)) this.write(path, content);
  }

  /** The path of a file in it. */
  at(path: string): string {
    return join(this.path, path);
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), content);
  }

  remove(path: string): void {
    rmSync(this.at(path), { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Numbers from 0 up to 1, the same for a seed on every host (mulberry32). */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

const SYLLABLES = "ba ke li mo nu ra se ti vo xu dan fer gol hin jas".split(" ");

/** `words` made-up words in lines and paragraphs, some words common and most rare. */
export function prose(words: number, random: () => number): string {
  let text = "";
  for (let i = 1; i <= words; i++) {
    const length = 1 + Math.floor(4 * random() * random());
    for (let s = 0; s <= length; s++) text += SYLLABLES[Math.floor(SYLLABLES.length * random())];
    text += i % 97 === 0 ? ".\n\n" : i % 11 === 0 ? "\n" : " ";
  }
  return text;
}
