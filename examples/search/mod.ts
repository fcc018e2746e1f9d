/**
 * Search a folder of your own text: by the words that passages share with a query, and by how near their
 * vectors are.
 *
 * `indexFolder` walks a folder, cuts its text into passages, counts their words and embeds each passage; it
 * writes a matrix and an inverted index as flat arrays into `DIR/.oxbow`. `SearchIndex` maps those files and
 * answers: one product of the queries' vectors with the matrix, fused with BM25, and of that the exact best.
 * Nothing is read before it is asked for, and any number of processes share one copy of the pages.
 *
 * The embedding is signed hashing of words and of their character n-grams; `Embedder` is the interface that
 * others stand behind. Nothing is downloaded, and nothing leaves the machine. Indexing asks Deno for
 * `--allow-read` and `--allow-write`, and both for `--allow-ffi`, to map files.
 *
 * @example
 * ```ts
 * import { indexFolder, SearchIndex } from "@oxbow/oxbow/search";
 * import { mkdtempSync, writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const folder = mkdtempSync(join(tmpdir(), "notes-"));
 * writeFileSync(join(folder, "ox.md"), "An oxbow fastens an ox to its yoke.\n");
 * const { files } = await indexFolder(folder);
 * using index = SearchIndex.open(folder);
 * const [hits] = index.search(["fastenned to a yoke"], 10);
 * console.log(files, hits[0].file, hits[0].lines); // 1 ox.md [ 1, 1 ]
 * ```
 *
 * @module
 */
export type { Bags } from "./lexical/bags.ts";
export type { Corpus, Embedder, QueryWord } from "./vectors/embedder.ts";
export { HashedEmbedder } from "./vectors/hashed_embedder.ts";
export { IndexError } from "./index/index_file.ts";
export { indexFolder, type IndexOptions, type IndexReport } from "./index/index_folder.ts";
export { type Mark, markMatches } from "./text/marks.ts";
export type { Skip } from "./files/read_text.ts";
export {
  checkQuery,
  type EmbedderOpener,
  type Hit,
  SearchIndex,
  type SearchOptions,
} from "./index/search_index.ts";
export type { WordBytes } from "./lexical/terms.ts";
