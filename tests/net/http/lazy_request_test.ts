import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { adoptGlobals } from "../../../lib/net/http/adopt.ts";
import { type BodySource, LazyRequest } from "../../../lib/net/http/request.ts";
import { bytesOf, headOf, textOf } from "./wire.ts";
import { listening } from "../../host_port.ts";

const LOCAL = "http://127.0.0.1:7";

/** A body in parts, and how often it was asked for one. */
class Parts implements BodySource {
  asked = 0;
  #parts: Uint8Array<ArrayBuffer>[];

  constructor(...parts: string[]) {
    this.#parts = parts.map(bytesOf);
  }

  read(): Uint8Array<ArrayBuffer> | null | Promise<Uint8Array<ArrayBuffer>> {
    this.asked++;
    const part = this.#parts.shift();
    if (part === undefined) return null;
    return this.asked % 2 === 0 ? part : Promise.resolve(part);
  }
}

function get(targetAndFields = "/ HTTP/1.1\r\nHost: a\r\n"): LazyRequest {
  return new LazyRequest(headOf(`GET ${targetAndFields}\r\n`), LOCAL, new Parts());
}

function post(source: BodySource, type = "text/plain"): LazyRequest {
  const head =
    `POST /p?q HTTP/1.1\r\nHost: a.example\r\nContent-Type: ${type}\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n`;
  return new LazyRequest(headOf(head), LOCAL, source);
}

function urlOf(targetAndFields: string): string {
  return get(targetAndFields).url;
}

describe("LazyRequest", () => {
  it("is a Request to instanceof and to a function that wants one", () => {
    const path = (request: Request): string => new URL(request.url).pathname;
    assert(get() instanceof Request);
    assertStrictEquals(path(get("/a/b?c HTTP/1.1\r\nHost: a\r\n")), "/a/b");
    assertStrictEquals(Object.prototype.toString.call(get()), "[object Request]");
  });

  it("tells method and headers as they came", () => {
    const request = get("/ HTTP/1.1\r\nHost: a\r\nX-Name: caf\xe9\r\nX-A: 1\r\nx-a: 2\r\n");
    assertStrictEquals(request.method, "GET");
    assertStrictEquals(request.headers.get("x-name"), "caf\xe9");
    assertStrictEquals(request.headers.get("X-A"), "1, 2");
    assert(request.headers instanceof Headers);
    assertStrictEquals(request.headers, request.headers);
  });

  it("tells the URL of each form of target", () => {
    assertStrictEquals(urlOf("/a?b=c HTTP/1.1\r\nHost: Example.COM:80\r\n"), "http://example.com/a?b=c");
    assertStrictEquals(urlOf("/a HTTP/1.1\r\nHost: [::1]:8000\r\n"), "http://[::1]:8000/a");
    assertStrictEquals(urlOf("//b/c HTTP/1.1\r\nHost: a\r\n"), "http://a//b/c");
    assertStrictEquals(
      urlOf("http://B.example:8080/x?y HTTP/1.1\r\nHost: a\r\n"),
      "http://b.example:8080/x?y",
    );
    assertStrictEquals(urlOf("http://b?y HTTP/1.1\r\nHost: a\r\n"), "http://b/?y");
    assertStrictEquals(urlOf("/a HTTP/1.0\r\n"), `${LOCAL}/a`);
    assertStrictEquals(urlOf("/a HTTP/1.1\r\nHost:\r\n"), `${LOCAL}/a`);
    const options = new LazyRequest(headOf("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), LOCAL, new Parts());
    assertStrictEquals(options.url, "http://a/");
  });

  it("tells the URL as the URL parser does, whatever the path and the query", () => {
    const unit = fc.constantFrom(..."ab/.%2eE?&=\"'<>\\^`{|}~!$()*+,;:@[]".split(""), "/..", "%2E", "/.");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 20 }), (rest) => {
        assertStrictEquals(urlOf(`/${rest} HTTP/1.1\r\nHost: a\r\n`), new URL(`http://a/${rest}`).href);
      }),
      { examples: [["%2e"], ["a/%2E%2e/b"], ["a/.%2e/b"], ["a/./b"], ["a/b/.."], ["a?'"]] },
    );
  });

  it("reads its body once, in every way", async () => {
    assertStrictEquals(await post(new Parts("caf\xc3", "\xa9")).text(), "café");
    assertEquals(await post(new Parts('{"a":', "[1]}")).json(), { a: [1] });
    assertStrictEquals(textOf(await post(new Parts("a\0", "\xff")).bytes()), "a\0\xff");
    const buffer = await post(new Parts("abc", "d")).arrayBuffer();
    assertStrictEquals(textOf(new Uint8Array(buffer)), "abcd");
    const blob = await post(new Parts("ab", "c"), "image/png").blob();
    assertEquals([blob.type, await blob.text()], ["image/png", "abc"]);
    const form = await post(new Parts("a=1&b=%C3", "%A9"), "application/x-www-form-urlencoded").formData();
    assertEquals([form.get("a"), form.get("b")], ["1", "é"]);
    const multipart = '--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n--x--\r\n';
    assertStrictEquals(
      (await post(new Parts(multipart), "multipart/form-data; boundary=x").formData()).get("f"),
      "v",
    );
  });

  it("reads bodies longer than the client announced room for, and exactly as long", async () => {
    const parts = Array.from({ length: 40 }, (_, i) => String.fromCharCode(i).repeat(200));
    assertStrictEquals(textOf(await post(new Parts(...parts)).bytes()), parts.join(""));
    const head = headOf("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    const many = Array.from({ length: 500 }, () => "x".repeat(200));
    const bytes = await new LazyRequest(head, LOCAL, new Parts(...many)).bytes();
    assertEquals([bytes.length, bytes.buffer.byteLength], [100000, 100000]);
  });

  it("is used up by the first read", async () => {
    const request = post(new Parts("a"));
    assert(!request.bodyUsed);
    const text = request.text();
    assert(request.bodyUsed);
    await assertRejects(() => request.text(), TypeError, "read already");
    assertStrictEquals(await text, "a");
    assert(request.body?.locked);
    assertThrows(() => request.clone(), TypeError);
  });

  it("fails as its source does, and with a SyntaxError for what is no JSON", async () => {
    const broken = post({ read: () => Promise.reject(new Error("cut off")) });
    await assertRejects(() => broken.text(), Error, "cut off");
    await assertRejects(() => post(new Parts("{")).json(), SyntaxError);
    const stream = post({ read: () => Promise.reject(new Error("cut off")) }).body;
    await assertRejects(async () => await stream?.getReader().read(), Error, "cut off");
  });

  it("gives its body as a stream that is read no faster than it is taken", async () => {
    const source = new Parts("ab", "c");
    const request = post(source);
    const reader = request.body?.getReader();
    assertStrictEquals(request.body, request.body);
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals([request.bodyUsed, source.asked], [false, 0]);
    const first = await reader?.read();
    assertStrictEquals(source.asked, 1);
    const second = await reader?.read();
    assertEquals([first, second].map((part) => textOf(part?.value ?? bytesOf("none"))), ["ab", "c"]);
    assert((await reader?.read())?.done);
    assert(request.bodyUsed);
    await assertRejects(() => request.text(), TypeError);
  });

  it("reads as text what was looked at as a stream, but not what is locked", async () => {
    const looked = post(new Parts("ab", "c"));
    assert(looked.body instanceof ReadableStream);
    assertStrictEquals(await looked.text(), "abc");
    assert(looked.bodyUsed);
    const locked = post(new Parts("abc"));
    locked.body?.getReader();
    await assertRejects(() => locked.text(), TypeError, "read already");
  });

  it("has no body where there is none, and none for a GET whatever the client sent", async () => {
    const sent = new Parts("ignored");
    const head = headOf("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n");
    const empty = headOf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    for (const request of [new LazyRequest(head, LOCAL, sent), new LazyRequest(empty, LOCAL, sent)]) {
      assertStrictEquals(request.body, null);
      assertStrictEquals(await request.text(), "");
      assertStrictEquals((await request.bytes()).length, 0);
      assert(!request.bodyUsed);
    }
    assertStrictEquals(sent.asked, 0);
  });

  it("has a signal that is aborted when the client goes, before it was looked at or after", () => {
    const before = get();
    LazyRequest.abort(before, new Error("gone"));
    assert(before.signal.aborted);
    assertStrictEquals(String(before.signal.reason), "Error: gone");
    const request = get();
    const seen: unknown[] = [];
    request.signal.addEventListener("abort", () => seen.push(request.signal.reason));
    assert(!request.signal.aborted);
    LazyRequest.abort(request);
    assertEquals(seen.map((reason) => reason instanceof Error && reason.name), ["AbortError"]);
  });

  it("can be cloned, and both read the body", async () => {
    const request = post(new Parts("ab", "c"));
    const clone = request.clone();
    assertEquals([clone.url, clone.method, clone.headers.get("x-a")], ["http://a.example/p?q", "POST", "1"]);
    assertEquals([await clone.text(), await request.text()], ["abc", "abc"]);
    assert(request.bodyUsed);
  });

  it("hands its signal on to the host's own Request", () => {
    const request = get();
    const real = LazyRequest.materialize(request);
    LazyRequest.abort(request);
    assert(real.signal.aborted);
  });

  it("has every member that the host's Request has", () => {
    const real = new Request("http://a/");
    const request = get();
    for (const name of Object.getOwnPropertyNames(Request.prototype)) {
      if (name === "constructor") continue;
      assertStrictEquals(typeof Reflect.get(request, name), typeof Reflect.get(real, name));
    }
    assertEquals(
      [
        request.cache,
        request.credentials,
        request.integrity,
        request.keepalive,
        request.mode,
        request.redirect,
      ],
      ["default", "same-origin", "", false, "cors", "follow"],
    );
    assertEquals([request.referrer, request.referrerPolicy, request.destination], ["about:client", "", ""]);
    assertEquals([request.duplex, request.isHistoryNavigation, request.isReloadNavigation], [
      "half",
      false,
      false,
    ]);
  });
});

describe("adoptGlobals", () => {
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      response.end(
        `${request.method} ${request.url} ${request.headers["x-a"]} ${textOf(Buffer.concat(chunks))}`,
      );
    });
  });
  let origin = "";

  before(async () => {
    adoptGlobals();
    adoptGlobals();
    origin = `127.0.0.1:${await listening(server)}`;
  });

  after(() => {
    server.close();
    server.closeAllConnections();
  });

  it("lets new Request take one, with its method, its headers and its body", async () => {
    const request = post(new Parts("ab", "c"));
    const copy = new Request(request);
    assertEquals([copy.url, copy.method, copy.headers.get("x-a")], ["http://a.example/p?q", "POST", "1"]);
    assertStrictEquals(await copy.text(), "abc");
    assert(request.bodyUsed);
    const changed = new Request(post(new Parts("abc")), { headers: { "x-b": "2" } });
    assertEquals([changed.method, changed.headers.get("x-a"), changed.headers.get("x-b")], [
      "POST",
      null,
      "2",
    ]);
    assertStrictEquals(await changed.text(), "abc");
  });

  it("lets new Request take one as its options", async () => {
    const copy = new Request("http://b/", post(new Parts("abc")));
    assertEquals([copy.url, copy.method, copy.headers.get("x-a")], ["http://b/", "POST", "1"]);
    assertStrictEquals(await copy.text(), "abc");
  });

  it("lets new Request refuse one whose body was read", async () => {
    const request = post(new Parts("abc"));
    await request.text();
    assertThrows(() => new Request(request), TypeError);
  });

  it("lets fetch send one on", async () => {
    const head = `PUT /on HTTP/1.1\r\nHost: ${origin}\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n` +
      "Connection: keep-alive, x\r\nExpect: 100-continue\r\nKeep-Alive: 5\r\n\r\n";
    const response = await fetch(new LazyRequest(headOf(head), LOCAL, new Parts("ab", "c")));
    assertStrictEquals(await response.text(), "PUT /on 1 abc");
    const plain = await fetch(get(`/plain HTTP/1.1\r\nHost: ${origin}\r\nConnection: close\r\n`));
    assertStrictEquals(await plain.text(), "GET /plain undefined ");
  });

  it("leaves Request and fetch as they were for everything else", async () => {
    const request = new Request(`http://${origin}/own`, {
      method: "POST",
      body: "b",
      headers: { "x-a": "2" },
    });
    assert(request instanceof Request);
    assertStrictEquals(await (await fetch(request)).text(), "POST /own 2 b");
    assertThrows(() => new Request("no url"), TypeError);
    class Mine extends Request {}
    assert(new Mine("http://a/") instanceof Mine);
  });
});
