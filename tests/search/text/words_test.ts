import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { classOf, fold, IGNORED, LETTER, UNSPACED } from "../../../examples/search/text/unicode.ts";
import {
  ALONE,
  MAX_WORD_BYTES,
  PAIR,
  SPACED,
  TAIL,
  WordReader,
} from "../../../examples/search/text/words.ts";

interface Word {
  word: string;
  kind: number;
  /** What of the text it is. */
  source: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function read(text: string): Word[] {
  const bytes = encoder.encode(text);
  const reader = new WordReader();
  reader.reset(bytes);
  const words: Word[] = [];
  while (reader.next()) {
    words.push({
      word: decoder.decode(reader.bytes.subarray(0, reader.length)),
      kind: reader.kind,
      source: decoder.decode(bytes.subarray(reader.start, reader.end)),
    });
  }
  return words;
}

function wordsOf(text: string): string[] {
  return read(text).map(({ word }) => word);
}

function foldText(text: string): string {
  const bytes: number[] = [];
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (classOf(codePoint) === IGNORED) continue;
    for (let packed = fold(codePoint); packed !== 0; packed >>>= 8) bytes.push(packed & 0xff);
  }
  return decoder.decode(Uint8Array.from(bytes));
}

/** The same by regular expressions over strings. */
function slowWords(text: string): Word[] {
  const signs = Array.from(text, (character) => {
    const kind = classOf(character.codePointAt(0) ?? 0);
    return kind === LETTER ? "l" : kind === UNSPACED ? "u" : kind === IGNORED ? "i" : "-";
  }).join("");
  const characters = Array.from(text);
  const words: Word[] = [];
  for (const { 0: run, index } of signs.matchAll(/l[li]*|u+/g)) {
    const source = characters.slice(index, index + run.length);
    if (run.startsWith("l")) {
      words.push({ word: foldText(source.join("")), kind: SPACED, source: source.join("") });
      continue;
    }
    source.forEach((character, i) => {
      const pair = character + (source[i + 1] ?? "");
      const kind = i + 1 < source.length ? PAIR : i > 0 ? TAIL : ALONE;
      words.push({ word: pair, kind, source: pair });
    });
  }
  return words;
}

/** Characters of every class, so that they often meet. */
const characters = fc.constantFrom(
  ..."abzAZ09 \n-_'éÜßΣςжЁ漢字かカ한ไย\u0301\u00ad\u200dअा،。！Ａ\u{20000}\u{1f600}\u{10400}\ufeff\0",
);

describe("WordReader", () => {
  it("reads folded words one after another", () => {
    assertEquals(wordsOf("Hello, Wörld! It's read_file(x2)."), [
      "hello",
      "world",
      "it",
      "s",
      "read",
      "file",
      "x2",
    ]);
  });

  it("agrees with a slow reader on any text", () => {
    fc.assert(fc.property(fc.array(characters, { maxLength: 40 }), (text) => {
      assertEquals(read(text.join("")), slowWords(text.join("")));
    }));
    fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 12 }), (text) => {
      assertEquals(read(text), slowWords(text));
    }));
  });

  it("gives scripts without spaces as pairs, and the last character alone", () => {
    assertEquals(read("東京都 水").map(({ word, kind }) => [word, kind]), [
      ["東京", PAIR],
      ["京都", PAIR],
      ["都", TAIL],
      ["水", ALONE],
    ]);
  });

  it("ends a run of one script where another begins", () => {
    assertEquals(wordsOf("東京tower塔"), ["東京", "京", "tower", "塔"]);
  });

  it("drops accents that stand by themselves, and joins around soft hyphens", () => {
    assertEquals(wordsOf("cafe\u0301 soft\u00adhyphen \u0301 \u00ada"), ["cafe", "softhyphen", "a"]);
  });

  it("cuts what is too long, at a character", () => {
    assertEquals(wordsOf("x".repeat(1000)), ["x".repeat(MAX_WORD_BYTES)]);
    const [word] = wordsOf("ж".repeat(1000));
    assertEquals(word, "ж".repeat(word.length));
    assertEquals(encoder.encode(word).length <= MAX_WORD_BYTES, true);
  });

  it("stays within its bounds, and can start again", () => {
    const bytes = encoder.encode("one two 漢字 three");
    const reader = new WordReader();
    const found = (from: number, to: number) => {
      reader.reset(bytes, from, to);
      const words: string[] = [];
      while (reader.next()) words.push(decoder.decode(reader.bytes.subarray(0, reader.length)));
      return words;
    };
    assertEquals(found(0, 5), ["one", "t"]);
    assertEquals(found(8, 11), ["漢"]);
    assertEquals(found(11, 14), ["字"]);
    assertEquals(found(4, 7), ["two"]);
    assertEquals(found(3, 3), []);
  });

  it("hashes equal words alike, wherever they stand and however they are written", () => {
    const hashes = (text: string) => {
      const reader = new WordReader();
      reader.reset(encoder.encode(text));
      const hashes: number[] = [];
      while (reader.next()) hashes.push(reader.hash);
      return hashes;
    };
    const [a, b, c] = hashes("straße, STRASSE strass");
    assertEquals(a, b);
    assertEquals(a === c, false);
    assertEquals(hashes("水道水 水道")[0], hashes("水道水 水道")[3]);
  });
});
