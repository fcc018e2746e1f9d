import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { HttpError } from "../../../lib/net/http/error.ts";
import { Output } from "../../../lib/net/http/response/output.ts";
import { StreamBody, takeBody } from "../../../lib/net/http/response/response_body.ts";
import { ResponseWriter } from "../../../lib/net/http/response/response_writer.ts";
import { StaticResponse } from "../../../lib/net/http/response/static_response.ts";
import { bytesOf, textOf } from "./wire.ts";
import { HTML, send, sentBytes, slowly, unchunk, write } from "./written.ts";

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
