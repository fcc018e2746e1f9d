import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import fc from "fast-check";
import { hostName, SystemError } from "../../../ffi/mod.ts";
import {
  type FileHandler,
  type HttpServer,
  serveFiles,
  type ServeFilesOptions,
} from "../../../lib/net/http.ts";
import { DocumentRoot, findByLink, findByResolve } from "../../../lib/net/http/files/document_root.ts";
import { OpenFile, OpenFiles } from "../../../lib/net/http/files/open_files.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { moduleUrl, outputOf, runChild } from "../../child.ts";
import { skipping } from "../../skip.ts";
import { encoder, exchange, readAll, serving, statusOf } from "./client.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

interface Site {
  readonly root: string;
  readonly files: FileHandler;
  readonly server: HttpServer;
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Response>;
}

/** A folder with a folder in it, served by a server of its own, for as long as `body` runs. */
async function withSite(options: ServeFilesOptions, body: (site: Site) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-site-"));
  const root = join(folder, "root");
  mkdirSync(join(root, "sub"), { recursive: true });
  writeFileSync(join(root, "index.html"), "<h1>home</h1>");
  writeFileSync(join(root, "letters.txt"), LETTERS);
  writeFileSync(join(root, "empty.bin"), "");
  writeFileSync(join(root, "sub", "index.html"), "sub");
  writeFileSync(join(root, "sub", "a b%é.txt"), "odd");
  writeFileSync(join(folder, "secret.txt"), "secret");
  try {
    using files = serveFiles(root, options);
    await serving(files, { onError: () => new Response("", { status: 500 }) }, async (server) => {
      await body({
        root,
        files,
        server,
        get: (path, headers = {}, method = "GET") =>
          fetch(`http://127.0.0.1:${server.address.port}${path}`, { headers, method, redirect: "manual" }),
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function textOf(answer: Promise<Response>): Promise<string> {
  return await (await answer).text();
}

async function statusAt(site: Site, path: string, headers?: Record<string, string>): Promise<number> {
  const response = await site.get(path, headers);
  await response.arrayBuffer();
  return response.status;
}

/** Descriptors of this process that are files below `root`. */
function openBelow(root: string): number {
  const links = readdirSync("/proc/self/fd").map((name) => {
    try {
      return execFileSync("readlink", [`/proc/${process.pid}/fd/${name}`], { encoding: "utf8" });
    } catch {
      return "";
    }
  });
  return links.filter((link) => link.startsWith(`${root}/`)).length;
}

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

  for (const maxOpen of [1, 2, 3]) {
    it(`keeps a file open until it is answered with, where ${maxOpen} are kept`, () =>
      withSite({ maxOpen, precompressed: true }, async ({ server, root, files }) => {
        const bodies = { br: "packed by br", gzip: "packed by gzip", identity: LETTERS };
        writeFileSync(join(root, "letters.txt.br"), bodies.br);
        writeFileSync(join(root, "letters.txt.gz"), bodies.gzip);
        for (const [coding, body] of Object.entries(bodies)) {
          const fields = `Host: a\r\nAccept-Encoding: ${coding}\r\nConnection: close\r\n`;
          const answer = await exchange(server, `GET /letters.txt HTTP/1.1\r\n${fields}\r\n`);
          assert(answer.endsWith(`\r\n\r\n${body}`));
        }
        assert(openBelow(root) <= maxOpen);
        files.close();
        assertStrictEquals(openBelow(root), 0);
      }));
  }

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

  it("is no way to what lies outside of its folder", () =>
    withSite({ hidden: true }, async ({ root, server }) => {
      symlinkSync("../secret.txt", join(root, "out.txt"));
      symlinkSync(join(root, "..", "secret.txt"), join(root, "absolute.txt"));
      symlinkSync("..", join(root, "up"));
      symlinkSync("/proc/self/root", join(root, "magic"));
      symlinkSync("self", join(root, "self"));
      const paths = [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/.%2e/secret.txt",
        "/sub/../../secret.txt",
        "/sub/%2e%2e/%2e%2e/secret.txt",
        "/sub/..%5c..%5csecret.txt",
        "/..\\secret.txt",
        "//../secret.txt",
        "/%252e%252e/secret.txt",
        "/..;/secret.txt",
        "/out.txt",
        "/absolute.txt",
        "/up/secret.txt",
        "/magic/etc/passwd",
        "/self",
        join(root, "..", "secret.txt"),
      ];
      for (const path of paths) {
        const request = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
        const answer = await exchange(server, request);
        assert([400, 404].includes(statusOf(answer)), `${path} answered ${statusOf(answer)}`);
        assert(!answer.includes("secret\r\n") && !answer.endsWith("secret"));
      }
    }));

  it("gives no path that a file outside has, whatever a handler is asked", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-site-"));
    const root = join(folder, "root");
    mkdirSync(join(root, "a"), { recursive: true });
    writeFileSync(join(folder, "secret"), "secret");
    try {
      using files = serveFiles(root, { hidden: true });
      const piece = fc.constantFrom("..", "%2e%2e", ".", "a", "secret", "%2f", "%5c", "//", "%00", ";");
      fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const { status } = files(new Request(`http://localhost/${pieces.join("/")}`));
        // 301 to `a/`; nothing else is there.
        assert(status === 404 || status === 301);
      }));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("follows links that stay below its folder", () =>
    withSite({}, async ({ get, root }) => {
      symlinkSync("letters.txt", join(root, "link.txt"));
      symlinkSync("sub", join(root, "link"));
      assertStrictEquals(await textOf(get("/link.txt")), LETTERS);
      assertStrictEquals(await textOf(get("/link/")), "sub");
    }));

  it("shows what begins with a dot only where it is told to, and .well-known always", async () => {
    const make = (root: string): void => {
      mkdirSync(join(root, ".git"));
      mkdirSync(join(root, ".well-known"));
      mkdirSync(join(root, "sub", ".well-known"));
      for (const path of [".env", ".git/config", ".well-known/a", ".well-known/.b", "sub/.well-known/a"]) {
        writeFileSync(join(root, path), "dot");
      }
    };
    await withSite({}, async (site) => {
      make(site.root);
      for (
        const path of ["/.env", "/.git/config", "/%2egit/config", "/.well-known/.b", "/sub/.well-known/a"]
      ) {
        assertEquals([path, await statusAt(site, path)], [path, 404]);
      }
      assertStrictEquals(await statusAt(site, "/.well-known/a"), 200);
    });
    await withSite({ hidden: true }, async (site) => {
      make(site.root);
      assertStrictEquals(await statusAt(site, "/.git/config"), 200);
    });
  });

  it("gives no pipe, and does not wait for one", () =>
    withSite({}, async (site) => {
      execFileSync("mkfifo", [join(site.root, "pipe")]);
      symlinkSync("/dev/zero", join(site.root, "zero"));
      assertStrictEquals(await statusAt(site, "/pipe"), 404);
      assertStrictEquals(await statusAt(site, "/zero"), 404);
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

describe("a file that changes", () => {
  it("is sent as it is now, though it was kept open", () =>
    withSite({ validMs: 60_000 }, async ({ get, root }) => {
      const path = join(root, "letters.txt");
      const first = await get("/letters.txt");
      assertStrictEquals(await first.text(), LETTERS);
      writeFileSync(path, "in place");
      const second = await get("/letters.txt", { "if-none-match": first.headers.get("etag") ?? "" });
      assertStrictEquals(await second.text(), "in place");
      writeFileSync(`${path}.new`, "replaced");
      renameSync(`${path}.new`, path);
      assertStrictEquals(await textOf(get("/letters.txt")), "replaced");
      rmSync(path);
      assertStrictEquals((await get("/letters.txt")).status, 404);
    }));

  it("has another tag though its size and its date are the same", () =>
    withSite({ validMs: 60_000 }, async ({ get, root }) => {
      const path = join(root, "letters.txt");
      utimesSync(path, 1000, 1000);
      const first = await get("/letters.txt");
      await first.text();
      copyFileSync(path, `${path}.new`);
      writeFileSync(`${path}.new`, LETTERS.toUpperCase());
      utimesSync(`${path}.new`, 1000, 1000);
      renameSync(`${path}.new`, path);
      const second = await get("/letters.txt", { "if-none-match": first.headers.get("etag") ?? "" });
      assertStrictEquals(await second.text(), LETTERS.toUpperCase());
      assertStrictEquals(second.headers.get("last-modified"), first.headers.get("last-modified"));
    }));

  it("keeps its bytes only where no change can have gone unnoticed, and for as long as there is none", () =>
    withSite({}, async ({ root }) => {
      const path = join(root, "letters.txt");
      using kept = new OpenFiles(root, 8, 60_000);
      const bytesOf = (): Uint8Array | null => {
        const file = kept.find("letters.txt");
        assert(file instanceof OpenFile);
        return file.bytes();
      };
      const { ctimeMs } = statSync(path);
      const { now } = Date;
      try {
        Date.now = () => ctimeMs + 1000;
        assert(bytesOf() !== bytesOf());
        Date.now = () => ctimeMs + 3000;
        const first = bytesOf();
        assertEquals(first, encoder.encode(LETTERS));
        assertStrictEquals(bytesOf(), first);
        // The kernel's clock of files moves in steps of some milliseconds.
        await new Promise((resolve) => setTimeout(resolve, 50));
        writeFileSync(path, LETTERS.toUpperCase());
        assertEquals(bytesOf(), encoder.encode(LETTERS.toUpperCase()));
      } finally {
        Date.now = now;
      }
    }));

  it("is found anew after a while where its folder was replaced as a whole", () =>
    withSite({ validMs: 0 }, async ({ get, root }) => {
      assertStrictEquals(await textOf(get("/letters.txt")), LETTERS);
      renameSync(root, `${root}.old`);
      mkdirSync(root);
      writeFileSync(join(root, "letters.txt"), "new site");
      assertStrictEquals(await textOf(get("/letters.txt")), "new site");
      rmSync(`${root}.old`, { recursive: true });
    }));

  it("appears after a while where it was missing", () =>
    withSite({ validMs: 0 }, async ({ get, root }) => {
      assertStrictEquals((await get("/late.txt")).status, 404);
      writeFileSync(join(root, "late.txt"), "late");
      assertStrictEquals(await textOf(get("/late.txt")), "late");
    }));

  for (const range of ["", "Range: bytes=0-1000,2000-8388607\r\n"]) {
    it(`has the connection cut where it is truncated while it is sent${range && ", in parts"}`, () =>
      withSite({}, async ({ root, server }) => {
        const path = join(root, "large.bin");
        writeFileSync(path, new Uint8Array(8 << 20));
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(`GET /large.bin HTTP/1.1\r\nHost: a\r\n${range}\r\n`));
        const some = new Uint8Array(1000);
        await stream.read(some);
        truncateSync(path, 100);
        const rest = await readAll(stream);
        const head = new TextDecoder().decode(some);
        const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
        assert(length >= (8 << 20) - 1000);
        assert(rest.length < length - 1000);
      }));
  }

  it("is sent as it was where it is replaced while it is sent", () =>
    withSite({}, async ({ root, server }) => {
      const path = join(root, "large.bin");
      writeFileSync(path, "a".repeat(8 << 20));
      using stream = await TcpStream.connect(server.address);
      const request = "GET /large.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
      await stream.writeAll(encoder.encode(request));
      const some = new Uint8Array(1000);
      const count = await stream.read(some);
      writeFileSync(`${path}.new`, "b");
      renameSync(`${path}.new`, path);
      // Another asks meanwhile, so that the old file is let go of by all but the one.
      const answer = await exchange(server, request);
      assert(answer.endsWith("\r\n\r\nb"));
      const all = new TextDecoder().decode(some.subarray(0, count)) + await readAll(stream);
      assertStrictEquals(all.slice(all.indexOf("\r\n\r\n") + 4), "a".repeat(8 << 20));
    }));
});

describe("the files that stay open", () => {
  it("are as many as may be, those that were asked for last", () =>
    withSite({ maxOpen: 3 }, async ({ get, root }) => {
      for (let i = 0; i < 10; i++) writeFileSync(join(root, `${i}.txt`), String(i));
      for (let i = 0; i < 10; i++) assertStrictEquals(await textOf(get(`/${i}.txt`)), String(i));
      assertStrictEquals(openBelow(root), 3);
      for (let i = 0; i < 10; i++) assertStrictEquals(await textOf(get(`/${i}.txt`)), String(i));
      assertStrictEquals(openBelow(root), 3);
    }));

  it("are closed with the handler", () =>
    withSite({}, async ({ get, root, files }) => {
      for (const path of ["/letters.txt", "/", "/sub/"]) await textOf(get(path));
      assertStrictEquals(openBelow(root), 3);
      files.close();
      assertStrictEquals(openBelow(root), 0);
    }));

  it("stay open for who uses them", () =>
    withSite({}, ({ root }) => {
      using kept = new OpenFiles(root, 1, 60_000);
      const file = kept.find("letters.txt");
      assert(file instanceof OpenFile);
      assertStrictEquals(kept.find("letters.txt"), file);
      file.retain();
      assert(kept.find("index.html") instanceof OpenFile);
      kept.trim();
      assertStrictEquals(kept.size, 1);
      assertStrictEquals(file.fd.isClosed, false);
      file.release();
      assertStrictEquals(file.fd.isClosed, true);
      return Promise.resolve();
    }));

  it("are given back by answers that nobody sends", { skip: unlessCollectable() }, () => {
    const program = `
      import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
      import { serveFiles } from "${moduleUrl("lib/net/http.ts")}";
      const root = mkdtempSync("/tmp/oxbow-site-");
      for (let i = 0; i < 100; i++) writeFileSync(root + "/" + i, "x".repeat(20_000));
      const files = serveFiles(root, { maxOpen: 1 });
      const open = () => readdirSync("/proc/self/fd").length;
      const before = open();
      function ask() {
        for (let i = 0; i < 100; i++) files(new Request("http://localhost/" + i));
      }
      ask();
      const most = open();
      for (let tries = 0; tries < 100 && open() > before + 10; tries++) {
        globalThis.gc?.();
        globalThis.Bun?.gc(true);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      console.log(most > before + 50, open() <= before + 10);
      rmSync(root, { recursive: true });`;
    assertStrictEquals(outputOf(program), "true true");
  });
});

describe("DocumentRoot", () => {
  for (const find of [findByResolve, findByLink]) {
    it(`finds what lies below it and nothing else, by ${find.name}`, () =>
      withSite({}, ({ root }) => {
        symlinkSync("../secret.txt", join(root, "out.txt"));
        symlinkSync("letters.txt", join(root, "in.txt"));
        mkdirSync(`${root}-beside`);
        symlinkSync("../root-beside", join(root, "beside"));
        using folder = new DocumentRoot(root, [find]);
        for (const path of [".", "letters.txt", "in.txt", "sub", "sub/index.html"]) {
          using found = folder.find(path);
          assert(["regular", "directory"].includes(found.status().type));
        }
        using found = folder.find("letters.txt");
        using opened = DocumentRoot.open(found, "letters.txt");
        assertStrictEquals(opened.read(new Uint8Array(100)), 26);
        for (const path of ["out.txt", "beside", "sub/../../secret.txt", ".."]) {
          const error = assertThrows(() => folder.find(path), SystemError);
          assertEquals([path, error.code], [path, "EXDEV"]);
        }
        const missing = assertThrows(() => folder.find("none"), SystemError);
        assertStrictEquals(missing.code, "ENOENT");
        return Promise.resolve();
      }));
  }

  for (const [name, failure] of [["ENOSYS", -38], ["EPERM", -1]] as const) {
    it(`finds by the link where openat2 is not to be had, and says ${name}`, () =>
      withSite({}, ({ root }) => {
        let calls = 0;
        const refused = (): number => {
          calls++;
          return failure;
        };
        using folder = new DocumentRoot(root, [refused, findByLink]);
        for (let i = 0; i < 3; i++) folder.find("letters.txt")[Symbol.dispose]();
        assertStrictEquals(calls, 1);
        using none = new DocumentRoot(root, [refused]);
        assertStrictEquals(assertThrows(() => none.find("letters.txt"), SystemError).code, name);
        return Promise.resolve();
      }));
  }
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

function unlessCollectable(): string | false {
  return skipping(hostName === "bun" ? false : "no collector that can be called");
}

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
