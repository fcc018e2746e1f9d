import { NativeUnavailableError, type Pointer, struct } from "../../../../ffi/mod.ts";
import { NativeBuffer } from "../../../../ffi/native_buffer.ts";
import type { SymbolTable } from "../../../../ffi/types.ts";
import { httpHead } from "../../../jit/assembled.ts";
import {
  AT,
  HOST,
  LONGEST_HOST,
  MOST_FIELDS,
  MOST_REMEMBERED,
  SHORTEST_HOST,
  TABLE_BYTES,
  VECTORS,
  WORD,
} from "../../../jit/http_head_table.ts";
import { openLibrary } from "../../../jit/library.ts";
import { CLASSES, TOKEN } from "./chars.ts";
import { FieldTable } from "./field_table.ts";
import type { RequestHead } from "./head.ts";

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
  readonly table: FieldTable;
  /** What the table has the address of. */
  #buffer: NativeBuffer | null = null;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #table: Pointer;
  readonly #scan: (table: Pointer, from: number, end: number) => number;

  /** @throws {NativeUnavailableError} where no machine code can be loaded. */
  constructor() {
    this.#scan = open();
    const table = new NativeBuffer(TABLE_BYTES);
    this.#bytes = table.bytes;
    this.#table = NativeBuffer.range(table, 0, TABLE_BYTES);
    this.words = new Int32Array(table.bytes.buffer);
    this.table = new FieldTable(this.words);
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
    // It has none when it was transferred away.
    if (end > bytes.length) return 0;
    words[WORD.mostFields] = mostFields < MOST_FIELDS ? mostFields : MOST_FIELDS;
    const length = this.#scan(this.#table, from, end);
    if (words[WORD.isRemembered] === 0) this.table.owner = null;
    return length;
  }

  /** Whether the last scan has met the bytes again of the head that was kept last. */
  get isSame(): boolean {
    return this.words[WORD.isRemembered] === 1;
  }

  /** Has no head be met again. */
  forget(): void {
    this.words[WORD.rememberedLength] = 0;
    this.head = null;
  }

  /** Says what was made of the last scan: the `length` bytes from `base` on of a text. */
  keep(head: RequestHead, text: string, base: number, length: number): void {
    const { words } = this;
    this.table.own(head, base);
    if (length <= MOST_REMEMBERED) {
      this.head = head;
      words[WORD.rememberedLength] = length;
    }
    if (words[WORD.isKnownHost] === 0 && head.origin !== "") {
      const first = WORD.values + 2 * HOST;
      this.#know(text.slice(base + words[first], base + words[first + 1]), head.origin);
    }
  }

  /** Has the next scans say whether they find this host. */
  #know(host: string, origin: string): void {
    if (host.length < SHORTEST_HOST || host.length > LONGEST_HOST) return;
    for (let i = 0; i < host.length; i++) this.#bytes[AT.knownHost + i] = host.charCodeAt(i);
    this.words[WORD.knownHostLength] = host.length;
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

let portable: FieldTable | undefined;

/** The one of this thread. */
export function fieldTable(): FieldTable {
  return nativeScanner()?.table ?? (portable ??= new FieldTable(new Int32Array(TABLE_BYTES / 4)));
}
