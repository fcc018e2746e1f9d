import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type Handler, type LeanHandler, serveLean } from "../../../lib/net/http.ts";
import { run } from "../../../lib/task/mod.ts";
import { exchange, GET, LAST_GET, serving, statusOf } from "./client.ts";

/** A handler of any kind: what it gives is none of the compiler's. */
function isHandler(value: unknown): value is Handler & LeanHandler {
  return typeof value === "function";
}

function wild(): never {
  throw new Error("wild");
}

/** What a handler may give that throws when it is looked at. */
const WILD: Record<string, () => unknown> = {
  "a getter of then": () => Object.defineProperty({}, "then", { get: wild }),
  "a Proxy that has no then to tell": () => new Proxy({}, { has: wild }),
  "a Proxy of no prototype to tell": () => new Proxy({}, { getPrototypeOf: wild }),
  "a then that throws": () => ({ then: wild }),
  "a thenable that gives a Proxy": () => ({
    then: (resolve: (value: unknown) => void) => resolve(new Proxy({}, { getPrototypeOf: wild })),
  }),
  "a promise of a getter": () =>
    new Promise((resolve) => resolve(Object.defineProperty({}, "then", { get: wild }))),
};

function statusesOf(answer: string): number[] {
  return Array.from(answer.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => Number(status));
}

describe("serve()", () => {
  for (const [name, make] of Object.entries(WILD)) {
    it(`answers 500 where a handler gives ${name}, says so to onError, and goes on`, () => {
      const errors: unknown[] = [];
      let calls = 0;
      const handler: unknown = () => calls++ === 0 ? make() : new Response("well");
      assert(isHandler(handler));
      const onError = (error: unknown): Response => {
        errors.push(error);
        return new Response("sorry", { status: 500 });
      };
      return serving(handler, { onError }, async (server) => {
        assertEquals(statusesOf(await exchange(server, GET + LAST_GET)), [500, 200]);
        assertEquals(errors.map(String), ["Error: wild"]);
      });
    });
  }

  it("goes on where what came too late throws when it is thrown away", async () => {
    const { error } = console;
    const told: unknown[] = [];
    console.error = (failure: unknown) => told.push(failure);
    const late = Promise.withResolvers<Response>();
    try {
      await serving((request) => request.url.endsWith("/late") ? late.promise : new Response("well"), {
        timeouts: { handler: 20 },
        onError: () => new Response(null, { status: 500 }),
      }, async (server) => {
        assertEquals(statusOf(await exchange(server, GET.replace("/", "/late"))), 503);
        late.resolve(Object.defineProperty(new Response(new ReadableStream()), "body", { get: wild }));
        assertEquals(statusOf(await exchange(server, LAST_GET)), 200);
      });
    } finally {
      console.error = error;
    }
    assertEquals(told.map(String), ["Error: wild"]);
  });
});

describe("serveLean()", () => {
  /** What a handler's gift comes to, where it has ended its response and where it has not. */
  async function servedLean(make: () => unknown, isEnded: boolean): Promise<[number, unknown[]]> {
    const errors: unknown[] = [];
    let status = 0;
    const handler: unknown = (...[, response]: Parameters<LeanHandler>) => {
      if (isEnded) response.end("ended");
      return make();
    };
    assert(isHandler(handler));
    await run(async () => {
      await using server = serveLean(handler, { port: 0, onError: (error) => errors.push(error) });
      status = statusOf(await exchange(server, LAST_GET));
    });
    return [status, errors.map(String)];
  }

  for (const name of ["a getter of then", "a Proxy that has no then to tell", "a then that throws"]) {
    it(`tells onError of ${name}, and answers 500 where the response was not ended`, async () => {
      assertEquals(await servedLean(WILD[name], false), [500, ["Error: wild"]]);
      assertEquals(await servedLean(WILD[name], true), [200, ["Error: wild"]]);
    });
  }

  it("hears a thenable once, which calls back as often as it likes", async () => {
    const calling = {
      then: (resolve: () => void, reject: (error: unknown) => void) => {
        reject(new Error("first"));
        reject(new Error("second"));
        resolve();
      },
    };
    assertEquals(await servedLean(() => calling, false), [500, ["Error: first"]]);
  });
});
