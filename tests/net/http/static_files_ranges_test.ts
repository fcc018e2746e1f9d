import { describe, it } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { LETTERS, withSite } from "./site.ts";

describe("serveFiles()", () => {
  it("answers an unsatisfiable range with 416 and the length", () =>
    withSite({}, async ({ get }) => {
      const response = await get("/letters.txt", { range: "bytes=26-" });
      await response.text();
      assertStrictEquals(response.status, 416);
      assertStrictEquals(response.headers.get("content-range"), "bytes */26");
    }));

  it("ignores a range whose If-Range is of another state", () =>
    withSite({}, async ({ get }) => {
      const whole = await get("/letters.txt", { range: "bytes=0-1", "if-range": '"other"' });
      assertStrictEquals(whole.status, 200);
      assertStrictEquals(await whole.text(), LETTERS);
      const etag = whole.headers.get("etag") ?? "";
      const part = await get("/letters.txt", { range: "bytes=0-1", "if-range": etag });
      assertStrictEquals(part.status, 206);
      assertStrictEquals(await part.text(), "ab");
      assertStrictEquals(part.headers.get("content-range"), "bytes 0-1/26");
    }));

  it("sends of ranges what slicing gives, each as a part that names itself", () =>
    withSite({}, async ({ get }) => {
      const range = fc.tuple(fc.nat(30), fc.nat(30)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
      await fc.assert(
        fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 4 }), async (ranges) => {
          const response = await get("/letters.txt", {
            range: `bytes=${ranges.map((pair) => pair.join("-")).join(",")}`,
          });
          const body = await response.text();
          const wanted = ranges.filter(([first]) => first < 26).map(([first, last]) => ({
            name: `bytes ${first}-${Math.min(25, last)}/26`,
            text: LETTERS.slice(first, last + 1),
          }));
          const total = wanted.reduce((sum, { text }) => sum + text.length, 0);
          if (wanted.length === 0) return assertStrictEquals(response.status, 416);
          if (total > 26) return assertStrictEquals(body, LETTERS);
          assertStrictEquals(response.status, 206);
          assertStrictEquals(response.headers.get("content-length"), String(body.length));
          if (wanted.length === 1) {
            assertStrictEquals(response.headers.get("content-range"), wanted[0].name);
            return assertStrictEquals(body, wanted[0].text);
          }
          assertEquals(partsOf(response.headers.get("content-type") ?? "", body), wanted);
        }),
        { numRuns: 40 },
      );
    }));

  it("sends large parts of one file in one body", () =>
    withSite({}, async ({ get, root }) => {
      const bytes = new Uint8Array(1 << 20).map((_, i) => 97 + i % 26);
      writeFileSync(join(root, "large.txt"), bytes);
      const text = new TextDecoder().decode(bytes);
      const response = await get("/large.txt", { range: "bytes=0-199999,300000-599999,-3" });
      const parts = partsOf(response.headers.get("content-type") ?? "", await response.text());
      assertEquals(parts.map(({ text }) => text.length), [200000, 300000, 3]);
      assertStrictEquals(parts[1].text, text.slice(300000, 600000));
    }));
});

/** The parts of a multipart body: each one's `Content-Range`, and its bytes. */
function partsOf(contentType: string, body: string): { name: string; text: string }[] {
  const [, boundary] = /^multipart\/byteranges; boundary=(\S+)$/.exec(contentType) ?? [];
  const parts = body.split(`\r\n--${boundary}`);
  assertStrictEquals(parts.shift(), "");
  assertStrictEquals(parts.pop(), "--\r\n");
  return parts.map((part) => {
    const [, name, text] =
      /^\r\ncontent-type: text\/plain; charset=utf-8\r\ncontent-range: (.*)\r\n\r\n([^]*)$/
        .exec(part) ?? [];
    return { name, text };
  });
}
