import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { takeBody } from "../../../lib/net/http/response/response_body.ts";
import { StaticResponse, type StaticResponseInit } from "../../../lib/net/http/response/static_response.ts";
import { bytesOf, textOf } from "./wire.ts";

describe("StaticResponse", () => {
  it("is a Response to instanceof, to fields and to readers", async () => {
    const response = new StaticResponse("grüße", {
      status: 201,
      statusText: "Made",
      headers: { "x-a": "1" },
    });
    assert(response instanceof Response);
    assertEquals([response.status, response.statusText, response.ok], [201, "Made", true]);
    assertEquals([response.type, response.url, response.redirected], ["default", "", false]);
    assertStrictEquals(response.headers.get("x-a"), "1");
    assertStrictEquals(await response.clone().text(), "grüße");
    assert(!response.bodyUsed);
    assertStrictEquals(await response.text(), "grüße");
    assert(response.bodyUsed);
  });

  it("has every member that the host's Response has", () => {
    const response = new StaticResponse("a");
    const real = new Response("a");
    for (const name of Object.getOwnPropertyNames(Response.prototype)) {
      if (name === "constructor") continue;
      assertStrictEquals(typeof Reflect.get(response, name), typeof Reflect.get(real, name));
    }
  });

  it("gives its body at once, as often as it is answered with", () => {
    const text = new StaticResponse("a");
    assertEquals([takeBody(text), takeBody(text)], ["a", "a"]);
    const bytes = bytesOf("b");
    assertStrictEquals(takeBody(new StaticResponse(bytes)), bytes);
    assertStrictEquals(takeBody(new StaticResponse()), null);
  });

  it("gives way to the host's response once that was made", async () => {
    const response = new StaticResponse("a");
    assert(!response.bodyUsed);
    const body = await takeBody(response);
    assertStrictEquals(
      await new Response(body instanceof Uint8Array ? bytesOf(textOf(body)) : "a").text(),
      "a",
    );
    const used = new StaticResponse("a");
    await used.text();
    await assertRejects(async () => await takeBody(used), TypeError);
  });

  it("has the fields that a Response of the same has, where the host gives text a type", () => {
    const inits: StaticResponseInit[] = [
      {},
      { headers: {} },
      { headers: { "Content-Type": "text/html", "X-A": "caf\xe9 \t b" } },
      { headers: { "x-a": "  1\t" } },
      { headers: { "x-a": "" } },
      { headers: [["x-a", "1"], ["X-A", "2"]] },
      { headers: new Headers({ "x-a": "1" }) },
      { headers: { "content-length": "5", date: "today", connection: "close" } },
    ];
    for (const init of inits) {
      const expected = new Headers(init.headers);
      if (!expected.has("content-type")) expected.set("content-type", "text/plain;charset=UTF-8");
      const response = new StaticResponse("a", init);
      const lines = StaticResponse.lines(response);
      if (lines !== undefined) {
        const pairs = lines.split("\r\n").slice(0, -1).map((line): [string, string] => {
          const colon = line.indexOf(": ");
          return [line.slice(0, colon), line.slice(colon + 2)];
        });
        assertEquals([...new Headers(pairs)], [...expected]);
      }
      assertEquals([...response.headers], [...expected]);
      assertStrictEquals(StaticResponse.lines(response), undefined);
    }
    assertStrictEquals(StaticResponse.lines(new StaticResponse(bytesOf("a"))), "");
    assertEquals([...new StaticResponse(bytesOf("a")).headers], []);
  });

  it("keeps what is set on its headers", () => {
    const response = new StaticResponse("a", { headers: { "x-a": "1" } });
    response.headers.append("x-a", "2");
    response.headers.delete("content-type");
    assertEquals([...response.headers], [["x-a", "1, 2"]]);
  });

  it("throws where a Response does", () => {
    for (const status of [0, 101, 199, 600, NaN]) {
      assertThrows(() => new StaticResponse("a", { status }), RangeError, String(status));
    }
    for (const status of [204, 205, 304]) {
      assertThrows(() => new StaticResponse("", { status }), TypeError, "has no body");
    }
    assertThrows(() => new StaticResponse("a", { headers: { "x-a": "1\r\n2" } }), TypeError);
    assertThrows(() => new StaticResponse("a", { headers: { "x a": "1" } }), TypeError);
    assertThrows(() => StaticResponse.json(undefined), TypeError, "no JSON");
  });

  it("gives JSON its type unless it has one", async () => {
    assertStrictEquals(StaticResponse.json({}).headers.get("content-type"), "application/json");
    const own = StaticResponse.json([1], { status: 202, headers: { "content-type": "application/x+json" } });
    assertEquals([own.status, own.headers.get("content-type")], [202, "application/x+json"]);
    assertEquals(await own.json(), [1]);
    const more = StaticResponse.json(1, { headers: { "x-a": "1" } });
    assertEquals([...more.headers], [["content-type", "application/json"], ["x-a", "1"]]);
  });
});
