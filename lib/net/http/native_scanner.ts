import { NativeUnavailableError, type Pointer } from "../../../ffi/mod.ts";
import { NativeBuffer } from "../../../ffi/native_buffer.ts";
import type { SymbolTable } from "../../../ffi/types.ts";
import { httpHead } from "../../jit/assembled.ts";
import {
  AT,
  HOST,
  LONGEST_HOST,
  MOST_FIELDS,
  TABLE_BYTES,
  VECTORS,
  WORD,
} from "../../jit/http_head_table.ts";
import { openLibrary } from "../../jit/library.ts";
import { CLASSES, TOKEN } from "./chars.ts";
import type { RequestHead } from "./head.ts";

const SYMBOLS = {
  http_head: { parameters: ["pointer", "pointer", "u32", "u32"], result: "u32", unchecked: true },
} as const satisfies SymbolTable;

/** Code of ours is unloaded with its thread alone. */
function open(): (table: Pointer, bytes: Pointer, from: number, end: number) => number {
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
  readonly #bytes: Uint8Array;
  readonly #table: Pointer;
  readonly #scan: (table: Pointer, bytes: Pointer, from: number, end: number) => number;

  /** @throws {NativeUnavailableError} where no machine code can be loaded. */
  constructor() {
    this.#scan = open();
    const table = new NativeBuffer(TABLE_BYTES);
    this.#bytes = table.bytes;
    this.#table = NativeBuffer.range(table, 0, TABLE_BYTES);
    this.words = new Int32Array(table.bytes.buffer);
    // No host: nothing is as long.
    this.words[WORD.knownHostLength] = -1;
    for (const [i, value] of VECTORS.entries()) {
      table.bytes.fill(value, AT.vectors + 16 * i, AT.vectors + 16 * (i + 1));
    }
    for (let i = 0; i < CLASSES.length; i++) table.bytes[AT.tokens + i] = CLASSES[i] & TOKEN;
  }

  /** How many bytes of `buffer` at `from`, of those up to `end`, are a head with at most `mostFields`; else 0. */
  scan(buffer: NativeBuffer, from: number, end: number, mostFields: number): number {
    this.words[WORD.mostFields] = mostFields < MOST_FIELDS ? mostFields : MOST_FIELDS;
    return this.#scan(this.#table, NativeBuffer.range(buffer, 0, end), from, end);
  }

  /** The four positions of each field that the last scan has found, counted from `base` on. */
  spans(base: number): number[] {
    const { words } = this;
    const end = WORD.spans + 4 * words[WORD.fields];
    const spans: number[] = [];
    for (let i = WORD.spans; i < end; i++) spans.push(base + words[i]);
    return spans;
  }

  /** Has the next scans say whether they find the host again that the head of the last one has. */
  know(head: RequestHead): void {
    const { words } = this;
    const start = words[WORD.values + 2 * HOST];
    const length = words[WORD.values + 2 * HOST + 1] - start;
    if (head.origin === "" || length > LONGEST_HOST) return;
    const host = head.get("host") ?? "";
    for (let i = 0; i < length; i++) this.#bytes[AT.knownHost + i] = host.charCodeAt(i);
    words[WORD.knownHostLength] = length;
    this.origin = head.origin;
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
