import { describe, it } from "node:test";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertStrictEquals } from "@std/assert";
import { LETTERS, textOf, withSite } from "./site.ts";

describe("serveFiles()", () => {
  it("sends the packed file that the client likes best, and says what it went by", () =>
    withSite({ precompressed: true }, async ({ get, root }) => {
      writeFileSync(join(root, "a.js"), "plain");
      writeFileSync(join(root, "a.js.gz"), "gzipped");
      writeFileSync(join(root, "a.js.br"), "brotlied");
      const tags = new Set<string | null>();
      for (
        const [field, coding] of [
          ["gzip, br", "br"],
          ["gzip", "gzip"],
          ["identity", null],
          ["br;q=0", null],
        ] as const
      ) {
        const response = await get("/a.js", { "accept-encoding": field }, "HEAD");
        assertStrictEquals(response.headers.get("content-encoding"), coding);
        assertStrictEquals(response.headers.get("vary"), "accept-encoding");
        assertStrictEquals(response.headers.get("content-type"), "text/javascript; charset=utf-8");
        tags.add(response.headers.get("etag"));
      }
      assertStrictEquals(tags.size, 3);
      const plain = await get("/letters.txt", { "accept-encoding": "gzip" });
      assertStrictEquals(plain.headers.get("vary"), null);
      assertStrictEquals(await plain.text(), LETTERS);
    }));

  it("sends no packed file where it was not told to, and none that leads out", async () => {
    await withSite({}, async ({ get, root }) => {
      writeFileSync(join(root, "letters.txt.gz"), "gzipped");
      assertStrictEquals(await textOf(get("/letters.txt", { "accept-encoding": "gzip" })), LETTERS);
    });
    await withSite({ precompressed: true }, async ({ get, root }) => {
      symlinkSync("../secret.txt", join(root, "letters.txt.gz"));
      assertStrictEquals(await textOf(get("/letters.txt", { "accept-encoding": "gzip" })), LETTERS);
    });
  });
});
