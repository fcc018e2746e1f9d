import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { bodyLimit } from "hono/body-limit";
import { getCookie, setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { poweredBy } from "hono/powered-by";
import { prettyJSON } from "hono/pretty-json";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE, streamText } from "hono/streaming";
import { trimTrailingSlash } from "hono/trailing-slash";
import { serveFiles } from "../../../lib/net/http.ts";
import { serving } from "./client.ts";

interface Post {
  id: string;
  title: string;
  body: string;
}

/** An app as Hono's own examples are: a blog's API, its pages, and what its middleware does. */
function blog(): Hono {
  const posts = new Map<string, Post>([["1", { id: "1", title: "Morning", body: "Good Morning" }]]);

  const api = new Hono();
  api.use("/posts/*", cors({ origin: "http://example.com", allowMethods: ["GET", "POST", "DELETE"] }));
  api.get("/posts", (c) => {
    const { limit, tag } = c.req.query();
    return c.json({ posts: [...posts.values()], ok: true, limit, tag, tags: c.req.queries("tag") });
  });
  api.get("/posts/:id", (c) => {
    const post = posts.get(c.req.param("id"));
    return post === undefined ? c.json({ error: "Not Found" }, 404) : c.json(post);
  });
  api.post("/posts", async (c) => {
    const { title, body } = await c.req.json<Post>();
    return c.json({ title, body, length: body.length, type: c.req.header("content-type") }, 201);
  });
  api.delete("/posts/:id{[0-9]+}", (c) => c.body(null, 204));

  const app = new Hono();
  app.use(poweredBy());
  app.use("/etag/*", etag());
  app.use("/secure/*", secureHeaders());
  app.use("/auth/*", basicAuth({ username: "hono", password: "acoolproject" }));
  app.use("/token/*", bearerAuth({ token: "honoiscool" }));
  app.use("/pretty/*", prettyJSON());
  app.use("/id/*", requestId({ generator: () => "the-id" }));
  app.use("/trim/*", trimTrailingSlash());
  app.use("/limited", bodyLimit({ maxSize: 10, onError: (c) => c.text("overflow", 413) }));
  app.use("/timed/*", async (c, next) => {
    await next();
    c.header("x-response", `${c.req.method} ${c.res.status}`);
  });
  app.route("/api", api);
  app.get("/", (c) => c.text("Hono!!"));
  app.get("/html/:name", (c) =>
    c.html(html`
      <h1>Hello ${c.req.param("name")}</h1>
      <p>${"<escaped>"}</p>
    `));
  app.get("/hello/:first/:last?", (c) => c.text(`${c.req.param("first")} ${c.req.param("last") ?? "alone"}`));
  app.get("/wild/*/card", (c) => c.text(c.req.path));
  app.get("/headers", (c) => c.json({ all: c.req.header("x-mine"), agent: c.req.header("User-Agent") }));
  app.get("/etag/cached", (c) => c.text("cached"));
  app.get("/secure/page", (c) => c.text("secure"));
  app.get("/auth/page", (c) => c.text("You are authorized"));
  app.get("/token/page", (c) => c.json({ token: true }));
  app.get("/pretty/page", (c) => c.json({ a: { b: 1 } }));
  app.get("/id/page", (c) => c.text(c.get("requestId")));
  app.get("/trim/page", (c) => c.text("trimmed"));
  app.get("/timed/page", (c) => c.text("timed"));
  app.get("/redirect", (c) => c.redirect("/", 302));
  app.get("/moved", (c) => c.redirect("https://hono.dev/", 301));
  app.get("/cookie", (c) => {
    setCookie(c, "seen", "yes", { path: "/", httpOnly: true, sameSite: "Lax" });
    setCookie(c, "second", "2", { secure: true });
    return c.json(getCookie(c));
  });
  app.get("/error", () => {
    throw new Error("the handler has failed");
  });
  app.get("/exception", () => {
    throw new HTTPException(418, { message: "a teapot" });
  });
  app.get("/bytes", (c) => c.body(new Uint8Array([0, 1, 254, 255])));
  app.get("/status", (c) => {
    c.status(203);
    c.header("x-multi", "a", { append: true });
    c.header("x-multi", "b", { append: true });
    return c.text("other");
  });
  app.get("/raw", () => new Response("raw", { status: 202, headers: { "x-raw": "1" } }));
  app.get("/stream", (c) =>
    stream(c, async (out) => {
      await out.write(new Uint8Array([0x48, 0x65]));
      await out.sleep(2);
      await out.pipe(new Blob(["llo"]).stream());
    }));
  app.get("/text", (c) =>
    streamText(c, async (out) => {
      await out.writeln("one");
      await out.sleep(2);
      await out.write("two");
    }));
  app.get("/sse", (c) =>
    streamSSE(c, async (out) => {
      for (let id = 0; id < 3; id++) {
        await out.writeSSE({ data: `It is ${id}\nnow`, event: "time-update", id: String(id) });
        await out.sleep(2);
      }
    }));
  app.post(
    "/echo",
    async (c) => c.body(await c.req.arrayBuffer(), 200, { "x-type": c.req.header("content-type") ?? "" }),
  );
  app.post("/form", async (c) => {
    const body = await c.req.parseBody({ all: true });
    const file = body.file;
    return c.json({ ...body, file: file instanceof File ? [file.name, file.type, await file.text()] : file });
  });
  app.post("/limited", async (c) => c.text(await c.req.text()));
  app.post(
    "/twice",
    async (c) => c.json([await c.req.text(), await c.req.json(), (await c.req.arrayBuffer()).byteLength]),
  );
  app.post("/clone", async (c) => c.text(await c.req.raw.clone().text() + await c.req.raw.text()));
  app.put("/pass", (c) => new Response(c.req.raw.body, c.res));
  app.all("/any", (c) => c.text(c.req.method));
  app.on(["PATCH", "OPTIONS"], "/on", (c) => c.text(`on ${c.req.method}`));
  app.notFound((c) => c.text(`Custom 404: ${c.req.path}`, 404));
  app.onError((error, c) =>
    error instanceof HTTPException ? error.getResponse() : c.text(`Custom: ${error.message}`, 500)
  );
  return app;
}

interface Asked {
  path: string;
  init?: RequestInit;
}

const JSON_POST = { method: "POST", headers: { "content-type": "application/json" } };

function form(): FormData {
  const data = new FormData();
  data.append("name", "hono");
  data.append("tag", "a");
  data.append("tag", "b");
  data.append("file", new File(["inside"], "a.txt", { type: "text/plain" }));
  return data;
}

const asked: readonly Asked[] = [
  { path: "/" },
  { path: "/", init: { method: "HEAD" } },
  { path: "/", init: { method: "POST" } },
  { path: "/nothing/here" },
  { path: "/html/%3Cb%3E" },
  { path: "/hello/a%20b" },
  { path: "/hello/%E7%82%8E/x" },
  { path: "/wild/any/card" },
  { path: "/wild/any/other" },
  { path: "/headers", init: { headers: { "x-mine": "a, b", "user-agent": "test" } } },
  { path: "/api/posts?limit=3&tag=a&tag=b%26c" },
  { path: "/api/posts", init: { headers: { origin: "http://example.com" } } },
  {
    path: "/api/posts/1",
    init: {
      method: "OPTIONS",
      headers: { origin: "http://example.com", "access-control-request-method": "POST" },
    },
  },
  { path: "/api/posts/1" },
  { path: "/api/posts/2" },
  { path: "/api/posts", init: { ...JSON_POST, body: JSON.stringify({ title: "t", body: "é😀" }) } },
  { path: "/api/posts", init: { ...JSON_POST, body: "{" } },
  { path: "/api/posts/1", init: { method: "DELETE" } },
  { path: "/api/posts/x", init: { method: "DELETE" } },
  { path: "/etag/cached" },
  { path: "/secure/page" },
  { path: "/auth/page" },
  { path: "/auth/page", init: { headers: { authorization: `Basic ${btoa("hono:acoolproject")}` } } },
  { path: "/auth/page", init: { headers: { authorization: `Basic ${btoa("hono:wrong")}` } } },
  { path: "/token/page", init: { headers: { authorization: "Bearer honoiscool" } } },
  { path: "/token/page", init: { headers: { authorization: "Bearer wrong" } } },
  { path: "/token/page" },
  { path: "/pretty/page?pretty" },
  { path: "/id/page" },
  { path: "/trim/page/" },
  { path: "/timed/page" },
  { path: "/redirect" },
  { path: "/moved" },
  { path: "/cookie", init: { headers: { cookie: "a=1; b=%20" } } },
  { path: "/error" },
  { path: "/exception" },
  { path: "/bytes" },
  { path: "/status" },
  { path: "/raw" },
  { path: "/stream" },
  { path: "/text" },
  { path: "/sse" },
  { path: "/echo", init: { method: "POST", body: new Uint8Array(100_000).map((_, i) => i) } },
  { path: "/form", init: { method: "POST", body: form() } },
  { path: "/form", init: { method: "POST", body: new URLSearchParams({ a: "1 2", b: "&" }) } },
  { path: "/limited", init: { method: "POST", body: "short" } },
  { path: "/limited", init: { method: "POST", body: "longer than that" } },
  { path: "/twice", init: { ...JSON_POST, body: "[1]" } },
  { path: "/clone", init: { method: "POST", body: "twice" } },
  { path: "/pass", init: { method: "PUT", body: "passed on" } },
  { path: "/any", init: { method: "PATCH" } },
  { path: "/on", init: { method: "PATCH" } },
  { path: "/on", init: { method: "OPTIONS" } },
];

/** What the connection adds, and what depends on whether a length is known beforehand. */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "transfer-encoding",
]);

async function read(response: Response): Promise<unknown> {
  const headers = [...response.headers].filter(([name]) => !OF_THE_SERVER.has(name));
  return { status: response.status, headers, body: [...new Uint8Array(await response.arrayBuffer())] };
}

/** `init` with the fields that every client sends, so that an app sees the same both ways. */
function withFields(init: RequestInit = {}): RequestInit {
  const headers = new Headers(init.headers);
  if (!headers.has("user-agent")) headers.set("user-agent", "test");
  return { ...init, headers, redirect: "manual" };
}

describe("an app that is written for Hono", () => {
  const app = blog();

  it("answers on our server as it does when it is called", () =>
    serving(app.fetch, {}, async ({ address }) => {
      const origin = `http://127.0.0.1:${address.port}`;
      for (const { path, init } of asked) {
        const called = await read(await app.request(`${origin}${path}`, withFields(init)));
        const served = await read(await fetch(`${origin}${path}`, withFields(init)));
        assertEquals([path, served], [path, called]);
      }
    }));

  it("answers all of them at once", () =>
    serving(app.fetch, {}, async ({ address }) => {
      const origin = `http://127.0.0.1:${address.port}`;
      const statuses = await Promise.all(asked.map(async ({ path, init }) => {
        const response = await fetch(`${origin}${path}`, withFields(init));
        await response.arrayBuffer();
        return response.status;
      }));
      const called = await Promise.all(
        asked.map(async ({ path, init }) => (await app.request(`${origin}${path}`, withFields(init))).status),
      );
      assertEquals(statuses, called);
    }));

  it("finds the tag of its own answer again", () =>
    serving(app.fetch, {}, async ({ address }) => {
      const url = `http://127.0.0.1:${address.port}/etag/cached`;
      const first = await fetch(url);
      await first.text();
      const again = await fetch(url, { headers: { "if-none-match": first.headers.get("etag") ?? "" } });
      assertStrictEquals(again.status, 304);
      assertStrictEquals(await again.text(), "");
    }));

  it("streams what it writes as it writes it", () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = new Hono();
    slow.get("/", (c) =>
      streamText(c, async (out) => {
        await out.write("first");
        await promise;
        await out.write("second");
      }));
    return serving(slow.fetch, {}, async ({ address }) => {
      const reader = (await fetch(`http://127.0.0.1:${address.port}/`)).body?.getReader();
      const decoder = new TextDecoder();
      assertStrictEquals(decoder.decode((await reader?.read())?.value), "first");
      resolve();
      assertStrictEquals(decoder.decode((await reader?.read())?.value), "second");
    });
  });

  it("hears that a client has gone", () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const talking = new Hono();
    talking.get("/", (c) =>
      streamSSE(c, async (out) => {
        out.onAbort(() => resolve("gone"));
        while (!out.aborted) {
          await out.writeSSE({ data: "x" });
          await out.sleep(1);
        }
      }));
    return serving(talking.fetch, {}, async ({ address }) => {
      const controller = new AbortController();
      const response = await fetch(`http://127.0.0.1:${address.port}/`, { signal: controller.signal });
      await response.body?.getReader().read();
      controller.abort();
      assertStrictEquals(await promise, "gone");
    });
  });

  it("has its static files served by ours, through its middleware", () => {
    const root = mkdtempSync(join(tmpdir(), "oxbow-site-"));
    writeFileSync(join(root, "a.txt"), "static");
    const files = serveFiles(root, { prefix: "/static" });
    const site = new Hono();
    site.use(cors());
    site.use(async (c, next) => {
      await next();
      c.header("x-after", "yes");
    });
    site.get("/static/*", (c) => files(c.req.raw));
    return serving(site.fetch, {}, async ({ address }) => {
      const response = await fetch(`http://127.0.0.1:${address.port}/static/a.txt`, {
        headers: { origin: "http://a", range: "bytes=1-3" },
      });
      assertStrictEquals(await response.text(), "tat");
      assertStrictEquals(response.headers.get("x-after"), "yes");
      assertStrictEquals(response.headers.get("access-control-allow-origin"), "*");
      assert(response.headers.get("etag") !== null);
    }).finally(() => {
      files.close();
      rmSync(root, { recursive: true });
    });
  });
});
