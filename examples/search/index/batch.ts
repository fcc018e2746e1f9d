/**
 * Reads files that follow one another in the order of their paths, cuts them into passages and counts their words:
 * what of indexing can be done on any thread, for it hangs on those files alone. The words of a batch have numbers of
 * their own; who takes the batch in gives each of them the index's, once, so that most of the work is done here.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { readFile, type Skip, toText } from "../files/read_text.ts";
import type { FoundFile } from "../files/walk.ts";
import { BagCollector, type Bags } from "../lexical/bags.ts";
import type { WordBytes } from "../lexical/terms.ts";
import { Vocabulary } from "../lexical/vocabulary.ts";
import { cutPassages } from "../text/passages.ts";
import { WordReader } from "../text/words.ts";

/** In bytes and files: what is worth a job, and does not keep many waiting. */
const BATCH_BYTES = 4 * 2 ** 20;
const BATCH_FILES = 512;

/** A file to read, and the digest that it had in the index before, where it was there. */
export interface AskedFile extends FoundFile {
  readonly digest: Uint8Array | undefined;
}

/** What became of a file: its text is new, or its bytes are as they were; or why it is not text. */
export type Outcome = "new" | "same" | Skip;

/** One file of a batch, and where the batch has what is its own. */
export interface ReadFile {
  readonly outcome: Outcome;
  /** SHA-256 of its bytes; empty for what is skipped. */
  readonly digest: Uint8Array;
  /** Bytes that were read. */
  readonly bytes: number;
  /** Where its text ends in the batch's, and its passages among the batch's: those of the file before are the starts. */
  readonly textEnd: number;
  readonly passageEnd: number;
}

/** Files that were read, their text one after another, and their passages from 0 up. */
export interface Batch {
  readonly files: readonly ReadFile[];
  readonly text: Uint8Array;
  /** Of each passage: its bytes, its first line and its last, and how many words it has. */
  readonly bytes: Uint32Array;
  readonly lines: Uint32Array;
  readonly lengths: Uint32Array;
  readonly words: WordBytes;
  readonly bags: Bags;
}

/** Files that follow one another, in pieces that are worth a job. */
export function* batchesOf(files: readonly AskedFile[]): Generator<AskedFile[]> {
  let batch: AskedFile[] = [];
  let bytes = 0;
  for (const file of files) {
    batch.push(file);
    bytes += file.size;
    if (bytes < BATCH_BYTES && batch.length < BATCH_FILES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Reads the files below `folder`. A file that cannot be read is one that is skipped. */
export function readBatch(folder: string, files: readonly AskedFile[]): Batch {
  const reading = new Reading();
  return reading.finish(files.map((file) => reading.read(folder, file)));
}

class Reading {
  readonly #texts: Uint8Array[] = [];
  #textEnd = 0;
  readonly #bytes: number[] = [];
  readonly #lines: number[] = [];
  readonly #lengths: number[] = [];
  readonly #vocabulary = new Vocabulary();
  readonly #bags = new BagCollector();
  readonly #words = new WordReader();

  read(folder: string, file: AskedFile): ReadFile {
    const bytes = readFile(join(folder, file.path), file);
    if (typeof bytes === "string") return this.#ended(bytes, new Uint8Array(), 0);
    const digest = new Uint8Array(createHash("sha256").update(bytes).digest());
    if (file.digest !== undefined && equalBytes(digest, file.digest)) return this.#ended("same", digest, 0);
    const text = toText(bytes);
    if (text === undefined) return this.#ended("binary", digest, 0);
    this.#add(text);
    return this.#ended("new", digest, bytes.length);
  }

  /** Nothing is kept of a text that is blank. */
  #add(text: Uint8Array): void {
    const passages = cutPassages(text);
    const words = this.#words;
    for (const { start, end, firstLine, lastLine } of passages) {
      let length = 0;
      words.reset(text, start, end);
      while (words.next()) {
        this.#bags.add(this.#vocabulary.add(words.bytes, 0, words.length, words.hash));
        length++;
      }
      this.#bags.close();
      this.#bytes.push(end - start);
      this.#lines.push(firstLine, lastLine);
      this.#lengths.push(length);
    }
    if (passages.length === 0) return;
    this.#texts.push(text);
    this.#textEnd += text.length;
  }

  #ended(outcome: Outcome, digest: Uint8Array, bytes: number): ReadFile {
    return { outcome, digest, bytes, textEnd: this.#textEnd, passageEnd: this.#bytes.length };
  }

  finish(files: readonly ReadFile[]): Batch {
    const text = new Uint8Array(this.#textEnd);
    let end = 0;
    for (const piece of this.#texts) {
      text.set(piece, end);
      end += piece.length;
    }
    const { bytes, offsets } = this.#vocabulary;
    const { starts, words, counts } = this.#bags;
    return {
      files,
      text,
      bytes: Uint32Array.from(this.#bytes),
      lines: Uint32Array.from(this.#lines),
      lengths: Uint32Array.from(this.#lengths),
      // Copies, for a view that goes to another thread takes all of its buffer along.
      words: { bytes: bytes.slice(), offsets: offsets.slice() },
      bags: { starts: starts.slice(), words: words.slice(), counts: counts.slice() },
    };
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}
