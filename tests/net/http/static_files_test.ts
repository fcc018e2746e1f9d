import { describe, it } from "node:test";
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { hostName, SystemError } from "../../../ffi/mod.ts";
import { serveFiles } from "../../../lib/net/http.ts";
import { moduleUrl, runChild } from "../../child.ts";
import { skipping } from "../../skip.ts";
import { LETTERS, statusAt, textOf, withSite } from "./site.ts";

describe("serveFiles()", () => {
  it("sends a file with its length, its type, its tag and its date", () =>
    withSite({}, async ({ get, root }) => {
      utimesSync(join(root, "letters.txt"), 784111777, 784111777.5);
      const response = await get("/letters.txt?x=1");
      assertStrictEquals(response.status, 200);
      assertStrictEquals(await response.text(), LETTERS);
      assertStrictEquals(response.headers.get("content-length"), "26");
      assertStrictEquals(response.headers.get("content-type"), "text/plain; charset=utf-8");
      assertStrictEquals(response.headers.get("last-modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
      assertStrictEquals(response.headers.get("accept-ranges"), "bytes");
      assertMatch(response.headers.get("etag") ?? "", /^"[0-9a-z-]+"$/);
    }));

  it("sends a file of many sendfiles whole", () =>
    withSite({}, async ({ get, root }) => {
      const bytes = new Uint8Array(5 << 20).map((_, i) => i * 2654435761 >>> 24);
      writeFileSync(join(root, "large.bin"), bytes);
      const body = new Uint8Array(await (await get("/large.bin")).arrayBuffer());
      assertStrictEquals(body.length, bytes.length);
      assert(body.every((byte, i) => byte === bytes[i]));
    }));

  it("answers HEAD as GET, without the body, and without a range", () =>
    withSite({}, async ({ get }) => {
      const head = await get("/letters.txt", { range: "bytes=0-1" }, "HEAD");
      const whole = await get("/letters.txt");
      assertStrictEquals(head.status, 200);
      assertStrictEquals(await head.text(), "");
      await whole.text();
      for (const name of ["content-length", "content-type", "etag", "last-modified", "accept-ranges"]) {
        assertStrictEquals(head.headers.get(name), whole.headers.get(name));
      }
    }));

  it("sends an empty file, whatever range is asked for", () =>
    withSite({}, async ({ get }) => {
      const response = await get("/empty.bin", { range: "bytes=0-" });
      assertStrictEquals(response.status, 200);
      assertStrictEquals(response.headers.get("content-length"), "0");
      assertStrictEquals(await response.text(), "");
    }));

  it("refuses what is neither GET nor HEAD, and says what may be asked", () =>
    withSite({}, async ({ get }) => {
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
        const response = await get("/letters.txt", {}, method);
        await response.text();
        assertStrictEquals(response.status, 405);
        assertStrictEquals(response.headers.get("allow"), "GET, HEAD");
      }
    }));

  it("sends a folder's index, and leads to the folder's own path", () =>
    withSite({}, async ({ get }) => {
      assertStrictEquals(await textOf(get("/")), "<h1>home</h1>");
      assertStrictEquals(await textOf(get("/sub/")), "sub");
      const response = await get("/sub?a=b");
      assertStrictEquals(response.status, 301);
      assertStrictEquals(response.headers.get("location"), "/sub/?a=b");
    }));

  it("leads to no other host from a path of two slashes", () =>
    withSite({}, async (site) => {
      mkdirSync(join(site.root, "evil.example"));
      for (const path of ["//evil.example", "///evil.example", "//evil.example/..", "/%2fevil.example"]) {
        const response = await site.get(path);
        await response.text();
        assert(!(response.headers.get("location") ?? "").startsWith("//"));
        assert(!(response.headers.get("location") ?? "").includes("evil.example/evil"));
      }
    }));

  it("has no index where none is wanted, and another where another is", async () => {
    await withSite({ index: false }, async (site) => assertStrictEquals(await statusAt(site, "/"), 404));
    await withSite({ index: "letters.txt" }, async ({ get }) => {
      assertStrictEquals(await textOf(get("/")), LETTERS);
    });
  });

  it("finds nothing behind a file, in a folder without an index, or where nothing is", () =>
    withSite({}, async (site) => {
      mkdirSync(join(site.root, "bare"));
      for (
        const path of ["/letters.txt/", "/letters.txt/a", "/bare/", "/no", "/sub/no/", `/${"a".repeat(300)}`]
      ) {
        assertEquals([path, await statusAt(site, path)], [path, 404]);
      }
    }));

  it("reads paths that are percent-encoded", () =>
    withSite({}, async (site) => {
      assertStrictEquals(await textOf(site.get("/sub/a%20b%25%C3%A9.txt")), "odd");
      for (const path of ["/sub%2findex.html", "/letters.txt%00", "/%ff", "/%C3"]) {
        assertEquals([path, await statusAt(site, path)], [path, 404]);
      }
    }));

  it(
    "says 403 of a file that may not be read",
    { skip: unlessOrdinaryUser() },
    () =>
      withSite({}, async (site) => {
        chmodSync(join(site.root, "letters.txt"), 0);
        assertStrictEquals(await statusAt(site, "/letters.txt"), 403);
      }),
  );

  it("serves below a prefix alone", () =>
    withSite({ prefix: "/static" }, async (site) => {
      assertStrictEquals(await textOf(site.get("/static/letters.txt")), LETTERS);
      assertStrictEquals(await textOf(site.get("/static/")), "<h1>home</h1>");
      const response = await site.get("/static?a");
      await response.text();
      assertStrictEquals(response.headers.get("location"), "/static/?a");
      for (const path of ["/letters.txt", "/staticletters.txt", "/", "/static//letters.txt"]) {
        assertEquals([path, await statusAt(site, path)], [path, 404]);
      }
    }));

  it("sends the fields and types that it is given", () =>
    withSite(
      { headers: { "cache-control": "max-age=9" }, types: { txt: "text/x-letters" } },
      async (site) => {
        const requests: Record<string, string>[] = [{}, { "if-none-match": "*" }, { range: "bytes=0-1" }];
        for (const headers of requests) {
          const response = await site.get("/letters.txt", headers);
          await response.text();
          assertStrictEquals(response.headers.get("cache-control"), "max-age=9");
          if (response.status !== 304) {
            assertStrictEquals(response.headers.get("content-type"), "text/x-letters");
          }
        }
      },
    ));

  it("answers 304 with the tag and no body, and 412", () =>
    withSite({}, async (site) => {
      const first = await site.get("/letters.txt");
      await first.text();
      const etag = first.headers.get("etag") ?? "";
      const date = first.headers.get("last-modified") ?? "";
      const requests: Record<string, string>[] = [{ "if-none-match": etag }, { "if-modified-since": date }];
      for (const headers of requests) {
        const response = await site.get("/letters.txt", headers);
        assertStrictEquals(response.status, 304);
        assertStrictEquals(response.headers.get("etag"), etag);
        assertStrictEquals(await response.text(), "");
      }
      assertStrictEquals(await statusAt(site, "/letters.txt", { "if-match": '"other"' }), 412);
      assertStrictEquals(await statusAt(site, "/letters.txt", { "if-match": etag }), 200);
    }));

  it("has no use for a root that is no folder, or for options that are none", () =>
    withSite({}, ({ root }) => {
      assertThrows(() => serveFiles(join(root, "none")), SystemError, "ENOENT");
      assertThrows(() => serveFiles(join(root, "letters.txt")), SystemError, "ENOTDIR");
      assertThrows(() => serveFiles(""), TypeError, "path is empty");
      const wrong: [Record<string, unknown>, string][] = [
        [{ prefix: "static" }, "prefix"],
        [{ prefix: "/static/" }, "prefix"],
        [{ index: "" }, "index"],
        [{ index: "a/b" }, "index"],
        [{ maxOpen: 0 }, "maxOpen"],
        [{ validMs: -1 }, "validMs"],
        [{ headers: { "a b": "c" } }, ""],
        [{ cache: 1 }, "cache"],
      ];
      for (const [options, name] of wrong) {
        const error = assertThrows(() => serveFiles(root, options), Error);
        assert(error instanceof TypeError || error instanceof RangeError);
        assert(error.message.includes(name), error.message);
      }
      return Promise.resolve();
    }));

  it("throws once it is closed, and does not mind to be closed again", () =>
    withSite({}, ({ files }) => {
      files.close();
      files.close();
      assertThrows(() => files(new Request("http://localhost/letters.txt")), Error, "was closed");
      return Promise.resolve();
    }));
});

describe(
  "Deno's sandbox",
  { skip: skipping(hostName === "deno" ? false : "only Deno has a sandbox") },
  () => {
    it("is asked for the folder", () => {
      const program = `
      import { serveFiles } from "${moduleUrl("lib/net/http.ts")}";
      try {
        serveFiles("/usr");
      } catch (error) {
        console.log(error.name, error.message);
      }`;
      const { stdout } = runChild(program, { permissions: ["--allow-ffi", "--allow-env"] });
      assertStrictEquals(
        stdout.trim(),
        'NotCapable Requires read access to "/usr", run again with the --allow-read flag',
      );
      const { stdout: special } = runChild(program.replace("/usr", "/proc"), {
        permissions: ["--allow-ffi", "--allow-env", "--allow-read"],
      });
      assertMatch(special, /^NotCapable Requires all access to "\/proc"/);
    });
  },
);

function unlessOrdinaryUser(): string | false {
  return skipping(process.getuid?.() === 0 ? "root reads every file" : false);
}
