import { WORD } from "../../../jit/http_head_table.ts";
import { isBlank } from "./head_faults.ts";

const CR = 0x0d;

/**
 * Where the fields of one head lie in its text: of the head that was scanned last, or asked last. Heads keep no such
 * positions of their own, for most are asked at once or never, and the others have a text to find them in again.
 */
export class FieldTable {
  /** What the machine code has found, as {@linkcode WORD} says. */
  readonly words: Int32Array;
  /** From {@linkcode WORD}`.spans` up to `end`, four for each field, counted from `base`. */
  positions: Int32Array;
  end = 0;
  base = 0;
  /** Whose they are. */
  owner: object | null = null;

  /** `words` are the machine code's, and no positions are written beyond them. */
  constructor(words: Int32Array) {
    this.words = words;
    this.positions = words;
  }

  /** Takes the positions that the machine code has written, for a text in which its head begins at `base`. */
  own(owner: object, base: number): void {
    // It had to find them before.
    if (this.owner === owner) return;
    this.owner = owner;
    this.base = base;
    this.positions = this.words;
    this.end = WORD.spans + 4 * this.words[WORD.fields];
  }

  /** Finds the fields of `owner` in its text again: from `from` on there are fields that a scanner has checked. */
  find(owner: object, text: string, from: number): void {
    this.owner = owner;
    this.base = 0;
    let { positions } = this;
    let end: number = WORD.spans;
    for (let at = from; text.charCodeAt(at) !== CR;) {
      const nameEnd = text.indexOf(":", at);
      const lineEnd = text.indexOf("\r", nameEnd);
      let valueStart = nameEnd + 1;
      while (isBlank(text.charCodeAt(valueStart))) valueStart++;
      let valueEnd = lineEnd;
      while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
      if (end === positions.length) {
        const larger = new Int32Array(2 * end);
        larger.set(positions);
        this.positions = positions = larger;
      }
      positions[end] = at;
      positions[end + 1] = nameEnd;
      positions[end + 2] = valueStart;
      positions[end + 3] = valueEnd;
      end += 4;
      at = lineEnd + 2;
    }
    this.end = end;
  }
}
