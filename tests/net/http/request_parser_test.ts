import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { HttpError } from "../../../lib/net/http/error.ts";
import type { RequestHead } from "../../../lib/net/http/parse/head.ts";
import { RequestParser } from "../../../lib/net/http/parse/parser.ts";
import { bytesOf, cut, headOf, type Reading, readRequests, type Seen, textOf } from "./wire.ts";
import { listening } from "../../host_port.ts";

const BROWSER =
  "GET /search?q=a+b&k=10 HTTP/1.1\r\nHost: localhost:7777\r\nUser-Agent: Mozilla/5.0 (X11; rv:109.0)\r\n" +
  "Accept: text/html,*/*;q=0.8\r\nAccept-Language: de,en;q=0.5\r\nConnection: keep-alive\r\nCookie: a=1; b=2\r\n\r\n";
const POSTED =
  "POST /form HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\nhello=world";
const CHUNKED = "PUT /file HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n" +
  '5\r\nhello\r\n1;a=b;c="d;e"\r\n \r\n0005 ;x\r\nworld\r\n0\r\nDigest: x\r\nX-Empty:\r\n\r\n';
const OLD = "\r\n\r\nGET / HTTP/1.0\r\n\r\n";
const LATIN1 = "OPTIONS * HTTP/1.1\r\nHost:a\r\nX-Name: \t caf\xe9 \xa0\t \r\nX-Empty:   \r\n\r\n";

/** One request as a human would read it: whole lines, no state. Knows valid requests only. */
function naive(text: string): Seen {
  const [head] = text.split("\r\n\r\n", 1);
  const rest = text.slice(head.length + 4);
  const [line, ...lines] = head.split("\r\n");
  const [method, target, version] = line.split(" ");
  const fields = new Headers();
  for (const field of lines) {
    const [name] = field.split(":", 1);
    fields.append(name, field.slice(name.length + 1).replace(/^[ \t]+|[ \t]+$/g, ""));
  }
  const isChunked = fields.has("transfer-encoding");
  let body = rest.slice(0, Number(fields.get("content-length") ?? 0));
  for (let at = 0; isChunked;) {
    const size = parseInt(rest.slice(at), 16);
    if (size === 0) break;
    const start = rest.indexOf("\r\n", at) + 2;
    body += rest.slice(start, start + size);
    at = start + size + 2;
  }
  const minor = version === "HTTP/1.0" ? 0 : 1;
  const connection = (fields.get("connection") ?? "").toLowerCase().split(", ");
  return {
    method,
    target,
    minor,
    keepAlive: minor === 1 ? !connection.includes("close") : connection.includes("keep-alive"),
    expectContinue: fields.get("expect") !== null && body !== "",
    framing: isChunked ? "chunked" : body === "" ? "none" : "length",
    fields: [...fields],
    body,
  };
}

function read(...texts: string[]): Reading {
  return readRequests(texts.map(bytesOf));
}

const token = fc.string({
  unit: fc.constantFrom(..."!#$%&'*+-.^_`|~019AZaz"),
  minLength: 1,
  maxLength: 12,
});
const target = fc.string({
  unit: fc.constantFrom(..."abzAZ09-._~%:/?@!$&'()*+,;=|\"<>[]^`{}\\"),
  maxLength: 40,
});
const value = fc.string({ unit: fc.constantFrom(...'a Z,;="()/\t:\x80\xe9\xff'), maxLength: 30 });
const blank = fc.string({ unit: fc.constantFrom(" ", "\t"), maxLength: 3 });
const payload = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});

const field = fc.record({ name: token, before: blank, value, after: blank }).map((part) =>
  `X-${part.name}:${part.before}${part.value}${part.after}\r\n`
);
const framed = fc.oneof(
  fc.constant({ fields: "", body: "" }),
  payload.map((body) => ({ fields: `Content-Length: ${body.length}\r\n`, body })),
  fc.array(payload.filter((part) => part !== ""), { maxLength: 4 }).map((parts) => ({
    fields: "TRANSFER-ENCODING: chunked\r\n",
    body: parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("") + "0\r\n\r\n",
  })),
);
const connection = fc.constantFrom(
  "",
  "Connection: close\r\n",
  "connection: Keep-Alive\r\n",
  "Connection: x, CLOSE\r\n",
);
const request = fc.record({
  method: token.filter((method) => method !== "CONNECT"),
  target,
  fields: fc.array(field, { maxLength: 6 }),
  connection,
  framed,
}).map((part) =>
  `${part.method} /${part.target} HTTP/1.1\r\nHost: h\r\n${part.fields.join("")}${part.connection}` +
  `${part.framed.fields}\r\n${part.framed.body}`
);

describe("RequestParser", () => {
  it("reads a browser's GET", () => {
    const head = headOf(BROWSER);
    assertEquals([head.method, head.target, head.minor], ["GET", "/search?q=a+b&k=10", 1]);
    assertEquals([head.keepAlive, head.framing, head.contentLength], [true, "none", 0]);
    assertEquals(head.get("accept"), "text/html,*/*;q=0.8");
    assertEquals(head.get("cookie"), "a=1; b=2");
    assertEquals(head.get("x-none"), null);
    assertEquals([...head.headers().keys()].length, 6);
  });

  it("joins fields of one name, in their order, whatever their case", () => {
    const head = headOf("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a:\r\nX-B: 2\r\nX-a: 3\r\n\r\n");
    assertEquals(head.get("x-a"), "1, , 3");
    assertEquals(head.headers().get("X-A"), "1, , 3");
  });

  it("trims SP and HTAB of a value but not U+00A0, which is a byte of its own", () => {
    const head = headOf(LATIN1);
    assertEquals(head.get("x-name"), "caf\xe9 \xa0");
    assertEquals(head.get("x-empty"), "");
  });

  it("gives the same for a request cut in two anywhere, and for one that comes a byte at a time", () => {
    for (const text of [BROWSER, POSTED, CHUNKED, OLD, LATIN1, BROWSER + POSTED + CHUNKED + OLD + BROWSER]) {
      const whole = read(text);
      assertStrictEquals(whole.status, 0);
      assert(whole.isIdle);
      for (let at = 1; at < text.length; at++) assertEquals(read(text.slice(0, at), text.slice(at)), whole);
      for (const size of [1, 2, 3, 7]) assertEquals(readRequests(cut(bytesOf(text), size)), whole);
    }
  });

  it("reads whatever valid requests there are as a naive reader does, however they are cut", () => {
    fc.assert(fc.property(
      fc.array(request, { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 }),
      (texts, sizes) => {
        const bytes = bytesOf(texts.join(""));
        const pieces: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length];
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        assertEquals(readRequests(pieces), { requests: texts.map(naive), status: 0, isIdle: true });
      },
    ));
  });

  it("never gives but an HttpError for bytes at random, and the same however they are cut", () => {
    const noise = fc.array(
      fc.oneof(
        fc.constantFrom(
          "GET ",
          "/",
          " HTTP/1.1",
          "\r\n",
          "\r\n\r\n",
          "Host: a\r\n",
          "\n",
          "\r",
          ":",
          " ",
          "\t",
          "\0",
        ),
        fc.constantFrom(
          "Content-Length: 3\r\n",
          "Transfer-Encoding: chunked\r\n",
          "3\r\nabc\r\n",
          "0\r\n\r\n",
        ),
        fc.string({ maxLength: 5 }),
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(noise, fc.integer({ min: 1, max: 5 }), (parts, size) => {
        const bytes = bytesOf(parts.join(""));
        assertEquals(readRequests(cut(bytes, size)), readRequests([bytes]));
      }),
      { numRuns: 1000 },
    );
  });

  it("copies no byte more than a few times, though sixteen thousand come twenty at a time", () => {
    const long = bytesOf(`GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${"v".repeat(16000)}\r\n\r\n`);
    const parser = new RequestParser();
    const set = Uint8Array.prototype.set;
    let copied = 0;
    Object.defineProperty(Uint8Array.prototype, "set", {
      configurable: true,
      value(this: Uint8Array, from: Uint8Array, at?: number): void {
        copied += from.length;
        set.call(this, from, at);
      },
    });
    try {
      let at = 0;
      for (; at + 20 < long.length; at += 20) {
        parser.feed(long, at, at + 20);
        assertStrictEquals(parser.next(), undefined);
      }
      parser.feed(long, at);
      assertStrictEquals(parser.next()?.get("x-long")?.length, 16000);
    } finally {
      Reflect.deleteProperty(Uint8Array.prototype, "set");
    }
    assert(copied >= long.length && copied < 4 * long.length);
  });

  it("tells a connection that ends between requests from one that is cut off", () => {
    assert(read("").isIdle);
    assert(read("\r\n").isIdle);
    assert(read(BROWSER).isIdle);
    assert(read(CHUNKED).isIdle);
    for (const text of [BROWSER, POSTED, CHUNKED]) assert(!read(text.slice(0, -1)).isIdle);
  });

  it("gives views of the fed bytes and no copies", () => {
    const parser = new RequestParser();
    const bytes = bytesOf(POSTED);
    parser.feed(bytes);
    parser.next();
    const part = parser.read();
    assert(part instanceof Uint8Array);
    assertStrictEquals(part.buffer, bytes.buffer);
    assertEquals(textOf(part), "hello=world");
    assertStrictEquals(parser.read(), null);
    assertStrictEquals(parser.read(), null);
    assertStrictEquals(parser.next(), undefined);
  });

  it("keeps what was not read when it is told that the fed bytes go", () => {
    const parser = new RequestParser();
    const bytes = bytesOf(POSTED + BROWSER);
    parser.feed(bytes);
    parser.next();
    assert(parser.hasBytes);
    parser.keep();
    bytes.fill(0);
    const part = parser.read();
    assert(part instanceof Uint8Array);
    assertEquals(textOf(part), "hello=world");
    assertStrictEquals(parser.read(), null);
    assertStrictEquals(parser.next()?.get("accept-language"), "de,en;q=0.5");
    assert(!parser.hasBytes);
  });

  it("takes more bytes while some are left", () => {
    const parser = new RequestParser();
    parser.feed(bytesOf(POSTED.slice(0, 30)));
    parser.feed(bytesOf(POSTED.slice(30, -4)));
    parser.feed(bytesOf(POSTED.slice(-4) + BROWSER.slice(0, 9)));
    assertStrictEquals(parser.next()?.target, "/form");
    const part = parser.read();
    assert(part instanceof Uint8Array);
    assertEquals(textOf(part), "hello=world");
    assertStrictEquals(parser.read(), null);
    assertStrictEquals(parser.next(), undefined);
    parser.feed(bytesOf(BROWSER.slice(9)));
    assertStrictEquals(parser.next()?.method, "GET");
  });

  it("refuses to go on to the next head before the body is read", () => {
    const parser = new RequestParser();
    parser.feed(bytesOf(POSTED));
    parser.next();
    assertThrows(() => parser.next(), Error, "before the body of the last request was read");
  });

  it("stays failed once it failed", () => {
    const parser = new RequestParser();
    parser.feed(bytesOf("GET / HTTP/1.1\r\n\r\n"));
    const error = assertThrows(() => parser.next(), HttpError, "without a Host field");
    parser.feed(bytesOf(BROWSER));
    assertStrictEquals(assertThrows(() => parser.next(), HttpError), error);
    assertStrictEquals(assertThrows(() => parser.read(), HttpError), error);
  });

  it("keeps a connection alive by version and Connection", () => {
    const alive = (version: string, fields: string): boolean =>
      headOf(`GET / HTTP/${version}\r\nHost: a\r\n${fields}\r\n`).keepAlive;
    assert(alive("1.1", ""));
    assert(alive("1.1", "Connection: keep-alive\r\n"));
    assert(alive("1.1", "Connection: upgrade\r\n"));
    assert(!alive("1.1", "Connection: close\r\n"));
    assert(!alive("1.1", "Connection: \tClose , x\r\n"));
    assert(!alive("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
    assert(alive("1.1", "Connection: closed\r\n"));
    assert(!alive("1.0", ""));
    assert(alive("1.0", "Connection: Keep-Alive\r\n"));
    assert(!alive("1.0", "Connection: keep-alive, close\r\n"));
    assert(alive("1.7", ""));
  });

  it("waits with 100-continue only where a body comes and the client knows of it", () => {
    const waits = (version: string, fields: string): boolean =>
      headOf(`PUT / HTTP/${version}\r\nHost: a\r\nExpect: 100-Continue\r\n${fields}\r\n`).expectContinue;
    assert(waits("1.1", "Content-Length: 1\r\n"));
    assert(waits("1.1", "Transfer-Encoding: chunked\r\n"));
    assert(!waits("1.1", ""));
    assert(!waits("1.1", "Content-Length: 0\r\n"));
    assert(!waits("1.0", "Content-Length: 1\r\n"));
  });

  it("refuses limits that are no numbers of bytes", () => {
    assertThrows(() => new RequestParser({ headers: -1 }), RangeError, "limits.headers");
    assertThrows(() => new RequestParser({ body: NaN }), RangeError, "limits.body");
  });
});

describe("what fetch sends", () => {
  const server = createServer((socket) => {
    const parser = new RequestParser();
    let head: RequestHead | undefined;
    let body = "";
    socket.on("data", (data: Uint8Array) => {
      parser.feed(data);
      head ??= parser.next();
      if (head === undefined) return;
      let part = parser.read();
      for (; part instanceof Uint8Array; part = parser.read()) body += textOf(part);
      if (part === undefined) return;
      const seen = JSON.stringify([head.method, head.target, head.get("x-a"), head.framing, body]);
      socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${seen.length}\r\n\r\n${seen}`);
    });
  });
  let origin = "";

  before(async () => {
    origin = `http://127.0.0.1:${await listening(server)}`;
  });

  after(() => {
    server.close();
  });

  it("is read: a GET, a POST with a length, a PUT in chunks", async () => {
    const get = await fetch(`${origin}/a%20b?c=d#e`, { headers: { "x-a": "1; 2" } });
    assertEquals(await get.json(), ["GET", "/a%20b?c=d", "1; 2", "none", ""]);
    const post = await fetch(`${origin}/`, { method: "POST", body: "x".repeat(100000) });
    assertEquals(await post.json(), ["POST", "/", null, "length", "x".repeat(100000)]);
    const parts = ["hello, ", "", "world", "!".repeat(70000)];
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => {
        const part = parts.shift();
        if (part === undefined) controller.close();
        else controller.enqueue(bytesOf(part));
      },
    });
    const init: RequestInit & { duplex: "half" } = { method: "PUT", body: stream, duplex: "half" };
    const put = await fetch(`${origin}/p`, init);
    assertEquals(await put.json(), ["PUT", "/p", null, "chunked", `hello, world${"!".repeat(70000)}`]);
  });
});
