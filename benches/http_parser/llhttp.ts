import { Buffer } from "node:buffer";
import { createRequire } from "node:module";

/** The parser of node:http, compiled to WebAssembly, as undici ships it. */
const require = createRequire(import.meta.url);
const binary: Uint8Array<ArrayBuffer> = require("undici/lib/llhttp/llhttp_simd-wasm.js");
const { METHODS }: { METHODS: Record<string, number> } = require("undici/lib/llhttp/constants.js");
const METHOD_NAMES: string[] = [];
for (const [name, code] of Object.entries(METHODS)) METHOD_NAMES[code] = name;

const REQUEST = 1;
const PAUSED_UPGRADE = 22;
const INPUT_BYTES = 1 << 19;

/** Not every host's types know it. */
declare const WebAssembly: {
  Module: new (binary: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
};

type Call = (...numbers: number[]) => number;

function isCall(value: unknown): value is Call {
  return typeof value === "function";
}

function isMemory(value: unknown): value is { readonly buffer: ArrayBuffer } {
  return typeof value === "object" && value !== null && "buffer" in value;
}

/** What hears of a request's parts. Each part of `url`, `name` and `value` may come in pieces. */
export interface LlhttpEvents {
  begin(): void;
  url(start: number, length: number): void;
  name(start: number, length: number): void;
  value(start: number, length: number): void;
  head(keepAlive: boolean): void;
  body(start: number, length: number): void;
  end(): void;
}

/** One llhttp that reads requests, strictly, with an instance and an input area of its own. */
export class Llhttp {
  /** Where {@linkcode execute} reads: what is parsed is put here first. */
  readonly input: Buffer;
  /** The whole memory, to which the positions of the events refer. */
  readonly memory: Buffer;
  readonly #parser: number;
  readonly #inputAt: number;
  readonly #execute: Call;
  readonly #method: Call;
  readonly #exports: Record<string, unknown>;

  constructor(events: LlhttpEvents) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), {
      env: {
        wasm_on_message_begin: () => (events.begin(), 0),
        wasm_on_url: (_: number, start: number, length: number) => (events.url(start, length), 0),
        wasm_on_status: () => 0,
        wasm_on_header_field: (_: number, start: number, length: number) => (events.name(start, length), 0),
        wasm_on_header_value: (_: number, start: number, length: number) => (events.value(start, length), 0),
        wasm_on_headers_complete: (_: number, _status: number, _upgrade: number, keepAlive: number) => (
          events.head(keepAlive === 1), 0
        ),
        wasm_on_body: (_: number, start: number, length: number) => (events.body(start, length), 0),
        wasm_on_message_complete: () => (events.end(), 0),
      },
    });
    this.#exports = instance.exports;
    this.#parser = this.#call("llhttp_alloc")(REQUEST);
    this.#inputAt = this.#call("malloc")(INPUT_BYTES);
    this.#execute = this.#call("llhttp_execute");
    this.#method = this.#call("llhttp_get_method");
    const { memory } = instance.exports;
    if (!isMemory(memory)) throw new Error("llhttp exports no memory");
    this.memory = Buffer.from(memory.buffer);
    this.input = this.memory.subarray(this.#inputAt, this.#inputAt + INPUT_BYTES);
  }

  #call(name: string): Call {
    const value = this.#exports[name];
    if (!isCall(value)) throw new Error(`llhttp exports no ${name}`);
    return value;
  }

  /** Parses `length` bytes of the input from `start` on. Returns llhttp's error, 0 where there is none. */
  execute(start: number, length: number): number {
    return this.#execute(this.#parser, this.#inputAt + start, length);
  }

  /** Says that no more bytes come. */
  finish(): number {
    return this.#call("llhttp_finish")(this.#parser);
  }

  /** The name of the method of the request whose head was read last. */
  get method(): string {
    return METHOD_NAMES[this.#method(this.#parser)];
  }

  get minor(): number {
    return this.#call("llhttp_get_http_minor")(this.#parser);
  }

  /** The C string that an error is named by. */
  errorName(code: number): string {
    if (code === PAUSED_UPGRADE) return "HPE_PAUSED_UPGRADE";
    const at = this.#call("llhttp_errno_name")(code);
    return this.memory.toString("latin1", at, this.memory.indexOf(0, at));
  }
}
