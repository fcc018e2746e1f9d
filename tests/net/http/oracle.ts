/**
 * A reader of requests for tests, written after RFC 9112 with nothing in mind but to be clear: it has the whole
 * text, uses regular expressions, and starts at the front again for each request.
 *
 * @module
 */
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const VALUE = "[\\t\\x20-\\x7e\\x80-\\xff]*";
const QUOTED = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
const BWS = "[ \\t]*";
const EXTENSION = `${BWS};${BWS}${TOKEN}(?:${BWS}=${BWS}(?:${TOKEN}|${QUOTED}))?`;

const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21\\x22\\x24-\\x7e]+) HTTP/1\\.([0-9])$`);
const FIELD_LINE = new RegExp(`^(${TOKEN}):(${VALUE})$`);
const CHUNK_LINE = new RegExp(`^([0-9A-Fa-f]{1,16})(?:${EXTENSION})*$`);

const MOST_EMPTY_LINES = 4;
const BODY_LIMIT = 128 * 1024 * 1024;

/** The requests of a connection's bytes, and what became of the one after them. */
export interface OracleReading {
  /** Method, target and body, with a space between. */
  seen: string[];
  /** `cut`: the bytes end inside of it, so that it may be refused or waited for. */
  end: "idle" | "cut" | "refused";
}

class Refused extends Error {}
class Cut extends Error {}

/** A text that is read from its front. */
class Source {
  rest: string;

  constructor(text: string) {
    this.rest = text;
  }

  take(count: number): string {
    if (this.rest.length < count) throw new Cut();
    const taken = this.rest.slice(0, count);
    this.rest = this.rest.slice(count);
    return taken;
  }

  /** A line without its end, which is CR LF. */
  line(): string {
    const end = this.rest.indexOf("\r\n");
    if (end < 0) throw new Cut();
    const line = this.take(end);
    this.take(2);
    return line;
  }
}

function check(isRight: boolean): void {
  if (!isRight) throw new Refused();
}

function fieldsOf(source: Source): [string, string][] {
  const fields: [string, string][] = [];
  for (let line = source.line(); line !== ""; line = source.line()) {
    const match = FIELD_LINE.exec(line);
    if (match === null) throw new Refused();
    fields.push([match[1].toLowerCase(), match[2].replace(/^[ \t]+|[ \t]+$/g, "")]);
  }
  return fields;
}

function membersOf(values: readonly string[]): string[] {
  return values.join(",").toLowerCase().split(",").map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""));
}

function checkTarget(method: string, target: string): void {
  check(method !== "CONNECT");
  if (target.startsWith("/")) return;
  if (target === "*") {
    check(method === "OPTIONS");
  } else {
    const match = /^https?:\/\/([^/?\\]+)(?:[/?].*)?$/i.exec(target);
    check(match !== null && !match[1].includes("@") && URL.canParse(target));
  }
}

function checkHost(values: readonly string[], minor: number): void {
  check(values.length === 1 || (values.length === 0 && minor === 0));
  for (const host of values) {
    check(host === "" || (/^[\w\-.~!$&'()*+,;=%:[\]]+$/.test(host) && URL.canParse(`http://${host}`)));
  }
}

function chunkedBody(source: Source): string {
  for (let body = "";;) {
    const match = CHUNK_LINE.exec(source.line());
    if (match === null) throw new Refused();
    const size = parseInt(match[1], 16);
    check(body.length + size <= BODY_LIMIT);
    if (size === 0) {
      fieldsOf(source);
      return body;
    }
    body += source.take(size);
    check(source.take(2) === "\r\n");
  }
}

function request(source: Source): string {
  const match = REQUEST_LINE.exec(source.line());
  if (match === null) throw new Refused();
  const [, method, target] = match;
  const minor = match[3] === "0" ? 0 : 1;
  const fields = fieldsOf(source);
  const valuesOf = (name: string): string[] => fields.filter(([n]) => n === name).map(([, value]) => value);
  checkTarget(method, target);
  checkHost(valuesOf("host"), minor);
  const lengths = valuesOf("content-length");
  const codings = valuesOf("transfer-encoding");
  check(
    lengths.length <= 1 && lengths.every((length) => /^[0-9]+$/.test(length) && Number(length) <= BODY_LIMIT),
  );
  if (codings.length > 0) {
    check(minor === 1 && lengths.length === 0 && membersOf(codings).join() === "chunked");
  }
  const expectations = valuesOf("expect");
  if (minor === 1 && expectations.length > 0) {
    check(membersOf(expectations).every((expectation) => expectation === "100-continue"));
  }
  const body = codings.length > 0 ? chunkedBody(source) : source.take(Number(lengths[0] ?? 0));
  return `${method} ${target} ${body}`;
}

/** Reads the requests of a connection whose bytes the characters of `text` stand for. */
export function readByOracle(text: string): OracleReading {
  const source = new Source(text);
  const seen: string[] = [];
  try {
    for (;;) {
      let emptyLines = 0;
      while (source.rest.startsWith("\r\n")) {
        source.take(2);
        check(++emptyLines <= MOST_EMPTY_LINES);
      }
      if (source.rest === "") return { seen, end: "idle" };
      seen.push(request(source));
    }
  } catch (error) {
    if (error instanceof Refused) return { seen, end: "refused" };
    if (error instanceof Cut) return { seen, end: "cut" };
    throw error;
  }
}
