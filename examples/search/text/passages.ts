/**
 * Cuts a text into passages of 100 to 200 words: before the last paragraph that leaves at least 100, else
 * at the end of a line, and inside a line only where that alone is too long. The passages tile the text:
 * no byte is lost and none is in two.
 *
 * @module
 */

/** Blank lines at the end of a passage do not count. */
export const MAX_PASSAGE_BYTES = 4096;

/** Counted in half-words, for in Chinese, Japanese and Korean two characters make a word. */
const FEWEST = 2 * 100;
const MOST = 2 * 200;
/** A rest of the text with fewer than these goes to the passage before it. */
const SCRAP = 2 * 25;

/** A piece of a text: its bytes, and its 1-based lines without the blank ones at either end. */
export interface Passage {
  start: number;
  end: number;
  firstLine: number;
  lastLine: number;
}

/** The passages of valid UTF-8; none where it holds nothing but blanks. */
export function cutPassages(text: Uint8Array): Passage[] {
  const cutter = new Cutter(text);
  let line = 1;
  for (let start = 0; start < text.length; line++) {
    const found = text.indexOf(LINE_FEED, start);
    const end = found < 0 ? text.length : found + 1;
    cutter.addLine(start, end, line);
    start = end;
  }
  return cutter.finish();
}

class Cutter {
  readonly #text: Uint8Array;
  readonly #passages: Passage[] = [];
  /** The passage being collected: `firstLine` is 0 until it holds a line that is not blank. */
  #start = 0;
  #firstLine = 0;
  #lastLine = 0;
  #halfWords = 0;
  #endsBlank = false;
  /** Where its last paragraph starts, and what lies before that. */
  #paragraph = { start: 0, firstLine: 0, lineBefore: 0, halfWordsBefore: 0 };

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  addLine(start: number, end: number, line: number): void {
    const text = this.#text;
    const halfWords = countHalfWords(text, start, end);
    if (halfWords === 0 && isBlank(text, start, end)) {
      this.#endsBlank = true;
      return;
    }
    if (this.#endsBlank && this.#firstLine > 0) {
      this.#paragraph = {
        start,
        firstLine: line,
        lineBefore: this.#lastLine,
        halfWordsBefore: this.#halfWords,
      };
    }
    this.#endsBlank = false;
    while (this.#firstLine > 0 && !fits(this.#halfWords + halfWords, end - this.#start)) {
      const { halfWordsBefore, start: paragraph } = this.#paragraph;
      if (halfWordsBefore >= FEWEST && paragraph < start) this.#cutAtParagraph();
      else this.#cutAt(start);
    }
    if (!fits(halfWords, end - start)) this.#addLongLine(start, end, line);
    else this.#add(halfWords, line);
  }

  finish(): Passage[] {
    const passages = this.#passages;
    const end = this.#text.length;
    const last = passages.at(-1);
    if (last && this.#halfWords < SCRAP && end - last.start <= MAX_PASSAGE_BYTES) {
      last.end = end;
      last.lastLine = Math.max(last.lastLine, this.#lastLine);
    } else if (this.#firstLine > 0) {
      this.#cutAt(end);
    }
    return passages;
  }

  #add(halfWords: number, line: number): void {
    if (this.#firstLine === 0) this.#firstLine = line;
    this.#lastLine = line;
    this.#halfWords += halfWords;
  }

  #addLongLine(start: number, end: number, line: number): void {
    let piece = start;
    for (;;) {
      // Blanks go to the piece that they end, so that there is none of nothing else.
      const cut = afterBlanks(
        this.#text,
        cutInLine(this.#text, afterBlanks(this.#text, piece, end), end),
        end,
      );
      this.#add(countHalfWords(this.#text, piece, cut), line);
      if (cut === end) return;
      this.#cutAt(cut);
      piece = cut;
    }
  }

  #cutAt(end: number): void {
    this.#passages.push({ start: this.#start, end, firstLine: this.#firstLine, lastLine: this.#lastLine });
    this.#start = end;
    this.#firstLine = this.#halfWords = this.#paragraph.halfWordsBefore = 0;
  }

  #cutAtParagraph(): void {
    const { start, firstLine, lineBefore, halfWordsBefore } = this.#paragraph;
    const rest = this.#halfWords - halfWordsBefore;
    const lastLine = this.#lastLine;
    this.#lastLine = lineBefore;
    this.#cutAt(start);
    this.#add(rest, firstLine);
    this.#lastLine = lastLine;
  }
}

function fits(halfWords: number, bytes: number): boolean {
  return halfWords <= MOST && bytes <= MAX_PASSAGE_BYTES;
}

const LINE_FEED = 10;
const ALPHABETIC = 1;
const IDEOGRAPHIC = 2;
const CONTINUING = 3;

/** By byte, with 0 for what separates: a rough count needs no more of a character than its first byte. */
const kinds = new Uint8Array(256);
for (
  const [first, last, kind] of [
    ...["09", "AZ", "az"].map((range) => [range.charCodeAt(0), range.charCodeAt(1), ALPHABETIC]),
    [0x80, 0xbf, CONTINUING],
    [0xc0, 0xff, ALPHABETIC],
    [0xe3, 0xed, IDEOGRAPHIC],
  ]
) kinds.fill(kind, first, last + 1);

function countHalfWords(text: Uint8Array, start: number, end: number): number {
  let count = 0;
  let inWord = false;
  for (let at = start; at < end; at++) {
    const kind = kinds[text[at]];
    if (kind === ALPHABETIC) {
      if (!inWord) count += 2;
      inWord = true;
    } else if (kind !== CONTINUING) {
      count += kind === IDEOGRAPHIC ? 1 : 0;
      inWord = false;
    }
  }
  return count;
}

function isBlank(text: Uint8Array, start: number, end: number): boolean {
  return afterBlanks(text, start, end) === end;
}

function afterBlanks(text: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (text[at] === 0x20 || (text[at] >= 0x09 && text[at] <= 0x0d))) at++;
  return at;
}

/** As far from `start` as a passage goes: `end`, or the start of a word, or of a character in a long one. */
function cutInLine(text: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_PASSAGE_BYTES);
  let count = 0;
  let inWord = false;
  let lastStart = start;
  for (let at = start; at < limit; at++) {
    const kind = kinds[text[at]];
    if (kind === CONTINUING) continue;
    const begins = kind === IDEOGRAPHIC || (kind === ALPHABETIC && !inWord);
    if (begins) {
      count += kind === IDEOGRAPHIC ? 1 : 2;
      if (count > MOST) return at;
      lastStart = at;
    }
    inWord = kind === ALPHABETIC;
  }
  if (limit === end) return end;
  if (lastStart > start) return lastStart;
  let at = limit;
  while (kinds[text[at]] === CONTINUING) at--;
  return at;
}
