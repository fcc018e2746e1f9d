import type { Bags } from "../lexical/bags.ts";
import type { Embedder } from "../vectors/embedder.ts";
import { indexChecksum } from "./checksum.ts";
import { DIGEST_BYTES, IndexError, IndexFile } from "./index_file.ts";
import { revert } from "../lexical/postings.ts";
import { SeenFiles } from "../files/seen_files.ts";
import type { FoundFile } from "../files/walk.ts";

/** An index that a new one can take over files from. */
export class PreviousIndex implements Disposable {
  readonly index: IndexFile;
  readonly #seen: SeenFiles;
  readonly #numbers: Map<string, number>;
  #bags: Bags | undefined;

  private constructor(index: IndexFile, seen: SeenFiles) {
    this.index = index;
    this.#seen = seen;
    this.#numbers = new Map(Array.from({ length: index.fileCount }, (_, file) => [index.path(file), file]));
  }

  /**
   * The index in `folder`, where there is a whole one, of this version, with vectors of this kind, and with
   * every byte as it was written. Reads it whole.
   */
  static open(folder: string, { name, dims }: Embedder): PreviousIndex | undefined {
    let index: IndexFile;
    try {
      index = IndexFile.open(folder);
    } catch (error) {
      if (error instanceof IndexError) return undefined;
      throw error;
    }
    const seen = SeenFiles.read(folder, index.fileCount);
    const isKind = index.embedder === name && index.dims === dims;
    if (isKind && seen?.checksum === indexChecksum(folder, index.textName)) {
      return new PreviousIndex(index, seen);
    }
    index[Symbol.dispose]();
    return undefined;
  }

  /** All passages as bags of term numbers. Costs a walk over all postings, once. */
  get bags(): Bags {
    return this.#bags ??= revert(this.index.postings, this.index.passageCount);
  }

  /** The number of the file of this path, or undefined. */
  find(path: string): number | undefined {
    return this.#numbers.get(path);
  }

  /** The number of this file, where it is seen without reading it that it is as it was. */
  findUnchanged(found: FoundFile): number | undefined {
    const file = this.find(found.path);
    return file !== undefined && this.#seen.isUnchanged(file, found) ? file : undefined;
  }

  /** SHA-256 of a file. */
  digest(file: number): Uint8Array<ArrayBuffer> {
    return this.index.files.digests.subarray(file * DIGEST_BYTES, (file + 1) * DIGEST_BYTES);
  }

  [Symbol.dispose](): void {
    this.index[Symbol.dispose]();
  }
}
