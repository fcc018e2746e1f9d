import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { httpDate } from "../../../lib/net/http/response/date.ts";
import { StaticResponse } from "../../../lib/net/http/response/static_response.ts";
import { HTML, send, write } from "./written.ts";

describe("ResponseWriter", () => {
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
});
