import { after, before, describe, it } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import type { Browser } from "playwright-core";
import { indexFolder, SearchIndex } from "../../../examples/search/mod.ts";
import { serveIndex, type ServeIndexOptions } from "../../../examples/search/server/serve.ts";
import { SystemError } from "../../../ffi/mod.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import type { HttpServer } from "../../../lib/net/http.ts";
import { run } from "../../../lib/task/mod.ts";
import { findChromium, launchChromium, NO_CHROMIUM, openPage } from "./browser.ts";
import { skipping } from "../../skip.ts";

const FILES: Record<string, string> = {
  "ox.md": "An oxbow is the bow that fastens an ox to its yoke.\n",
  "html.md": "Beware of <img src=x onerror=alert(1)> in markup.\n",
  "river.md": "A river in its valley leaves a lake behind where it meanders.\n",
  "yoke.md": "The yoke joins two oxen at the plough, so that both pull alike.\n",
};

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** One request on a connection of its own; `host` and `method` as a client may say them. */
async function ask(
  server: HttpServer,
  target: string,
  { method = "GET", host = "localhost" } = {},
): Promise<Answer> {
  using stream = await TcpStream.connect(server.address);
  await stream.writeAll(
    new TextEncoder().encode(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
  );
  const bytes = new Uint8Array(65536);
  const decoder = new TextDecoder();
  let text = "";
  for (let count = await stream.read(bytes); count > 0; count = await stream.read(bytes)) {
    text += decoder.decode(bytes.subarray(0, count), { stream: true });
  }
  const end = text.indexOf("\r\n\r\n");
  return { status: Number(text.slice(9, 12)), head: text.slice(0, end), body: text.slice(end + 4) };
}

function search(server: HttpServer, query: string, k = "3"): Promise<Answer> {
  return ask(server, `/search?q=${encodeURIComponent(query)}&k=${encodeURIComponent(k)}`);
}

/** The value of a metric. */
async function metric(server: HttpServer, name: string): Promise<number> {
  const { body } = await ask(server, "/metrics");
  const line = body.split("\n").find((line) => line.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

describe("search serve", () => {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-serve-"));

  before(async () => {
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
    await indexFolder(folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  function serving(
    body: (server: HttpServer) => Promise<void>,
    options: ServeIndexOptions = {},
  ): Promise<void> {
    return run(async () => {
      using index = SearchIndex.open(folder);
      await using server = await serveIndex(index, { port: 0, ...options });
      await body(server);
    });
  }

  it("answers a search with the hits that the index gives", () =>
    serving(async (server) => {
      const { status, head, body } = await search(server, "fasten the yoke");
      assertEquals(status, 200);
      assertStringIncludes(head, "\r\ncontent-type: application/json; charset=utf-8\r\n");
      const answer = JSON.parse(body);
      assertEquals(Object.keys(answer), ["query", "took_ms", "hits"]);
      assertEquals(answer.query, "fasten the yoke");
      assert(answer.took_ms >= 0);
      assertEquals(Object.keys(answer.hits[0]), ["file", "lines", "score", "text"]);
      assertEquals([answer.hits[0].file, answer.hits[0].lines], ["ox.md", [1, 1]]);
      using index = SearchIndex.open(folder);
      assertEquals(answer.hits, JSON.parse(JSON.stringify(index.search(["fasten the yoke"], 3)[0])));
    }));

  for (const k of ["0", "-1", "1000000000", "ten", "", "1.5"]) {
    it(`refuses k = ${JSON.stringify(k)} and names it`, () =>
      serving(async (server) => {
        const { status, body } = await search(server, "yoke", k);
        assertEquals(status, 400);
        assertMatch(JSON.parse(body).error, /^k is /);
      }));
  }

  it("refuses a query that is empty or too long, and one of 1 MB by its length", () =>
    serving(async (server) => {
      assertMatch(JSON.parse((await search(server, " \n")).body).error, /no words/);
      assertEquals((await search(server, "y".repeat(5000))).status, 400);
      assertEquals((await search(server, "y".repeat(1 << 20))).status, 414);
      assertEquals((await search(server, "yoke")).status, 200);
    }));

  it("takes control characters for spaces, and gives HTML back as it is", () =>
    serving(async (server) => {
      assertEquals(JSON.parse((await search(server, "yoke\0\x1bplough")).body).query, "yoke plough");
      const { head, body } = await search(server, "<img> markup");
      assertStringIncludes(head, "\r\nx-content-type-options: nosniff\r\n");
      assertEquals(JSON.parse(body).hits[0].text, FILES["html.md"].trimEnd());
    }));

  it("says what it does not answer: another path, another method", () =>
    serving(async (server) => {
      assertEquals((await ask(server, "/nothing")).status, 404);
      const post = await ask(server, "/search?q=yoke", { method: "POST" });
      assertEquals(post.status, 405);
      assertStringIncludes(post.head, "\r\nallow: GET, HEAD\r\n");
    }));

  it("answers no name that another site could have pointed at this machine", () =>
    serving(async (server) => {
      assertEquals((await ask(server, "/search?q=yoke", { host: "evil.example" })).status, 421);
      for (const host of ["localhost:7777", "127.0.0.1:1", "[::1]"]) {
        assertEquals((await ask(server, "/search?q=yoke", { host })).status, 200);
      }
    }));

  it("serves the page with a policy that lets nothing run but its own script and style", () =>
    serving(async (server) => {
      const { head, body } = await ask(server, "/");
      assertStringIncludes(body, "<!doctype html>");
      const policy = /\r\ncontent-security-policy: (.*)\r\n/.exec(head)?.[1] ?? "";
      assertMatch(
        policy,
        /^default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}';/,
      );
      assert(!policy.includes("unsafe"));
      const headOnly = await ask(server, "/", { method: "HEAD" });
      assertEquals([headOnly.status, headOnly.body], [200, ""]);
    }));

  it("answers queries that arrive together by fewer products, each as it is answered alone", () =>
    serving(async (server) => {
      const queries = Array.from(
        { length: 24 },
        (_, i) => `${["yoke", "river", "plough"][i % 3]} ${"ox ".repeat(i)}`,
      );
      const answers = await Promise.all(queries.map((query) => search(server, query)));
      const batches = await metric(server, "oxbow_search_batch_queries_count");
      assertEquals(await metric(server, "oxbow_search_batch_queries_sum"), queries.length);
      assert(batches < queries.length, `${batches} batches`);
      using index = SearchIndex.open(folder);
      for (const [i, { body }] of answers.entries()) {
        assertEquals(JSON.parse(body).hits, JSON.parse(JSON.stringify(index.search([queries[i]], 3)[0])));
      }
    }));

  it("multiplies for each query alone where it is told to", () =>
    serving(async (server) => {
      await Promise.all(Array.from({ length: 8 }, () => search(server, "yoke")));
      assertEquals(await metric(server, "oxbow_search_batch_queries_count"), 8);
    }, { batching: false }));

  it("tells Prometheus what it did", () =>
    serving(async (server) => {
      await search(server, "yoke");
      await search(server, "");
      assertEquals(await metric(server, 'oxbow_search_responses_total{status="200"}'), 1);
      assertEquals(await metric(server, 'oxbow_search_responses_total{status="400"}'), 1);
      assertEquals(await metric(server, "oxbow_search_seconds_count"), 1);
      assertEquals(await metric(server, "oxbow_search_passages"), Object.keys(FILES).length);
      assert(await metric(server, "process_resident_memory_bytes") > 1e6);
      const { body } = await ask(server, "/metrics");
      for (const line of body.trimEnd().split("\n")) {
        assertMatch(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? [\d.e+-]+)$/);
      }
    }));

  it("says which port is taken", () =>
    serving(async (server) => {
      using index = SearchIndex.open(folder);
      const { port } = server.address;
      const error = await assertRejects(() => serveIndex(index, { port }), SystemError, String(port));
      assertEquals(error.code, "EADDRINUSE");
    }));

  describe("in a browser", { skip: skipping(findChromium() === undefined && NO_CHROMIUM) }, () => {
    let browser: Browser;
    before(async () => {
      browser = await launchChromium();
    }, { timeout: 60_000 });
    after(() => browser.close());

    it(
      "shows what was searched for, marked, and HTML as text",
      { timeout: 60_000 },
      () =>
        serving(async (server) => {
          await using opened = await openPage(browser, `http://127.0.0.1:${server.address.port}/`);
          const { page, troubles } = opened;
          await page.getByRole("searchbox").pressSequentially("yoke");
          await page.locator("mark").first().waitFor();
          assertEquals([...new Set(await page.locator("mark").allTextContents())], ["yoke"]);
          await page.getByRole("searchbox").fill("markup");
          await page.getByText("<img src=x onerror=alert(1)>").waitFor();
          assertEquals(await page.locator("img").count(), 0);
          assertEquals(troubles, []);
        }),
    );
  });
});
