/**
 * Finds the words of a text that a query matched, so that whoever shows the text can mark them.
 *
 * @module
 */
import { isOneEditApart } from "./edits.ts";
import { SHORTEST_GUESSED } from "./kin.ts";
import { stem } from "./stem.ts";
import { ALONE, SPACED, TAIL, WordReader } from "./words.ts";

/** From the first UTF-16 unit of a match up to, but without, the second. */
export type Mark = [start: number, end: number];

interface Token {
  readonly word: string;
  readonly kind: number;
  readonly start: number;
  readonly end: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Where `text` has the words of `query`, ascending and apart from one another: each word itself and its
 * inflections; where it has none of those, words one slip away and words that it begins.
 */
export function markMatches(text: string, query: string): Mark[] {
  const tokens = tokensOf(text);
  const marks: Mark[] = [];
  for (const asked of tokensOf(query)) {
    if (asked.kind === ALONE) marks.push(...marksOfCharacter(asked.word, tokens));
    else if (asked.kind !== TAIL) marks.push(...marksOfWord(asked, tokens));
  }
  return joined(marks);
}

function marksOfWord({ word, kind }: Token, tokens: readonly Token[]): Mark[] {
  const root = stem(word);
  const same = (token: Token) => token.word === word || (kind === SPACED && stem(token.word) === root);
  const characters = charactersOf(word);
  const guessed = ({ word: other }: Token) =>
    other.startsWith(word) || isOneEditApart(characters, charactersOf(other));
  let found = tokens.filter(same);
  if (found.length === 0 && kind === SPACED && characters.length >= SHORTEST_GUESSED) {
    found = tokens.filter(guessed);
  }
  return found.map(({ start, end }) => [start, end]);
}

/** Of a script without spaces: it begins the pair or stands alone, wherever it is. */
function marksOfCharacter(character: string, tokens: readonly Token[]): Mark[] {
  return tokens.filter(({ word, kind }) => kind !== SPACED && word.startsWith(character))
    .map(({ start }) => [start, start + character.length]);
}

function joined(marks: Mark[]): Mark[] {
  marks.sort(([a], [b]) => a - b);
  const apart: Mark[] = [];
  for (const [start, end] of marks) {
    const last = apart.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else apart.push([start, end]);
  }
  return apart;
}

function tokensOf(text: string): Token[] {
  const bytes = encoder.encode(text);
  const units = unitsByByte(text, bytes.length);
  const reader = new WordReader();
  reader.reset(bytes);
  const tokens: Token[] = [];
  while (reader.next()) {
    tokens.push({
      word: decoder.decode(reader.bytes.subarray(0, reader.length)),
      kind: reader.kind,
      start: units[reader.start],
      end: units[reader.end],
    });
  }
  return tokens;
}

/** For the first byte of each character, and for the end, the UTF-16 unit there. */
function unitsByByte(text: string, bytes: number): Uint32Array {
  const units = new Uint32Array(bytes + 1);
  let byte = 0;
  let unit = 0;
  for (const character of text) {
    units[byte] = unit;
    const codePoint = character.codePointAt(0) ?? 0;
    byte += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    unit += character.length;
  }
  units[byte] = unit;
  return units;
}

function charactersOf(word: string): number[] {
  return Array.from(word, (character) => character.codePointAt(0) ?? 0);
}
