import type { Word } from "./kin.ts";
import { TAIL, WordReader } from "./words.ts";

/** In UTF-8. */
const MAX_QUERY_BYTES = 4096;

/** A word of a query, and how often it stands there. */
export interface CountedWord extends Word {
  count: number;
}

const encoder = new TextEncoder();

/**
 * A query as it is searched for: control characters become spaces.
 *
 * @throws {RangeError} where it has no words, or more than 4,096 bytes of UTF-8.
 */
export function checkQuery(query: string): string {
  // No text is shorter in UTF-8 than in UTF-16: what is far too long is not encoded to find that out.
  if (query.length > MAX_QUERY_BYTES || encoder.encode(query).length > MAX_QUERY_BYTES) {
    throw new RangeError(`the query is longer than ${MAX_QUERY_BYTES} bytes: ask with fewer words`);
  }
  const cleaned = query.replace(/\p{Cc}+/gu, " ").trim();
  if (wordsOf(cleaned).length === 0) {
    throw new RangeError("the query has no words: write at least one, of letters or digits");
  }
  return cleaned;
}

/** The distinct words of a query, in the order in which they first come. */
export function wordsOf(query: string): CountedWord[] {
  const words = new Map<string, CountedWord>();
  const reader = new WordReader();
  reader.reset(encoder.encode(query));
  while (reader.next()) {
    if (reader.kind === TAIL) continue;
    const bytes = reader.bytes.slice(0, reader.length);
    const key = String(bytes);
    const known = words.get(key);
    if (known) known.count++;
    else words.set(key, { bytes, kind: reader.kind, count: 1 });
  }
  return [...words.values()];
}
