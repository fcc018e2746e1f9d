/**
 * Claim: our request parser takes at most half the time of llhttp, compiled to WebAssembly as undici ships it.
 *
 * Both read the same bytes from where they lie, llhttp from its own memory, as if they had been received there,
 * and both are asked for the same twice over: the method, the target and every field's name and value as strings;
 * and the method and the target alone, as a handler does that looks at no field. The same request may
 * come again and again, as from a load generator; with another target each time and the same fields, as clients
 * send that keep a connection; with another last field as well; or with the fields in another order each time. Ours
 * knows heads, fields and lines again that stand where they stood in the head before, so that the last of these,
 * where no line does, is what heads of many clients cost it.
 *
 * Ours makes the method and the target at once, and cuts out fields as they are asked for; llhttp's callbacks for
 * names and values do nothing where no field is looked at. llhttp's spans are cut out of one string, which is made
 * once a call: a string decoded for each span costs it more.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { NativeBuffer } from "../ffi/native_buffer.ts";
import { RequestParser } from "../lib/net/http/parse/parser.ts";
import { compare, type Contender, equals, timed } from "./compare.ts";
import { Llhttp, type LlhttpEvents } from "./http_parser/llhttp.ts";

/** Requests of one kind that differ, in as many bytes. */
const OTHERS = 64;
const LINES = 'sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"\r\nUpgrade-Insecure-Requests: 1\r\n' +
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
  "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n" +
  "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n";
const DATA = "x".repeat(1024);

/** A request whose target has a number, and whose last field has another. */
type Request = (target: number, field: number) => string;

function wrk(target: number, field: number): string {
  return `GET /${target} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nX-Id: ${field}\r\n\r\n`;
}

function browser(target: number, field: number): string {
  return `GET /search?q=memory+maps&k=10&page=${target} HTTP/1.1\r\nHost: www.example.com\r\n` +
    `Connection: keep-alive\r\n${LINES}Cookie: session=4f1d2a9b7c${field}; theme=dark\r\n\r\n`;
}

function post(target: number, field: number): string {
  return `POST /form/${target} HTTP/1.1\r\nHost: www.example.com\r\nContent-Type: application/octet-stream\r\n` +
    `Content-Length: 1024\r\nX-Request-Id: ${field}\r\n\r\n${DATA}`;
}

function chunked(target: number, field: number): string {
  return `POST /stream/${target} HTTP/1.1\r\nHost: www.example.com\r\nTransfer-Encoding: chunked\r\n` +
    `X-Request-Id: ${field}\r\n\r\n${`100\r\n${"x".repeat(256)}\r\n`.repeat(4)}0\r\n\r\n`;
}

/** What is read: one of the texts in each `run`, in pieces of so many bytes, or as a whole where `piece` is 0. */
interface Input {
  readonly name: string;
  readonly texts: readonly string[];
  readonly requests: number;
  readonly piece: number;
}

/** The request with its fields moved round by so many, so that none stands where it stood in the one before. */
function turned(text: string, by: number): string {
  const end = text.indexOf("\r\n\r\n");
  const [line, ...fields] = text.slice(0, end).split("\r\n");
  const first = by % fields.length;
  return [line, ...fields.slice(first), ...fields.slice(0, first)].join("\r\n") + text.slice(end);
}

function input(name: string, request: Request, requests = 1, piece = 0): Input[] {
  // Numbers of as many digits, no two in a row the same.
  const texts = (of: (i: number) => string): string[] =>
    Array.from(
      { length: OTHERS },
      (_, i) => Array.from({ length: requests }, (_, j) => of(1000 + i * requests + j)).join(""),
    );
  return [
    { name: `${name}, the same again`, texts: [request(1000, 1000).repeat(requests)], requests, piece },
    { name: `${name}, of another target`, texts: texts((i) => request(i, 1000)), requests, piece },
    { name: `${name}, with another field as well`, texts: texts((i) => request(i, i)), requests, piece },
    { name: `${name}, in another order`, texts: texts((i) => turned(request(i, i), i)), requests, piece },
  ];
}

const INPUTS: readonly Input[] = [
  ...input("a GET with two fields", wrk),
  ...input(`a browser's GET of ${browser(1000, 1000).length} bytes`, browser),
  ...input("POST with 1 KiB", post),
  ...input("POST with 4 chunks of 256 bytes", chunked),
  ...input("16 such GETs, pipelined", wrk, 16),
  ...input("a browser's GET, byte by byte", browser, 1, 1),
];

/** What a contender saw, in one number that both sides come to alike. */
function ours({ texts, piece }: Input, withFields: boolean): () => number {
  const received = new NativeBuffer(texts.length * texts[0].length);
  received.bytes.set(Buffer.from(texts.join(""), "latin1"));
  const { length } = texts[0];
  const parser = new RequestParser();
  const step = piece === 0 ? length : piece;
  let start = 0;
  return () => {
    let seen = 0;
    let isOpen = false;
    for (let at = start; at < start + length; at += step) {
      parser.feed(received, at, at + step);
      for (;;) {
        if (!isOpen) {
          const head = parser.next();
          if (head === undefined) break;
          seen += head.method.length + head.target.length;
          if (withFields) {
            const fields = head.rawFields();
            for (let i = 0; i < fields.length; i++) seen += fields[i].length;
          }
          isOpen = true;
        }
        const part = parser.read();
        if (part === undefined) break;
        if (part === null) isOpen = false;
        else seen += part.length;
      }
    }
    start = (start + length) % received.bytes.length;
    return seen;
  };
}

class Collector implements LlhttpEvents {
  readonly parser: Llhttp = new Llhttp(this);
  readonly #withFields: boolean;
  seen = 0;
  text = "";
  /** Where `text` begins in the memory. */
  base = 0;
  #url = "";
  #name = "";
  #value = "";
  #inValue = false;
  #fields: string[] = [];

  constructor(withFields: boolean) {
    this.#withFields = withFields;
  }

  begin(): void {
    this.#url = "";
    this.#name = "";
    this.#value = "";
    this.#inValue = false;
    this.#fields = [];
  }

  url(start: number, length: number): void {
    this.#url += this.#cut(start, length);
  }

  name(start: number, length: number): void {
    if (!this.#withFields) return;
    if (this.#inValue) this.#push();
    this.#name += this.#cut(start, length);
  }

  value(start: number, length: number): void {
    if (!this.#withFields) return;
    this.#inValue = true;
    this.#value += this.#cut(start, length);
  }

  head(): void {
    if (this.#inValue) this.#push();
    this.seen += this.parser.method.length + this.#url.length;
    for (let i = 0; i < this.#fields.length; i++) this.seen += this.#fields[i].length;
  }

  body(start: number, length: number): void {
    this.seen += this.parser.memory.subarray(start, start + length).length;
  }

  end(): void {}

  #cut(start: number, length: number): string {
    const from = start - this.base;
    return this.text.slice(from, from + length);
  }

  #push(): void {
    this.#fields.push(this.#name, this.#value);
    this.#name = "";
    this.#value = "";
    this.#inValue = false;
  }
}

function llhttp({ texts, piece }: Input, withFields: boolean): () => number {
  const collector = new Collector(withFields);
  const { parser } = collector;
  const { input } = parser;
  const inputAt = input.byteOffset - parser.memory.byteOffset;
  const all = texts.join("");
  input.write(all, "latin1");
  const { length } = texts[0];
  const step = piece === 0 ? length : piece;
  let start = 0;
  return () => {
    collector.seen = 0;
    for (let at = start; at < start + length; at += step) {
      collector.text = input.toString("latin1", at, at + step);
      collector.base = inputAt + at;
      const error = parser.execute(at, step);
      if (error !== 0) throw new Error(`llhttp refused it: ${parser.errorName(error)}`);
    }
    start = (start + length) % all.length;
    return collector.seen;
  };
}

function contender(
  name: string,
  input: Input,
  read: () => number,
  expected: number,
  quick: boolean,
): Contender {
  return timed({
    name,
    quick,
    run: read,
    check: equals(name, expected),
    figure: (ns) => ns / input.requests,
  });
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  for (const withFields of [true, false]) {
    for (const input of INPUTS) {
      const expected = llhttp(input, withFields)();
      const contenders = [
        contender("llhttp", input, llhttp(input, withFields), expected, quick),
        contender("Oxbow", input, ours(input, withFields), expected, quick),
      ];
      await compare({
        title: `${input.name}, ${withFields ? "all fields as strings" : "no field looked at"}, a request`,
        units: ["ns"],
        baseline: "llhttp",
        contenders,
        quick,
        targets: [{ name: "Oxbow", atMost: 0.5 }],
      });
    }
  }
}
