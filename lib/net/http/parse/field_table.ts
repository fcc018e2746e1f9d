import { LINE, WORD } from "../../../jit/http_head_table.ts";
import type { HeadFields } from "./head_fields.ts";
import { isCallDear } from "./latin1.ts";

/** Lines that are cut out of the bytes one by one. */
const DIRECT = isCallDear ? 1 : 0;

/**
 * Where the fields of one head lie in its text: of the one that the machine code has found last. Heads keep no such
 * positions of their own, for most are asked at once or never, and the others have a text to find them in again.
 * Names and values are kept as strings by their lines' places: where the machine code meets a line again, nothing is
 * cut out.
 */
export class FieldTable {
  /** What the machine code has found, as {@linkcode WORD} says. */
  readonly #words: Int32Array;
  /** Whether the last head that was found had so much read of it that its text was worth the decoding. */
  isAsked = false;
  /** What was read last: the names and values of the lines that are marked so. */
  #read: readonly string[] = [];
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** The names and values, in turn. */
  read(fields: HeadFields): readonly string[] {
    const words = this.#words;
    const start = words[WORD.fieldsStart];
    const count = words[WORD.fields];
    const last = this.#read;
    let unread = 0;
    for (let i = 0; i < count; i++) unread += words[WORD.lines + i] & LINE.isRead ? 0 : 1;
    this.isAsked = unread > DIRECT;
    if (this.isAsked) fields.open();
    const read: string[] = [];
    for (let i = 0; i < count; i++) {
      if (words[WORD.lines + i] & LINE.isRead) {
        read.push(last[2 * i], last[2 * i + 1]);
        continue;
      }
      const at = WORD.spans + 4 * i;
      read.push(
        fields.cut(words[at] - start, words[at + 1] - start),
        fields.cut(words[at + 2] - start, words[at + 3] - start),
      );
      words[WORD.lines + i] |= LINE.isRead;
    }
    return this.#read = read;
  }

  /** The value of the field `name` (in lower case), several joined by `", "`; null where there is none. */
  get(fields: HeadFields, name: string): string | null {
    const words = this.#words;
    const start = words[WORD.fieldsStart];
    const end = WORD.spans + 4 * words[WORD.fields];
    let joined: string | null = null;
    for (let at: number = WORD.spans; at < end; at += 4) {
      if (words[at + 1] - words[at] !== name.length) continue;
      if (fields.cut(words[at] - start, words[at + 1] - start).toLowerCase() !== name) continue;
      const value = fields.cut(words[at + 2] - start, words[at + 3] - start);
      joined = joined === null ? value : `${joined}, ${value}`;
    }
    return joined;
  }
}
