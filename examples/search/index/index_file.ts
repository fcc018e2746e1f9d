/**
 * An index on disk: `index.safetensors` with everything in flat arrays, and beside it the passages' text,
 * one after another, in the file that its metadata names. Both are mapped; opening reads neither.
 *
 * | tensor | | |
 * |---|---|---|
 * | `matrix` | F32 [passages, dims] | the vectors |
 * | `passages.offset` | F64 [passages + 1] | where each passage's text starts |
 * | `passages.lines` | U32 [passages, 2] | first and last line in its file, from 1 |
 * | `passages.words` | U32 [passages] | how many words it has |
 * | `files.path`, `files.path_offset` | U8, U32 [files + 1] | paths below the folder, ascending |
 * | `files.digest` | U8 [files, 32] | SHA-256 |
 * | `files.passage` | U32 [files + 1] | the first passage of each file |
 * | `terms.word`, `terms.word_offset` | U8, U32 [terms + 1] | the words, ascending |
 * | `terms.backwards` | U32 [terms] | the order of the words read backwards |
 * | `terms.idf` | F32 [terms] | inverse document frequencies |
 * | `postings.offset` | U32 [terms + 1] | where each term's postings start |
 * | `postings.passage`, `postings.count` | U32, U16 | the passages of each term, and how often it is there |
 * | `embedder.*` | F32 | what the embedder keeps |
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SafeTensors, SafeTensorsError } from "../../../lib/formats/safetensors.ts";
import { Mmap } from "../../../lib/mem/mmap.ts";
import { codeOf } from "../errors.ts";
import type { Postings } from "../lexical/postings.ts";
import { Terms } from "../lexical/terms.ts";

/** Where a folder's index is, if nothing else is said. */
export const FOLDER_NAME = ".oxbow";
/** The file that is renamed last: an index is what it says. */
export const INDEX_NAME = "index.safetensors";
/** In the metadata. */
export const FORMAT = "oxbow-search";
/** Goes up with every change that an older reader would misread. */
export const VERSION = 1;
/** What the file of the passages' text is called: after what is in it. */
export const TEXT_NAME: RegExp = /^passages-[0-9a-f]{16}\.txt$/;
/** Of SHA-256. */
export const DIGEST_BYTES = 32;

/** An index that is missing, damaged, or of another version. */
export class IndexError extends Error {
  override readonly name = "IndexError";
}

/** The files of an index, in the order of their paths' bytes. */
export interface FileTable {
  /** Their paths, one after another. */
  readonly paths: Uint8Array<ArrayBuffer>;
  readonly pathOffsets: Uint32Array<ArrayBuffer>;
  /** SHA-256 of each. */
  readonly digests: Uint8Array<ArrayBuffer>;
  /** The first passage of each, and the number of passages at the end. */
  readonly passages: Uint32Array<ArrayBuffer>;
}

/** A mapped index. Its arrays must not be written to, and have length 0 once it is disposed. */
export class IndexFile implements Disposable {
  /** The embedder's name. */
  readonly embedder: string;
  /** What the text's file is called: it stands for all that is in the index. */
  readonly textName: string;
  readonly dims: number;
  readonly fileCount: number;
  readonly passageCount: number;
  /** The words of all passages together. */
  readonly wordCount: number;
  /** The passages' vectors, one after another. */
  readonly matrix: Float32Array<ArrayBuffer>;
  /** Where the text of each passage starts, and where the last one's ends. */
  readonly offsets: Float64Array<ArrayBuffer>;
  /** First and last line of each passage in turn. */
  readonly lines: Uint32Array<ArrayBuffer>;
  /** How many words each passage has. */
  readonly lengths: Uint32Array<ArrayBuffer>;
  readonly files: FileTable;
  readonly terms: Terms;
  readonly idf: Float32Array<ArrayBuffer>;
  readonly postings: Postings;

  readonly #folder: string;
  readonly #tensors: SafeTensors;
  readonly #text: Mmap;

  private constructor(folder: string, tensors: SafeTensors, text: Mmap) {
    this.#folder = folder;
    this.#tensors = tensors;
    this.#text = text;
    this.embedder = tensors.metadata.embedder;
    this.textName = tensors.metadata.text;
    this.wordCount = Number(tensors.metadata.words);
    this.lengths = this.#array("passages.words", Uint32Array);
    this.passageCount = this.lengths.length;
    this.matrix = this.#array("matrix", Float32Array);
    this.dims = this.matrix.length / this.passageCount;
    if (!Number.isInteger(this.dims)) throw damaged(folder, "its matrix is no multiple of its passages");
    this.offsets = this.#array("passages.offset", Float64Array, this.passageCount + 1);
    this.lines = this.#array("passages.lines", Uint32Array, 2 * this.passageCount);
    const passagesOfFiles = this.#array("files.passage", Uint32Array);
    this.fileCount = passagesOfFiles.length - 1;
    this.files = {
      paths: this.#array("files.path", Uint8Array),
      pathOffsets: this.#array("files.path_offset", Uint32Array, this.fileCount + 1),
      digests: this.#array("files.digest", Uint8Array, this.fileCount * DIGEST_BYTES),
      passages: passagesOfFiles,
    };
    this.idf = this.#array("terms.idf", Float32Array);
    this.terms = new Terms(
      this.#array("terms.word", Uint8Array),
      this.#array("terms.word_offset", Uint32Array, this.idf.length + 1),
      this.#array("terms.backwards", Uint32Array, this.idf.length),
    );
    const passages = this.#array("postings.passage", Uint32Array);
    this.postings = {
      offsets: this.#array("postings.offset", Uint32Array, this.idf.length + 1),
      passages,
      counts: this.#array("postings.count", Uint16Array, passages.length),
    };
    this.#checkEnd(this.offsets, text.byteLength);
    this.#checkEnd(this.files.pathOffsets, this.files.paths.length);
    this.#checkEnd(this.files.passages, this.passageCount);
    this.#checkEnd(this.terms.offsets, this.terms.bytes.length);
    this.#checkEnd(this.postings.offsets, passages.length);
  }

  /** Offsets end where what they point into ends: one look tells arrays of different runs apart. */
  #checkEnd(offsets: Float64Array | Uint32Array, length: number): void {
    if (offsets.at(-1) !== length) throw damaged(this.#folder, "its offsets do not end where its arrays do");
  }

  /**
   * Maps the index in `folder`, by some system calls whatever its size.
   *
   * @throws {IndexError} where there is none, it is damaged, or it is of another version.
   */
  static open(folder: string): IndexFile {
    for (let tries = 1;; tries++) {
      const tensors = openTensors(folder);
      try {
        const text = openText(folder, tensors.metadata);
        if (text !== undefined) return IndexFile.#over(folder, tensors, text);
        // A run that ends now removes the text of the index before it.
        if (tries === MOST_TRIES) throw damaged(folder, `${tensors.metadata.text} is missing`);
      } catch (error) {
        tensors[Symbol.dispose]();
        throw error;
      }
      tensors[Symbol.dispose]();
    }
  }

  static #over(folder: string, tensors: SafeTensors, text: Mmap): IndexFile {
    try {
      return new IndexFile(folder, tensors, text);
    } catch (error) {
      text[Symbol.dispose]();
      throw error;
    }
  }

  /** The path of a file, below the folder that was indexed. */
  path(file: number): string {
    const { paths, pathOffsets } = this.files;
    return decoder.decode(paths.subarray(pathOffsets[file], pathOffsets[file + 1]));
  }

  /** The text of the passages from `first` up to, but without, `end`. */
  text(first: number, end: number): Uint8Array<ArrayBuffer> {
    const from = this.offsets[first];
    const length = this.offsets[end] - from;
    if (!(from >= 0 && length >= 0 && from + length <= this.#text.byteLength)) {
      throw damaged(this.#folder, `passage ${first} does not lie in its text`);
    }
    return this.#text.bytes(from, length);
  }

  /** What the embedder keeps under `name`. */
  state(name: string): Float32Array<ArrayBuffer> {
    return this.#array(`embedder.${name}`, Float32Array);
  }

  /** Unmaps both files. */
  [Symbol.dispose](): void {
    this.#tensors[Symbol.dispose]();
    this.#text[Symbol.dispose]();
  }

  #array<T extends ArrayBufferView<ArrayBuffer> & { length: number }>(
    name: string,
    Type: new (length: number) => T,
    length?: number,
  ): T {
    if (!this.#tensors.has(name)) throw damaged(this.#folder, `it has no tensor ${name}`);
    const { data } = this.#tensors.tensor(name);
    if (!(data instanceof Type) || (length !== undefined && data.length !== length)) {
      throw damaged(this.#folder, `its tensor ${name} is not as long as the others say, or of another type`);
    }
    return data;
  }
}

/** The folder of the index that `folder` was indexed into, or that it is. */
export function locateIndex(folder: string): string {
  const inside = join(folder, FOLDER_NAME);
  return !existsSync(join(inside, INDEX_NAME)) && existsSync(join(folder, INDEX_NAME)) ? folder : inside;
}

const MOST_TRIES = 3;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function openTensors(folder: string): SafeTensors {
  const path = join(folder, INDEX_NAME);
  if (!existsSync(path)) {
    throw new IndexError(`there is no index in ${folder}: make one with \`search index\``);
  }
  let tensors: SafeTensors;
  try {
    tensors = SafeTensors.open(path);
  } catch (error) {
    if (!(error instanceof SafeTensorsError)) throw error;
    throw damaged(folder, error.message, error);
  }
  const { format, version } = tensors.metadata;
  if (format === FORMAT && version === String(VERSION)) return tensors;
  tensors[Symbol.dispose]();
  if (format !== FORMAT) throw new IndexError(`${path} is not a search index: name another folder`);
  const age = Number(version) > VERSION ? "a newer" : "another";
  throw new IndexError(
    `the index in ${folder} is of ${age} version (${version}; this program reads ${VERSION}): ` +
      "make it again with `search index`, or use the program that wrote it",
  );
}

/** Undefined where it is not there. */
function openText(folder: string, { text, textBytes }: Readonly<Record<string, string>>): Mmap | undefined {
  if (!TEXT_NAME.test(text)) throw damaged(folder, "it does not name its text");
  let map: Mmap;
  try {
    map = Mmap.open(join(folder, text));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  if (String(map.byteLength) === textBytes) return map;
  const found = map.byteLength;
  map[Symbol.dispose]();
  throw damaged(folder, `${text} has ${found} bytes, not ${textBytes}`);
}

function damaged(folder: string, how: string, cause?: unknown): IndexError {
  return new IndexError(`the index in ${folder} is damaged (${how}): make it again with \`search index\``, {
    cause,
  });
}
