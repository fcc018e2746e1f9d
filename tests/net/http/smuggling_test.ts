import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { tiered } from "../../tier.ts";
import { readByOracle } from "./oracle.ts";
import { bytesOf, readRequests } from "./wire.ts";

const RUNS = tiered({ quick: 3_000, full: 100_000, soak: 1_000_000 });

/** Mostly the first, and now and then one of those that smuggling is made of. */
function mostly(right: string, ...wrong: string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 60, arbitrary: fc.constant(right) }, {
    weight: 1,
    arbitrary: fc.constantFrom(...wrong),
  });
}

const lineEnd = mostly("\r\n", "\n", "\r", "\r\r\n", "\r\n ", "\r\n\t", "\0\r\n", " \r\n");
const space = mostly(" ", "  ", "\t", "", "\x0b", "\xa0");
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("GET", "POST", "PUT", "HEAD", "OPTIONS", "X-Y!") },
  { weight: 1, arbitrary: fc.constantFrom("CONNECT", "get", "G\0T", "", "GET\r", "PRI") },
);
const target = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("/", "/a?b=c", "/%00", "//b/c", "http://b/c", "*", "/a|b") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("/a#b", "a", "http://", "http://u@b/", "/\xe9", "/ x", "b:80", ""),
  },
);
const version = mostly(
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/1.2",
  "HTTP/2.0",
  "HTTP/0.9",
  "http/1.1",
  "HTTP/1.1 ",
  "HTTP/11",
);
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("X", "Accept", "Cookie", "Connection", "Expect") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "Content-Length",
      "Transfer-Encoding",
      "transfer-encoding",
      "CONTENT-LENGTH",
      "Host",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "Content-Length ",
      " Content-Length",
      "Content_Length",
      "Transfer-Encoding\t",
      "Transfer\0Encoding",
      "Transfer-Encod\xefng",
      "",
      "X\r",
    ),
  },
);
const value = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("", "a", "close", "keep-alive", "a, b", "\xff\x80", "1", "x:y", "\t"),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "chunked",
      "5",
      "0",
      "CHUNKED",
      "identity",
      "chunked, chunked",
      "gzip, chunked",
      "b:80",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "1e+23",
      "+5",
      "-1",
      "0x5",
      "5, 5",
      "5 5",
      "\vchunked",
      "chunked\0",
      "xchunked",
      "99999999999999999999",
      "9007199254740993",
      "134217729",
      "100-continue",
      "a\rb",
      "a\nContent-Length: 5",
      '"chunked"',
      ",chunked",
    ),
  },
);
const colon = mostly(":", " :", "", "::", "\t:");
const blank = fc.constantFrom("", " ", "\t", "  ");
const field = fc.tuple(name, colon, blank, value, blank, lineEnd).map((parts) => parts.join(""));

const size = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom("5", "05", "005") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "-5",
      "+5",
      "0x5",
      "6",
      "4",
      " 5",
      "5 ",
      "ffffffffffffffff",
      "10000000000000005",
      "g",
    ),
  },
);
const extension = mostly(
  "",
  ";a",
  ";a=b",
  ' ; a = "b;\\"c"',
  ";",
  ";a=",
  ";a b",
  ';a="b',
  ";\r",
  ";a\n",
  ";=",
  '; "a"',
  ";a=b;;c",
);
const chunk = fc.tuple(
  size,
  extension,
  lineEnd,
  fc.constantFrom("hello", "\r\n0\r\n", "GET /", "0\r\n\r\n"),
  lineEnd,
)
  .map((parts) => parts.join(""));
const trailer = fc.oneof({ weight: 3, arbitrary: fc.constant("") }, { weight: 1, arbitrary: field });
const chunks = fc.tuple(
  fc.array(chunk, { maxLength: 3 }),
  mostly("0", "00", "", "0;a", "0 "),
  lineEnd,
  trailer,
  lineEnd,
)
  .map(([parts, ...rest]) => parts.join("") + rest.join(""));

const framed = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ field: "", body: "" }) },
  { weight: 2, arbitrary: fc.constant({ field: "Content-Length: 5\r\n", body: "hello" }) },
  { weight: 4, arbitrary: chunks.map((body) => ({ field: "Transfer-Encoding: chunked\r\n", body })) },
  { weight: 1, arbitrary: chunks.map((body) => ({ field: "", body })) },
);
const host = mostly(
  "Host: a\r\n",
  "",
  "Host: a\r\nHost: a\r\n",
  "Host: a/b\r\n",
  "Host: u@a\r\n",
  "Host :a\r\n",
  "host:\r\n",
);
const request = fc.record({
  before: mostly("", "\r\n", "\r\n\r\n", "\n", "\r", " ", "\r\n\r\n\r\n\r\n\r\n"),
  line: fc.tuple(method, space, target, space, version, lineEnd).map((parts) => parts.join("")),
  host,
  fields: fc.array(field, { maxLength: 3 }),
  framed,
  end: lineEnd,
}).map((part) =>
  part.before + part.line + part.host + part.fields.join("") + part.framed.field + part.end + part.framed.body
);

/** One byte put in, taken out or changed, where `kind` says so. */
interface Mutation {
  readonly kind: "none" | "insert" | "delete" | "replace";
  readonly at: number;
  readonly char: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom<Mutation["kind"][]>("none", "none", "none", "insert", "delete", "replace"),
  at: fc.nat(),
  char: fc.oneof(
    fc.constantFrom("\r", "\n", "\0", " ", "\t", ":", ";", ",", "0", "\x7f", "\x80"),
    fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  ),
});

function mutate(text: string, { kind, at, char }: Mutation): string {
  if (kind === "none" || text === "") return text;
  const place = at % text.length;
  const from = kind === "insert" ? place : place + 1;
  return text.slice(0, place) + (kind === "delete" ? "" : char) + text.slice(from);
}

const connection = fc.tuple(fc.array(request, { minLength: 1, maxLength: 3 }), mutation)
  .map(([texts, change]) => mutate(texts.join(""), change));

function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]) {
    parts.push(bytes.subarray(at, at + sizes[i % sizes.length]));
  }
  return parts;
}

describe("a parser under hostile bytes", () => {
  it("sees what a naive reader of the RFC's grammar sees, and refuses where that does, however they are cut", () => {
    const ends = { idle: 0, cut: 0, refused: 0 };
    let requests = 0;
    fc.assert(
      fc.property(
        connection,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }),
        (text, sizes) => {
          const { seen, end } = readByOracle(text);
          ends[end]++;
          requests += seen.length;
          const bytes = bytesOf(text);
          const whole = readRequests([bytes]);
          assertEquals(readRequests(pieces(bytes, sizes)), whole);
          assertEquals(whole.requests.map((part) => `${part.method} ${part.target} ${part.body}`), seen);
          if (end === "refused") assert(whole.status >= 400, "the naive reader refuses it");
          if (end === "idle") assertEquals([whole.status, whole.isIdle], [0, true]);
          if (end === "cut") assert(whole.status !== 0 || !whole.isIdle, "the naive reader wants more");
        },
      ),
      { numRuns: RUNS },
    );
    // It is worth nothing where hardly anything is read, or hardly anything refused: about RUNS / 4 and 0.9 of them are,
    // and RUNS / 14 are idle, of which chance takes at most a third.
    assert(requests > RUNS / 6, `${requests} requests`);
    assert(ends.refused > RUNS / 5 && ends.idle > RUNS / 30, JSON.stringify(ends));
  });
});
