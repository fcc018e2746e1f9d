import { Buffer } from "node:buffer";
import { NativeUnavailableError, type Pointer, struct } from "../../../../ffi/mod.ts";
import { NativeBuffer } from "../../../../ffi/native_buffer.ts";
import type { SymbolTable } from "../../../../ffi/types.ts";
import { httpHead } from "../../../jit/assembled.ts";
import {
  AT,
  HOST,
  LONGEST_HOST,
  MOST_COPIED,
  MOST_FIELDS,
  PAGE_BYTES,
  SHORTEST_HOST,
  TABLE_BYTES,
  VECTORS,
  WORD,
} from "../../../jit/http_head_table.ts";
import { openLibrary } from "../../../jit/library.ts";
import { CLASSES, TOKEN } from "./chars.ts";
import { FieldTable } from "./field_table.ts";
import type { RequestHead } from "./head.ts";
import type { HeadFields } from "./head_fields.ts";
import { Page } from "./page.ts";

const SYMBOLS = {
  http_head: { parameters: ["pointer", "u32", "u32"], result: "u32", unchecked: true },
} as const satisfies SymbolTable;

const cell = struct({ address: "pointer" });

/** Code of ours is unloaded with its thread alone. */
function open(): (table: Pointer, from: number, end: number) => number {
  return openLibrary({ functions: { http_head: httpHead } }, SYMBOLS).symbols.http_head;
}

/**
 * Finds and checks, by one call of machine code, a head that is there as a whole and plainly right. For what is not,
 * there is `HeadScanner`, whose verdicts these are.
 */
export class NativeScanner {
  /** What the last scan has found, as {@linkcode WORD} says. */
  readonly words: Int32Array;
  /** What was said of the known host. */
  origin = "";
  /** The head that was kept last. */
  head: RequestHead | null = null;
  /** Whether the head may be met again, its fields were, and what was found last is the head's. */
  #isKept = false;
  #isMet = false;
  #isOfHead = false;
  readonly #fieldTable: FieldTable;
  /** What the table has the address of. */
  #buffer: NativeBuffer | null = null;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  /** The page that heads are copied to, and where it begins. */
  #page: Page;
  #pageAt = 0;
  readonly #table: Pointer;
  readonly #scan: (table: Pointer, from: number, end: number) => number;

  /** @throws {NativeUnavailableError} where no machine code can be loaded. */
  constructor() {
    this.#scan = open();
    const table = new NativeBuffer(TABLE_BYTES);
    this.#bytes = table.bytes;
    this.#table = NativeBuffer.range(table, 0, TABLE_BYTES);
    this.words = new Int32Array(table.bytes.buffer);
    this.#fieldTable = new FieldTable(this.words);
    this.#page = this.#newPage();
    this.words[WORD.rememberedLength] = 0;
    // No host: nothing is as long.
    this.words[WORD.knownHostLength] = -1;
    for (const [i, value] of VECTORS.entries()) {
      table.bytes.fill(value, AT.vectors + 16 * i, AT.vectors + 16 * (i + 1));
    }
    for (let i = 0; i < CLASSES.length; i++) table.bytes[AT.tokens + i] = CLASSES[i] & TOKEN;
  }

  /**
   * How many bytes of `buffer` at `from`, of those up to `end`, are a head with at most `mostFields`; else 0. `bytes`
   * are the buffer's. Where {@linkcode isSame} says so they are {@linkcode head}'s, and nothing else was found.
   */
  scan(buffer: NativeBuffer, bytes: Uint8Array, from: number, end: number, mostFields: number): number {
    const { words } = this;
    if (buffer !== this.#buffer) {
      cell.view(this.#bytes, AT.address).address = NativeBuffer.range(buffer, 0, end);
      this.#buffer = buffer;
    }
    // It has none when it was transferred away, and what was found before is no answer.
    if (end > bytes.length) {
      words[WORD.isRemembered] = 0;
      return 0;
    }
    words[WORD.mostFields] = mostFields < MOST_FIELDS ? mostFields : MOST_FIELDS;
    const length = this.#scan(this.#table, from, end);
    if (words[WORD.isRemembered] === 0) {
      this.#isMet = this.#isKept && length > 0 && words[WORD.isSameFields] !== 0;
      this.#isOfHead = false;
      // What was found is another's, which may be refused.
      if (length > 0) this.#isKept = false;
    }
    return length;
  }

  /** Whether the last scan has met the bytes again of the head that was kept last. */
  get isSame(): boolean {
    return this.words[WORD.isRemembered] === 1;
  }

  /** The fields of the head before, where the last scan has met them again and no others. */
  get same(): HeadFields | null {
    const fields = this.#isMet && this.head !== null ? this.head.fields : null;
    return fields !== null && fields.minor === this.words[WORD.minor] ? fields : null;
  }

  /** Has no head be met again, nor fields. */
  forget(): void {
    this.words[WORD.rememberedLength] = 0;
    this.#isKept = false;
  }

  /** Where the last scan has found `fields`; null where it was others. */
  tableOf(fields: HeadFields): FieldTable | null {
    return this.#isOfHead && this.head !== null && this.head.fields === fields ? this.#fieldTable : null;
  }

  /** Whether all of the head before was read. Asks once: a head that is not read ends it. */
  takeAsked(): boolean {
    const { isAsked } = this.#fieldTable;
    this.#fieldTable.isAsked = false;
    return isAsked;
  }

  /** The page that the last scan has copied its head to, of `length` bytes; null where it is too long. */
  pageOf(length: number): Page | null {
    return length > MOST_COPIED ? null : this.#page;
  }

  /** Where in its page that is. */
  get copyAt(): number {
    return this.words[WORD.room] - this.#pageAt;
  }

  /** Says what was made of the last scan, of `length` bytes: its copy stays where `isCopied`. */
  keep(head: RequestHead, length: number, isCopied: boolean): void {
    const { words } = this;
    this.head = head;
    this.#isOfHead = true;
    if (length > MOST_COPIED) return;
    this.#isKept = true;
    words[WORD.rememberedLength] = length;
    if (isCopied && (words[WORD.room] += length) + MOST_COPIED > this.#pageAt + PAGE_BYTES) this.#turn();
  }

  /** Goes on with the other page, whose text is made by now. */
  #turn(): void {
    this.#page.close(this.words[WORD.room] - this.#pageAt);
    this.words[WORD.room] = this.#pageAt = PAGE_BYTES - this.#pageAt;
    this.#page = this.#newPage();
  }

  #newPage(): Page {
    return new Page(Buffer.from(this.#bytes.buffer, AT.heads + this.#pageAt, PAGE_BYTES));
  }

  /** Has the next scans say whether they find the host of the last one again, whose head began at `at`. */
  know(bytes: Uint8Array, at: number, origin: string): void {
    const { words } = this;
    const start = words[WORD.values + 2 * HOST];
    const length = words[WORD.values + 2 * HOST + 1] - start;
    if (length < SHORTEST_HOST || length > LONGEST_HOST) return;
    for (let i = 0; i < length; i++) this.#bytes[AT.knownHost + i] = bytes[at + start + i];
    words[WORD.knownHostLength] = length;
    this.origin = origin;
  }
}

let scanner: NativeScanner | null | undefined;

/** The one of this thread; null where no machine code can be loaded. */
export function nativeScanner(): NativeScanner | null {
  if (scanner !== undefined) return scanner;
  try {
    scanner = new NativeScanner();
  } catch (error) {
    if (!(error instanceof NativeUnavailableError)) throw error;
    scanner = null;
  }
  return scanner;
}
