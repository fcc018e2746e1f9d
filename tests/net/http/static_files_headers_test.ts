import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveFiles, type ServeFilesOptions } from "../../../lib/net/http.ts";

/** What a folder with a file and a folder in it answers, by `options`. */
function answering(
  options: ServeFilesOptions,
  body: (ask: (path: string, init?: RequestInit) => Response) => void,
): void {
  const root = mkdtempSync(join(tmpdir(), "oxbow-headers-"));
  try {
    mkdirSync(join(root, "sub"));
    writeFileSync(join(root, "letters.txt"), "abc");
    using files = serveFiles(root, options);
    body((path, init) => files(new Request(`http://a${path}`, init)));
  } finally {
    rmSync(root, { recursive: true });
  }
}

const OPTIONS = {
  headers: { "Cache-Control": "max-age=60", "x-both": "file" },
  always: {
    "Access-Control-Allow-Origin": "*",
    "X-Both": "any",
    "Content-Type": "no/thing",
    "ALLOW": "none",
  },
};

describe("serveFiles()", () => {
  const asked: [status: number, path: string, init?: RequestInit][] = [
    [200, "/letters.txt"],
    [200, "/letters.txt", { method: "HEAD" }],
    [206, "/letters.txt", { headers: { range: "bytes=0-1" } }],
    [206, "/letters.txt", { headers: { range: "bytes=0-0,2-2" } }],
    [304, "/letters.txt", { headers: { "if-none-match": "*" } }],
    [301, "/sub?a"],
    [404, "/none"],
    [404, "/%2f"],
    [404, "/sub/"],
    [405, "/letters.txt", { method: "DELETE" }],
    [412, "/letters.txt", { headers: { "if-match": '"none"' } }],
    [416, "/letters.txt", { headers: { range: "bytes=9-" } }],
  ];
  for (const [status, path, init = {}] of asked) {
    const { method = "GET", headers = {} } = init;
    it(`answers ${method} ${path} ${JSON.stringify(headers)} by ${status} with the fields that are its due`, () =>
      answering(OPTIONS, (ask) => {
        const response = ask(path, init);
        const field = (name: string): string | null => response.headers.get(name);
        const hasFile = status < 400 && status !== 301;
        assertStrictEquals(response.status, status);
        assertStrictEquals(field("access-control-allow-origin"), "*");
        assertStrictEquals(field("cache-control"), hasFile ? "max-age=60" : null);
        assertStrictEquals(field("x-both"), hasFile ? "file" : "any");
        assertStrictEquals(field("allow"), status === 405 ? "GET, HEAD" : "none");
        if (status >= 400) assertStrictEquals(field("content-type"), "text/plain;charset=UTF-8");
        if (status === 416) assertStrictEquals(field("content-range"), "bytes */3");
        if (status === 301) assertStrictEquals(field("location"), "/sub/?a");
      }));
  }

  it("has no other fields of a miss where nothing is said, whatever files have", () =>
    answering({ headers: { "cache-control": "max-age=60" } }, (ask) => {
      assertEquals([...ask("/none").headers], [["content-type", "text/plain;charset=UTF-8"]]);
    }));

  it("refuses fields that cannot be sent before it serves", () => {
    for (const name of ["headers", "always"]) {
      assertThrows(() => serveFiles(tmpdir(), { [name]: { "a b": "c" } }), TypeError);
      assertThrows(() => serveFiles(tmpdir(), { [name]: { a: "b\n\nc" } }), TypeError);
    }
  });
});
