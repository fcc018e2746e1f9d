import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { lightResponse } from "../../../lib/net/http/response/light_response.ts";
import { StaticResponse } from "../../../lib/net/http/response/static_response.ts";

/** A response where the fields of one are asked for, as copies of responses are made. */
function statusOf(response: { status: number; statusText: string }): { status: number; statusText: string } {
  return response;
}

const Host = globalThis.Response;
const light = lightResponse(Host);

/** What `make` gives where the global is the light class. */
async function lightly<T>(make: () => T | Promise<T>): Promise<T> {
  assert(Reflect.set(globalThis, "Response", light));
  try {
    return await make();
  } finally {
    globalThis.Response = Host;
  }
}

/** All that can be seen of a response. */
/** Bun's types have two of them. */
type Made = ReturnType<Response["clone"]>;

async function seen(response: Made): Promise<unknown> {
  const { status, statusText, ok, type, url, redirected, bodyUsed } = response;
  // Bun does not say that a text is one, where the standard does, and says more of JSON.
  const headers = [...response.headers]
    .map(([name, value]) => [name, value.replace(/;charset=utf-8$/i, "")])
    .filter(([, value]) => value !== "text/plain" && value !== "application/x-www-form-urlencoded");
  const isNull = response.body === null;
  return [status, statusText, ok, type, url, redirected, bodyUsed, headers, isNull, await response.text()];
}

function throws(make: () => unknown): boolean {
  try {
    make();
    return false;
  } catch {
    return true;
  }
}

const made: [name: string, make: () => Made][] = [
  ["nothing", () => new Response()],
  ["null", () => new Response(null)],
  ["a text", () => new Response("grüße")],
  ["no text", () => new Response("")],
  ["bytes", () => new Response(Uint8Array.of(97, 98))],
  ["a status", () => new Response("a", { status: 404, statusText: "No" })],
  ["no body", () => new Response(null, { status: 204 })],
  ["a record of fields", () => new Response("a", { headers: { "X-A": "b", "content-type": "text/html" } })],
  ["Headers", () => new Response("a", { headers: new Headers({ a: "b" }) })],
  ["pairs", () => new Response("a", { headers: [["a", "b"], ["a", "c"]] })],
  ["a form", () => new Response(new URLSearchParams("a=b"))],
  ["a buffer", () => new Response(Uint8Array.of(97).buffer)],
  [
    "another's body",
    () => new Response(new Response("other").body, statusOf(new Response("a", { status: 201 }))),
  ],
  ["JSON", () => Response.json({ a: [1] })],
  ["JSON of a type", () => Response.json(null, { status: 201, headers: { "content-type": "text/plain" } })],
  ["a redirection", () => Response.redirect("http://a/b", 301)],
  ["a clone", () => new Response("a").clone()],
  ["changed fields", () => {
    const response = new Response("a");
    response.headers.set("x", "y");
    return response;
  }],
];

describe("lightResponse()", () => {
  for (const [name, make] of made) {
    it(`makes what the host makes of ${name}`, async () => {
      assertEquals(await lightly(async () => await seen(make())), await seen(make()));
      await lightly(() => assert(make() instanceof Response && make() instanceof Host));
    });
  }

  it("throws where the host throws", async () => {
    const wrong: (() => unknown)[] = [
      () => new Response("a", { status: 199 }),
      () => new Response("a", { status: 600 }),
      () => new Response("a", { status: 204 }),
      () => new Response("a", { headers: { "a b": "c" } }),
      () => new Response("a", { headers: { a: "b\n\nc" } }),
      () => Reflect.apply(Response, undefined, ["a"]),
    ];
    for (const make of wrong) {
      if (!throws(make)) continue;
      await lightly(() => assertThrows(make, Error));
    }
  });

  it("is light for a text, bytes and nothing, and copies bytes", async () => {
    await lightly(() => {
      assert(new Response("a") instanceof StaticResponse && new Response() instanceof StaticResponse);
      assert(!(new Response(new Blob(["a"])) instanceof StaticResponse));
    });
    const bytes = Uint8Array.of(97);
    const response = await lightly(() => new Response(bytes));
    bytes[0] = 98;
    assertEquals(await response.text(), "a");
  });

  it("can be extended as the host's class can", async () => {
    await lightly(async () => {
      class Mine extends Response {
        mine(): number {
          return this.status + 1;
        }
      }
      const mine = new Mine("a", { status: 201 });
      assertEquals([mine.mine(), await mine.text()], [202, "a"]);
      assert(mine instanceof Mine && mine instanceof Response && !(new Response() instanceof Mine));
      assertEquals([Response.name, typeof Response.error], ["Response", "function"]);
    });
  });
});
