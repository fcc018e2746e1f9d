import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import { ChunkedBody } from "../../../lib/net/http/parse/body.ts";
import { httpDate } from "../../../lib/net/http/response/date.ts";
import { HttpError } from "../../../lib/net/http/error.ts";
import { resolveLimits } from "../../../lib/net/http/limits.ts";
import { Output } from "../../../lib/net/http/response/output.ts";
import { StreamBody, takeBody } from "../../../lib/net/http/response/response_body.ts";
import { ResponseWriter } from "../../../lib/net/http/response/response_writer.ts";
import { StaticResponse } from "../../../lib/net/http/response/static_response.ts";
import { bytesOf, textOf } from "./wire.ts";

const TEXT = bytesOf("packed ".repeat(50));

/** How each coding is put on, and taken off. */
const PACKERS: Record<string, [(bytes: Uint8Array) => Uint8Array, (bytes: Uint8Array) => Uint8Array]> = {
  "gzip": [gzipSync, gunzipSync],
  "x-gzip": [gzipSync, gunzipSync],
  "deflate": [deflateSync, inflateSync],
  "br": [brotliCompressSync, brotliDecompressSync],
  "zstd": [zstdCompressSync, zstdDecompressSync],
  "gzip,br": [
    (bytes) => brotliCompressSync(gzipSync(bytes)),
    (bytes) => gunzipSync(brotliDecompressSync(bytes)),
  ],
  "unknown": [(bytes) => bytes, (bytes) => bytes],
};

interface Asked {
  method?: string;
  minor?: 0 | 1;
  keepAlive?: boolean;
  room?: number;
}

interface Sent {
  line: string;
  /** Every line of a field but `date`, sorted. */
  fields: string[];
  body: string;
  keepAlive: boolean;
}

/** All that an output holds, in the order in which it would be sent. */
function sentBytes(output: Output): string {
  return [output.bytes.subarray(0, output.length), ...output.rest].map(textOf).join("");
}

async function write(
  response: Response,
  { method = "GET", minor = 1, keepAlive = true, room = 4096 }: Asked = {},
) {
  const output = new Output(new Uint8Array(room));
  const writer = new ResponseWriter(output);
  const body = writer.begin({ method, minor }, response, await takeBody(response), keepAlive);
  if (body instanceof StreamBody) {
    for (let part = await body.next(); part !== null; part = await body.next()) writer.write(part.slice());
    writer.end();
  }
  return { text: sentBytes(output), keepAlive: writer.keepAlive };
}

async function send(response: Response, asked?: Asked): Promise<Sent> {
  const { text, keepAlive } = await write(response, asked);
  const end = text.indexOf("\r\n\r\n");
  const [line, ...fields] = text.slice(0, end).split("\r\n");
  assertEquals(fields.filter((field) => field.startsWith("date: ")).length, 1);
  return {
    line,
    fields: fields.filter((field) => !field.startsWith("date: ")).sort(),
    body: text.slice(end + 4),
    keepAlive,
  };
}

/** A stream whose parts come one after another, each when it is asked for and a turn later. */
function slowly(...parts: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull: async (controller) => {
      await new Promise((resolve) => setTimeout(resolve));
      const part = parts.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(bytesOf(part));
    },
  }, { highWaterMark: 0 });
}

const HTML = { headers: { "content-type": "text/html" } };

describe("ResponseWriter", () => {
  it("sends text with its length in bytes, whatever the text", async () => {
    const sent = await send(new Response("grüße ✓", HTML));
    assertEquals(sent, {
      line: "HTTP/1.1 200 OK",
      fields: ["content-length: 11", "content-type: text/html"],
      body: textOf(new TextEncoder().encode("grüße ✓")),
      keepAlive: true,
    });
    assertStrictEquals((await send(new Response("\ud800", HTML))).body, "\xef\xbf\xbd");
  });

  it("sends bytes, forms and JSON with their length", async () => {
    const body = async (init: Response): Promise<(string | undefined)[]> => {
      const { fields, body } = await send(init);
      return [fields.find((field) => field.startsWith("content-length")), body];
    };
    assertEquals(await body(new Response(bytesOf("\0\xff"))), ["content-length: 2", "\0\xff"]);
    assertEquals(await body(new Response(new URLSearchParams("a=1"))), ["content-length: 3", "a=1"]);
    assertEquals(await body(Response.json({ a: 1 })), ["content-length: 7", '{"a":1}']);
    assertEquals(await body(new Response("")), ["content-length: 0", ""]);
    assertEquals(await body(new Response(null)), ["content-length: 0", ""]);
    assertEquals(await body(new Response()), ["content-length: 0", ""]);
  });

  it("sends a stream that gives all at once with its length", async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(bytesOf("abc"));
        controller.close();
      },
    });
    assertEquals(await send(new Response(stream)), {
      line: "HTTP/1.1 200 OK",
      fields: ["content-length: 3"],
      body: "abc",
      keepAlive: true,
    });
  });

  it("sends any other stream in chunks, with a part of no bytes left out", async () => {
    const sent = await send(new Response(slowly("hello", "", " ".repeat(16), "w")));
    assertEquals(sent.fields, ["transfer-encoding: chunked"]);
    assertStrictEquals(sent.body, `5\r\nhello\r\n10\r\n${" ".repeat(16)}\r\n1\r\nw\r\n0\r\n\r\n`);
    assert(sent.keepAlive);
    assertStrictEquals((await send(new Response(slowly()))).body, "0\r\n\r\n");
  });

  it("sends a head before the first part of a stream is there", async () => {
    const never = new Response(new ReadableStream({}));
    assert(await takeBody(never) instanceof StreamBody);
  });

  it("closes after a stream to an HTTP/1.0 client, which knows no chunks", async () => {
    const sent = await send(new Response(slowly("a", "b")), { minor: 0 });
    assertEquals([sent.fields, sent.body, sent.keepAlive], [["connection: close"], "ab", false]);
    const kept = await send(new Response("a", HTML), { minor: 0 });
    assertEquals([kept.fields.includes("connection: keep-alive"), kept.keepAlive], [true, true]);
  });

  it("keeps to a content-length that a stream declares, and throws where the stream does not", async () => {
    const declared = (length: string, ...parts: string[]): Response =>
      new Response(slowly(...parts), { headers: { "content-length": length } });
    assertEquals((await send(declared("3", "ab", "c"))).fields, ["content-length: 3"]);
    assertStrictEquals((await send(declared("3", "ab", "c"))).body, "abc");
    await assertRejects(
      () => send(declared("2", "ab", "c")),
      Error,
      "1 bytes longer than its content-length",
    );
    await assertRejects(
      () => send(declared("4", "ab", "c")),
      Error,
      "ended 1 bytes before its content-length",
    );
    await assertRejects(() => send(declared("x", "ab")), TypeError, "content-length is no number: x");
  });

  it("sets the length of what it knows itself, and the framing always", async () => {
    const headers = {
      "content-length": "999",
      "transfer-encoding": "gzip",
      "keep-alive": "5",
      ...HTML.headers,
    };
    for (
      const sent of [
        await send(new Response("abc", { headers })),
        await send(new StaticResponse("abc", { headers })),
      ]
    ) {
      assertEquals([sent.fields, sent.body], [["content-length: 3", "content-type: text/html"], "abc"]);
    }
  });

  it("sends no body to a HEAD but the length that it would have", async () => {
    const head = async (response: Response): Promise<unknown[]> => {
      const { fields, body, keepAlive } = await send(response, { method: "HEAD" });
      return [fields.filter((field) => !field.startsWith("content-type")), body, keepAlive];
    };
    assertEquals(await head(new Response("abc")), [["content-length: 3"], "", true]);
    assertEquals(await head(new Response(null)), [[], "", true]);
    assertEquals(await head(new Response(null, { headers: { "content-length": "7" } })), [
      ["content-length: 7"],
      "",
      true,
    ]);
    assertEquals(await head(new Response(slowly("a"))), [[], "", true]);
  });

  it("cancels a stream that a HEAD asked for", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const stream = new ReadableStream({ cancel: () => resolve("cancelled") });
    await send(new Response(stream), { method: "HEAD" });
    assertStrictEquals(await promise, "cancelled");
  });

  it("sends neither body nor length with 204 and 304, and a length of 0 with 205", async () => {
    for (const status of [204, 304]) {
      const sent = await send(new Response(null, { status }));
      assertEquals([sent.fields, sent.body, sent.keepAlive], [[], "", true]);
    }
    const cached = await send(
      new Response(null, { status: 304, headers: { "content-length": "7", etag: '"a"' } }),
    );
    assertEquals(cached.fields, ["content-length: 7", 'etag: "a"']);
    assertEquals((await send(new Response(null, { status: 205 }))).fields, ["content-length: 0"]);
  });

  it("names each status, and sends a status text that is given", async () => {
    const line = async (init: ResponseInit): Promise<string> => (await send(new Response(null, init))).line;
    assertStrictEquals(await line({ status: 404 }), "HTTP/1.1 404 Not Found");
    assertStrictEquals(await line({ status: 413 }), "HTTP/1.1 413 Content Too Large");
    assertStrictEquals(await line({ status: 599 }), "HTTP/1.1 599 ");
    assertStrictEquals(await line({ status: 200, statusText: "caf\xe9" }), "HTTP/1.1 200 caf\xe9");
  });

  it("keeps Set-Cookie's values apart", async () => {
    const headers = new Headers([["set-cookie", "a=1, 2"], ["Set-Cookie", "b=2"], ["x-a", "1"], [
      "X-A",
      "2",
    ]]);
    const sent = await send(new Response(null, { headers }));
    assertEquals(sent.fields, ["content-length: 0", "set-cookie: a=1, 2", "set-cookie: b=2", "x-a: 1, 2"]);
  });

  it("sends a value beyond ASCII as the bytes that its characters are, and the body after it", async () => {
    const sent = await send(
      new Response("ü", { headers: { "x-name": "caf\xe9", "content-type": "text/html" } }),
    );
    assertEquals(sent.fields, ["content-length: 2", "content-type: text/html", "x-name: caf\xe9"]);
    assertStrictEquals(sent.body, "\xc3\xbc");
  });

  it("closes where the server or the response wants to", async () => {
    const close = { ...HTML.headers, connection: "x, Close" };
    for (
      const sent of [
        await send(new Response("a", HTML), { keepAlive: false }),
        await send(new Response("a", { headers: close })),
      ]
    ) {
      assertEquals(sent.fields, ["connection: close", "content-length: 1", "content-type: text/html"]);
      assert(!sent.keepAlive);
    }
    const open = await send(
      new Response("a", { headers: { ...HTML.headers, connection: "closed, keep-alive" } }),
    );
    assertEquals([open.fields, open.keepAlive], [["content-length: 1", "content-type: text/html"], true]);
  });

  it("leaves a date that the response has, and else sets the present one", async () => {
    const before = httpDate();
    const { text } = await write(new Response(null));
    const date = /\r\ndate: (.*)\r\n/.exec(text)?.[1] ?? "";
    assertMatch(date, /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
    assert([before, httpDate()].includes(date));
    const past = "Tue, 15 Nov 1994 08:12:31 GMT";
    const own = await write(new Response(null, { headers: { date: past } }));
    assertEquals(own.text.match(/date: .*/g), [`date: ${past}`]);
  });

  it("makes the date anew each second", () => {
    const now = Date.now;
    try {
      Date.now = () => Date.UTC(2031, 0, 2, 3, 4, 5, 999);
      assertStrictEquals(httpDate(), "Thu, 02 Jan 2031 03:04:05 GMT");
      Date.now = () => Date.UTC(2031, 0, 2, 3, 4, 6);
      assertStrictEquals(httpDate(), "Thu, 02 Jan 2031 03:04:06 GMT");
    } finally {
      Date.now = now;
    }
  });

  it("lets no response put a line of its own into the head", async () => {
    const evil = "x\r\nset-cookie: evil=1";
    for (const text of [evil, "x\ny", "x\ry", "x\0", "\u010a"]) {
      await assertRejects(async () => await write(new Response("a", { statusText: text })), TypeError);
      await assertRejects(
        async () => await write(new Response("a", { headers: { "x-a": `1${text}2` } })),
        TypeError,
      );
      await assertRejects(
        async () => await write(new StaticResponse("a", { headers: { "x-a": `1${text}2` } })),
        TypeError,
      );
      await assertRejects(
        async () => await write(new StaticResponse("a", { headers: { [`x${text}`]: "1" } })),
        TypeError,
      );
      await assertRejects(async () => await write(new StaticResponse("a", { statusText: text })), TypeError);
    }
  });

  it("refuses Response.error() and a body that was used, and writes nothing of them", async () => {
    const output = new Output(new Uint8Array(100));
    const writer = new ResponseWriter(output);
    const asked = { method: "GET", minor: 1 } as const;
    assertThrows(
      () => writer.begin(asked, Response.error(), null, true),
      TypeError,
      "status 0 cannot be sent",
    );
    assertStrictEquals(output.length, 0);
    const used = new Response("a");
    await used.text();
    await assertRejects(async () => await takeBody(used), TypeError);
  });

  it("fails with the stream, at once where it fails at once, else after the head", async () => {
    const failing = new Response(
      new ReadableStream({
        start: (controller) => controller.error(new Error("torn")),
      }),
    );
    await assertRejects(
      async () => {
        const body = await takeBody(failing);
        if (body instanceof StreamBody) await body.next();
      },
      Error,
      "torn",
    );
    const late = new ReadableStream({
      pull: async (controller) => {
        await new Promise((resolve) => setTimeout(resolve));
        controller.error(new Error("torn"));
      },
    });
    await assertRejects(() => write(new Response(late)), Error, "torn");
    const text = new Response(
      new ReadableStream({
        start: (controller: ReadableStreamDefaultController) => controller.enqueue("text"),
      }),
    );
    await assertRejects(() => write(text), TypeError);
  });

  it("gives the same bytes whatever room there is, several responses after another", async () => {
    const responses = (): Response[] => [
      new Response("grüße", HTML),
      new Response(bytesOf("\0\xff".repeat(50))),
      new Response("x", { headers: { "x-name": "caf\xe9", "content-type": "text/html" } }),
      new StaticResponse("y".repeat(300)),
      new Response(slowly("hello", "world")),
    ];
    const together = async (room: number): Promise<string> => {
      const output = new Output(new Uint8Array(room));
      const writer = new ResponseWriter(output);
      for (const response of responses()) {
        const body = writer.begin({ method: "GET", minor: 1 }, response, await takeBody(response), true);
        if (!(body instanceof StreamBody)) continue;
        for (let part = await body.next(); part !== null; part = await body.next()) {
          writer.write(part.slice());
        }
        writer.end();
      }
      assert(output.length <= room);
      return sentBytes(output).replace(/date: .*\r\n/g, "");
    };
    const whole = await together(100000);
    for (const room of [0, 1, 100, 200, 300, 400, 500, 1000, 1500]) {
      assertStrictEquals(await together(room), whole);
    }
  });

  it("forgets what was sent", () => {
    const output = new Output(new Uint8Array(4));
    output.append(bytesOf("abc"));
    output.append(bytesOf("de"));
    assertEquals([output.length, output.rest.length], [3, 1]);
    output.clear();
    assertStrictEquals(sentBytes(output), "");
    output.append(bytesOf("fghi"));
    assertStrictEquals(sentBytes(output), "fghi");
  });

  it("answers an HttpError in plain text and closes", () => {
    const output = new Output(new Uint8Array(1000));
    const writer = new ResponseWriter(output);
    writer.fail(new HttpError(431, "more than 100 header fields: ü"), false);
    const text = sentBytes(output).replace(/date: .*\r\n/, "");
    assertStrictEquals(
      text,
      "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain;charset=UTF-8\r\n" +
        "content-length: 32\r\nconnection: close\r\n\r\nmore than 100 header fields: \xc3\xbc\n",
    );
    assert(!writer.keepAlive);
  });

  it("writes chunks that the decoder takes apart again, however they are cut", () => {
    const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 });
    fc.assert(fc.property(parts, fc.integer({ min: 1, max: 50 }), (parts, size) => {
      const output = new Output(new Uint8Array(1000));
      const writer = new ResponseWriter(output);
      const body = new StreamBody({
        read: () => Promise.resolve({ done: true }),
        cancel: () => Promise.resolve(),
      }, []);
      writer.begin({ method: "GET", minor: 1 }, new Response(null), body, true);
      output.clear();
      for (const part of parts) writer.write(part);
      writer.end();
      assertStrictEquals(unchunk(bytesOf(sentBytes(output)), size), parts.map(textOf).join(""));
    }));
  });
});

/** What a chunked body holds, decoded in pieces of `size`. */
function unchunk(bytes: Uint8Array, size: number): string {
  const decoder = new ChunkedBody(resolveLimits());
  let text = "";
  for (let start = 0; start < bytes.length; start += size) {
    const end = Math.min(bytes.length, start + size);
    for (let at = start; at < end && !decoder.isDone;) {
      at = decoder.decode(bytes, at, end);
      text += textOf(bytes.subarray(decoder.dataStart, decoder.dataEnd));
    }
  }
  assert(decoder.isDone);
  return text;
}

describe("what ResponseWriter writes", () => {
  const responses: Record<string, () => Response> = {
    "/text": () => new Response("grüße", { headers: { "x-name": "caf\xe9", "content-type": "text/html" } }),
    "/chunks": () => new Response(slowly("hello", "world"), { status: 201 }),
    "/static": () => StaticResponse.json({ a: [1] }),
    "/packed": () => new Response(gzipSync("p".repeat(300)), { headers: { "content-encoding": "gzip" } }),
    "/empty": () => new Response(null, { status: 204 }),
    ...Object.fromEntries(
      Object.entries(PACKERS).map(([coding, [pack]]) => [
        `/${coding}`,
        () => new Response(new Uint8Array(pack(TEXT)), { headers: { "content-encoding": coding } }),
      ]),
    ),
  };
  const server = createServer((socket) => {
    socket.once("data", async (data) => {
      const path = String(data).split(" ")[1];
      const { text } = await write(responses[path](), { keepAlive: false });
      socket.end(bytesOf(text));
    });
  });
  let origin = "";

  before(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    const address = server.address();
    if (typeof address === "object" && address !== null) origin = `http://127.0.0.1:${address.port}`;
  });

  after(() => {
    server.close();
  });

  it("is what fetch unpacked, where a response is passed on", async () => {
    const passed = await send(await fetch(`${origin}/packed`), { minor: 0 });
    assert(!passed.fields.includes("content-encoding: gzip"));
    assertStrictEquals(passed.body, "p".repeat(300));
    const own = await send(new Response(gzipSync("p"), { headers: { "content-encoding": "gzip" } }));
    assert(own.fields.includes("content-encoding: gzip"));
  });

  it("says of what is passed on how it is packed, whichever packings the host's fetch takes off", async () => {
    for (const [coding, [, unpack]] of Object.entries(PACKERS)) {
      for (const minor of [0, 1] as const) {
        const { text } = await write(await fetch(`${origin}/${coding}`), { minor });
        const end = text.indexOf("\r\n\r\n") + 4;
        const isChunked = text.slice(0, end).includes("transfer-encoding: chunked");
        const body = bytesOf(isChunked ? unchunk(bytesOf(text.slice(end)), 100) : text.slice(end));
        const isPacked = text.slice(0, end).includes(`content-encoding: ${coding}`);
        assertEquals([coding, textOf(isPacked ? unpack(body) : body)], [coding, textOf(TEXT)]);
      }
    }
  });

  it("is read by fetch", async () => {
    const text = await fetch(`${origin}/text`);
    assertEquals([text.status, text.headers.get("x-name"), await text.text()], [200, "caf\xe9", "grüße"]);
    const chunks = await fetch(`${origin}/chunks`);
    assertEquals([chunks.status, await chunks.text()], [201, "helloworld"]);
    const json = await fetch(`${origin}/static`);
    assertEquals([json.headers.get("content-type"), await json.json()], ["application/json", { a: [1] }]);
    const empty = await fetch(`${origin}/empty`);
    assertEquals([empty.status, await empty.text()], [204, ""]);
  });
});
