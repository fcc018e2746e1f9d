import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { HttpError } from "../../../lib/net/http/error.ts";
import type { HttpLimits } from "../../../lib/net/http/limits.ts";
import { bytesOf, cut, headOf, readRequests } from "./wire.ts";

/** What is refused: a name, the bytes, the status. Every attack is followed by a request that must never be seen. */
const REFUSED: [string, string, number][] = [
  // The request line.
  ["leading space", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["no method", "/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a method that is no token", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["two spaces after the method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["two spaces after the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["tab after the method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["trailing space", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400],
  ["HTTP/0.9", "GET /\r\n\r\n", 400],
  ["no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a control byte in the target", "GET /\x1b HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a byte beyond ASCII in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400],
  ["version with two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400],
  ["version with no minor", "GET / HTTP/1\r\nHost: a\r\n\r\n", 400],
  ["another protocol", "GET / ICAP/1.0\r\nHost: a\r\n\r\n", 400],
  ["HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ["HTTP/3.1", "GET / HTTP/3.1\r\nHost: a\r\n\r\n", 505],
  ["HTTP/0.9 by name", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505],
  ["a TLS handshake", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400],
  ["five empty lines", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  // Line ends.
  ["LF alone after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400],
  ["LF alone after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400],
  ["LF alone at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400],
  ["LF alone before the request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["CR alone in the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400],
  ["CR alone in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n", 400],
  ["CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400],
  ["CR at the end with no LF", "GET / HTTP/1.1\r\nHost: a\r\n\rX", 400],
  ["a hidden field behind LF", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\nContent-Length: 5\r\n\r\n", 400],
  // Fields.
  ["space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello", 400],
  ["tab before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n", 400],
  ["a folded value", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400],
  ["a folded value by tab", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n", 400],
  ["space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400],
  ["no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400],
  ["no name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400],
  ["a name that is no token", "GET / HTTP/1.1\r\nHost: a\r\nX@Y: x\r\n\r\n", 400],
  ["a name beyond ASCII", "GET / HTTP/1.1\r\nHost: a\r\nX\xe9: x\r\n\r\n", 400],
  ["NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0Y: x\r\n\r\n", 400],
  ["NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: x\0y\r\n\r\n", 400],
  ["vertical tab before chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n\r\n", 400],
  ["DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400],
  // Host.
  ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["the same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400],
  ["two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
  ["a user in Host", "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n", 400],
  ["two hosts in one Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400],
  ["a port out of range", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400],
  ["a port alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400],
  ["an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400],
  // Targets.
  ["a target that is no path", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a file URL", "GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a URL with a user", "GET http://me:pw@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a URL with a port out of range", "GET http://a:65536/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a URL with no host", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["an asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["an authority for GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a path for CONNECT", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["no port for CONNECT", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["CONNECT", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", 501],
  // Content-Length.
  ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400],
  [
    "the same length twice",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
    400,
  ],
  ["a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello", 400],
  ["length with a plus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", 400],
  ["length below zero", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello", 400],
  ["length with a space", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\nhello", 400],
  ["length in hexadecimal", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello", 400],
  ["length with an exponent", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1e1\r\n\r\nhello", 400],
  ["length with a point", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\nhello", 400],
  ["no length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nhello", 400],
  ["length in other digits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xb2\r\n\r\nhello", 400],
  ["length that wraps 32 bits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4294967301\r\n\r\nhello", 413],
  [
    "length that wraps 64 bits",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello",
    413,
  ],
  // Transfer-Encoding.
  [
    "both",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  [
    "both, the other way round",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    400,
  ],
  [
    "identity and a length",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n",
    400,
  ],
  ["chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ["identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400],
  ["gzip alone", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400],
  ["chunked not last", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400],
  [
    "chunked twice",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  [
    "chunked in two fields",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
  ],
  [
    "chunked, then identity",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    400,
  ],
  ["xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400],
  ["chunked in quotes", 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', 400],
  [
    "chunked with a parameter",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    400,
  ],
  [
    "chunked behind U+00A0",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["nothing", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", 400],
  [
    "a comma after chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["gzip, chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501],
  [
    "gzip and chunked in two fields",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
    501,
  ],
  // Expect.
  ["an expectation that nobody knows", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417],
];

const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

const REFUSED_CHUNKS: [string, string, number][] = [
  ["no size", "\r\nhello\r\n0\r\n\r\n", 400],
  ["no size after the first chunk", "1\r\na\r\n\r\n\r\n", 400],
  ["a size that is no number", "g\r\n", 400],
  ["size with a sign", "+5\r\nhello\r\n0\r\n\r\n", 400],
  ["size below zero", "-5\r\nhello\r\n0\r\n\r\n", 400],
  ["size with 0x", "0x5\r\nhello\r\n0\r\n\r\n", 400],
  ["size with an underscore", "1_0\r\n", 400],
  ["space before the size", " 5\r\nhello\r\n0\r\n\r\n", 400],
  ["space after the size", "5 \r\nhello\r\n0\r\n\r\n", 400],
  ["a size of two words", "5 5\r\nhello\r\n0\r\n\r\n", 400],
  ["LF alone after the size", "5\nhello\r\n0\r\n\r\n", 400],
  ["CR alone after the size", "5\rhello\r\n0\r\n\r\n", 400],
  ["LF alone after the data", "5\r\nhello\n0\r\n\r\n", 400],
  ["data longer than its size", "5\r\nhello!\r\n0\r\n\r\n", 400],
  ["data shorter than its size", "6\r\nhello\r\n0\r\n\r\n", 400],
  ["LF in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", 400],
  ["CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", 400],
  ["NUL in an extension", "5;a\0\r\nhello\r\n0\r\n\r\n", 400],
  ["a size that wraps 32 bits", "100000005\r\nhello\r\n0\r\n\r\n", 413],
  ["a size that wraps 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n", 413],
  ["a size of seventeen digits", "00000000000000005\r\nhello\r\n0\r\n\r\n", 400],
  ["a trailer with no colon", "0\r\nX\r\n\r\n", 400],
  ["a trailer with no name", "0\r\n: x\r\n\r\n", 400],
  ["a folded trailer", "0\r\nX: 1\r\n 2\r\n\r\n", 400],
  ["space before a trailer's colon", "0\r\nX : 1\r\n\r\n", 400],
  ["NUL in a trailer", "0\r\nX: \0\r\n\r\n", 400],
  ["LF alone after a trailer", "0\r\nX: 1\n\r\n", 400],
  ["LF alone at the end", "0\r\n\n", 400],
  ["a request in the place of the end", "0\r\nGET / HTTP/1.1\r\n\r\n", 400],
];

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

describe("a refused request", () => {
  for (const [name, text, status] of REFUSED) {
    it(`is answered ${status}, and nothing after it is read: ${name}`, () => {
      for (const size of [1, 1000]) {
        const reading = readRequests(cut(bytesOf(text + SMUGGLED), size));
        assertEquals(reading, { requests: [], status, isIdle: false });
      }
    });
  }

  for (const [name, chunks, status] of REFUSED_CHUNKS) {
    it(`is answered ${status} for a chunked body with ${name}`, () => {
      for (const size of [1, 1000]) {
        const reading = readRequests(cut(bytesOf(CHUNKED + chunks + SMUGGLED), size));
        assertEquals([reading.requests, reading.status], [[], status]);
      }
    });
  }

  it("says what was wrong", () => {
    const message = (text: string): string => assertThrows(() => headOf(text), HttpError).message;
    assertMatch(message("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"), /white space .* before the colon/);
    assertMatch(message("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"), /folded/);
    assertMatch(message("GET / HTTP/1.1\n"), /LF alone/);
    assertMatch(message("GET /\xe9 HTTP/1.1\r\n\r\n"), /0xe9, which must be percent-encoded/);
    assertMatch(message("\x16\x03\x01"), /TLS/);
    assertMatch(message('GET / HTTP/1.1\r\nHost: a"b\r\n\r\n'), /no host: "a\\"b"/);
  });
});

describe("a request's limits", () => {
  const limits: HttpLimits = { requestLine: 40, headers: 60, headerCount: 3, body: 10 };
  const status = (text: string): number => {
    const reading = readRequests([bytesOf(text)], limits);
    assertEquals(readRequests(cut(bytesOf(text), 1), limits), reading);
    return reading.status;
  };

  it("take a request line of just that length, and refuse one byte more with 414", () => {
    const line = (length: number): string => `GET /${"a".repeat(length - 14)} HTTP/1.1\r\nHost: a\r\n\r\n`;
    assertStrictEquals(status(line(40)), 0);
    assertStrictEquals(status(line(41)), 414);
  });

  it("refuse a target or a method without end with 414", () => {
    assertStrictEquals(status(`GET /${"a".repeat(1000)}`), 414);
    assertStrictEquals(status("G".repeat(1000)), 414);
    assertStrictEquals(status("G".repeat(39)), 0);
  });

  it("take fields of just that length, and refuse one byte more with 431", () => {
    const fields = (length: number): string =>
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"v".repeat(length - 14)}\r\n\r\n`;
    assertStrictEquals(status(fields(60)), 0);
    assertStrictEquals(status(fields(61)), 431);
    assertStrictEquals(status(`GET / HTTP/1.1\r\nHost: a\r\n${"X".repeat(48)}:\r\n\r\n`), 0);
    assertStrictEquals(status(`GET / HTTP/1.1\r\nHost: a\r\n${"X".repeat(49)}:\r\n\r\n`), 431);
  });

  it("refuse a name, a value and blanks without end with 431", () => {
    for (const byte of ["X", "X: v", "X: "]) {
      assertStrictEquals(status(`GET / HTTP/1.1\r\nHost: a\r\n${byte}${byte.slice(-1).repeat(1000)}`), 431);
    }
  });

  it("take just that many fields, and refuse one more with 431", () => {
    assertStrictEquals(status("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\n\r\n"), 0);
    assertStrictEquals(status("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\n\r\n"), 431);
  });

  it("take a body of just that length, and refuse one byte more with 413", () => {
    assertStrictEquals(status(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n${"b".repeat(10)}`), 0);
    assertStrictEquals(status("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"), 413);
    assertStrictEquals(status(`${CHUNKED}4\r\nabcd\r\n6\r\nefghij\r\n0\r\n\r\n`), 0);
    assertStrictEquals(status(`${CHUNKED}4\r\nabcd\r\n7\r\n`), 413);
  });

  it("take trailers up to the limits of the header fields, and refuse more with 431", () => {
    assertStrictEquals(status(`${CHUNKED}0\r\nA:\r\nB:\r\nC:\r\n\r\n`), 0);
    assertStrictEquals(status(`${CHUNKED}0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n`), 431);
    assertStrictEquals(status(`${CHUNKED}0\r\nA: ${"v".repeat(55)}\r\n\r\n`), 0);
    assertStrictEquals(status(`${CHUNKED}0\r\nA: ${"v".repeat(56)}\r\n\r\n`), 431);
  });

  it("take 16,384 bytes of chunk extensions in a body, and refuse one more with 400", () => {
    const extended = (length: number): string => `${CHUNKED}1;${"e".repeat(length - 1)}\r\nb\r\n0\r\n\r\n`;
    assertStrictEquals(status(extended(16384)), 0);
    assertStrictEquals(status(extended(16385)), 400);
    assertStrictEquals(status(`${CHUNKED}${`1;${"e".repeat(2047)}\r\nb\r\n`.repeat(8)}0;e\r\n\r\n`), 400);
  });

  it("count each request by itself", () => {
    const request = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789";
    assertStrictEquals(status(request.repeat(5)), 0);
    const chunks = `${CHUNKED}${"1;e\r\na\r\n".repeat(10)}0\r\nT:\r\n\r\n`;
    assertStrictEquals(status(chunks.repeat(5)), 0);
  });

  it("refuse a length beyond what can be counted even where none is set", () => {
    const put = (length: string): string => `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
    const unlimited = (text: string): number => readRequests([bytesOf(text)], { body: Infinity }).status;
    assertStrictEquals(unlimited(put("9007199254740991")), 0);
    assertStrictEquals(unlimited(put("9007199254740992")), 413);
    assertStrictEquals(unlimited(`${CHUNKED}20000000000000\r\n`), 413);
  });

  it("are 8,192 bytes of request line, 16,384 of fields, 100 fields and 128 MiB of body by themselves", () => {
    const without = (text: string): number => readRequests([bytesOf(text)]).status;
    assertStrictEquals(without(`GET /${"a".repeat(8192 - 14)} HTTP/1.1\r\nHost: a\r\n\r\n`), 0);
    assertStrictEquals(without(`GET /${"a".repeat(8193 - 14)} HTTP/1.1\r\nHost: a\r\n\r\n`), 414);
    assertStrictEquals(without(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"v".repeat(16384 - 14)}\r\n\r\n`), 0);
    assertStrictEquals(without(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"v".repeat(16385 - 14)}\r\n\r\n`), 431);
    assertStrictEquals(without(`GET / HTTP/1.1\r\nHost: a\r\n${"X: 1\r\n".repeat(99)}\r\n`), 0);
    assertStrictEquals(without(`GET / HTTP/1.1\r\nHost: a\r\n${"X: 1\r\n".repeat(100)}\r\n`), 431);
    assertStrictEquals(without("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 134217728\r\n\r\n"), 0);
    assertStrictEquals(without("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 134217729\r\n\r\n"), 413);
  });
});

describe("what is close to an attack but is none", () => {
  const ACCEPTED: [string, string][] = [
    [
      "a target with every visible character but #",
      "GET /!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~ HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ["a method of one's own", "my-method! / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["four empty lines", "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["no space after the colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n"],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"],
    ["an IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n"],
    ["HTTP/1.9", "GET / HTTP/1.9\r\nHost: a\r\n\r\n"],
    ["zeros before a length", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 000\r\n\r\n"],
    ["blanks round a length", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \t0 \t\r\n\r\n"],
    ["CHUNKED", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \tCHUNKED \r\n\r\n0\r\n\r\n"],
    [
      "a field whose name only begins so",
      "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encodings: x\r\nHosts: b\r\n\r\n",
    ],
    ["an absolute target", "GET HTTP://b.example/?q HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["an asterisk for OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"],
  ];
  for (const [name, text] of ACCEPTED) {
    it(`is read: ${name}`, () => {
      const { requests, status } = readRequests([bytesOf(text + SMUGGLED)]);
      assertStrictEquals(status, 0);
      assertEquals(requests.map((request) => request.body), ["", ""]);
      assert(requests[1].target === "/smuggled");
    });
  }
});
