import { Llhttp, type LlhttpEvents } from "../../../../benches/http_parser/llhttp.ts";

/** It stopped where another protocol may begin, which is no error. */
const PAUSED = /^HPE_PAUSED/;

/** What llhttp, strict, made of the bytes of a connection. */
export interface LlhttpReading {
  /** As in a case. */
  seen: string[];
  /** `HPE_…`, or empty. */
  error: string;
}

class Reader implements LlhttpEvents {
  readonly parser: Llhttp = new Llhttp(this);
  readonly seen: string[] = [];
  #url = "";
  #body = "";

  begin(): void {
    this.#url = "";
    this.#body = "";
  }

  url(start: number, length: number): void {
    this.#url += this.parser.memory.toString("latin1", start, start + length);
  }

  name(): void {}
  value(): void {}
  head(): void {}

  body(start: number, length: number): void {
    this.#body += this.parser.memory.toString("latin1", start, start + length);
  }

  end(): void {
    this.seen.push(`${this.parser.method} ${this.#url} ${this.#body}`);
  }
}

export function readByLlhttp(text: string): LlhttpReading {
  const reader = new Reader();
  const { parser, seen } = reader;
  parser.input.write(text, "latin1");
  const code = parser.execute(0, text.length);
  const error = code === 0 ? "" : parser.errorName(code);
  return { seen, error: PAUSED.test(error) ? "" : error };
}
