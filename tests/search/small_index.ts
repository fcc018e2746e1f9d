/**
 * The arrays of an index of few words, made the plain way.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { ln } from "../../examples/search/logarithm.ts";
import type { Postings } from "../../examples/search/lexical/postings.ts";
import { Terms } from "../../examples/search/lexical/terms.ts";

const encoder = new TextEncoder();

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(encoder.encode(a), encoder.encode(b));
}

function backwards(word: string): Uint8Array {
  return encoder.encode(word).toReversed();
}

/** The distinct words, in the order of their bytes. */
export function sorted(words: readonly string[]): string[] {
  return [...new Set(words)].sort(compareUtf8);
}

/** Terms of distinct, sorted words. */
export function termsOf(words: readonly string[]): Terms {
  const encoded = words.map((word) => encoder.encode(word));
  const offsets = Uint32Array.from([0, ...encoded.map(({ length }) => length)]);
  for (let i = 1; i < offsets.length; i++) offsets[i] += offsets[i - 1];
  const order = words.map((_, term) => term)
    .sort((a, b) => Buffer.compare(backwards(words[a]), backwards(words[b])));
  return new Terms(Uint8Array.from(encoded.flatMap((word) => [...word])), offsets, Uint32Array.from(order));
}

/** The postings of `words` in `passages`. */
export function postingsOf(words: readonly string[], passages: readonly (readonly string[])[]): Postings {
  const lists = words.map((word) =>
    passages.flatMap((passage, p) => {
      const count = passage.filter((other) => other === word).length;
      return count > 0 ? [{ p, count }] : [];
    })
  );
  const offsets = Uint32Array.from([0, ...lists.map(({ length }) => length)]);
  for (let i = 1; i < offsets.length; i++) offsets[i] += offsets[i - 1];
  return {
    offsets,
    passages: Uint32Array.from(lists.flat(), ({ p }) => p),
    counts: Uint16Array.from(lists.flat(), ({ count }) => count),
  };
}

/** Inverse document frequency, by its formula. */
export function idf(frequency: number, passages: number): number {
  return Math.fround(ln(1 + (passages - frequency + 0.5) / (frequency + 0.5)));
}
