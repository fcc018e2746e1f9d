import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { StaticResponse } from "../../../lib/net/http.ts";
import { exchange, LAST_GET, serving, statusOf } from "./client.ts";

class Mine extends Response {}

describe("what serve() gives and takes", () => {
  const made: Record<string, () => Response> = {
    "a text": () => new Response("a"),
    "nothing": () => new Response(null),
    "bytes": () => new Response(new Uint8Array(1)),
    "a form": () => new Response(new URLSearchParams("a=b")),
    "JSON": () => Response.json({}),
    "a redirection": () => Response.redirect("http://a/"),
    "a StaticResponse": () => new StaticResponse("a"),
  };
  for (const [name, make] of Object.entries(made)) {
    it(`is a Response by constructor and instanceof: ${name}`, () => {
      const seen: unknown[] = [];
      return serving(
        () => {
          const response = make();
          seen.push(response.constructor === Response, response instanceof Response);
          seen.push(Object.prototype.toString.call(response), response.constructor.name);
          return response;
        },
        {},
        async (server) => {
          assert(statusOf(await exchange(server, LAST_GET)) > 0);
          assertEquals(seen, [true, true, "[object Response]", "Response"]);
        },
      );
    });
  }

  it("is a Request by constructor and instanceof, which makes another of it", () => {
    const seen: unknown[] = [];
    return serving(
      (request) => {
        const copy: unknown = Reflect.construct(request.constructor, [request]);
        seen.push(request.constructor === Request, request instanceof Request, copy instanceof Request);
        seen.push(new Request("http://a/").constructor === Request);
        return new Response("");
      },
      {},
      async (server) => {
        await exchange(server, LAST_GET);
        assertEquals(seen, [true, true, true, true]);
      },
    );
  });

  it("leaves classes of one's own what they are", () =>
    serving(
      () => {
        const mine = new Mine("mine");
        assertStrictEquals(mine.constructor, Mine);
        return mine;
      },
      {},
      async (server) => {
        assert((await exchange(server, LAST_GET)).endsWith("\r\n\r\nmine"));
      },
    ));

  it("is as it was when the last server has finished", async () => {
    await serving(() => new Response(""), {}, async (server) => {
      await exchange(server, LAST_GET);
    });
    assertStrictEquals(Response.prototype.constructor, Response);
    assertStrictEquals(Request.prototype.constructor, Request);
    assertStrictEquals(new Response("").constructor, Response);
  });
});
