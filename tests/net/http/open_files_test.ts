import { describe, it } from "node:test";
import {
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { OpenFile, OpenFiles } from "../../../lib/net/http/files/open_files.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { moduleUrl, outputOf } from "../../child.ts";
import { encoder, exchange, readAll } from "./client.ts";
import { LETTERS, openBelow, textOf, withSite } from "./site.ts";

describe("serveFiles()", () => {
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

  it("are given back by answers that nobody sends", () => {
    const program = `
      import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
      import { serveFiles } from "${moduleUrl("lib/net/http.ts")}";
      import { collect } from "${moduleUrl("tests/collector.ts")}";
      import { descriptors, openedSince } from "${moduleUrl("tests/descriptors.ts")}";
      const root = mkdtempSync("/tmp/oxbow-site-");
      for (let i = 0; i < 100; i++) writeFileSync(root + "/" + i, "x".repeat(20_000));
      const files = serveFiles(root, { maxOpen: 1 });
      const before = descriptors();
      const open = () => openedSince(before).length;
      function ask() {
        for (let i = 0; i < 100; i++) files(new Request("http://localhost/" + i));
      }
      ask();
      const most = open();
      console.log(most > 50, await collect(() => open() <= 10));
      rmSync(root, { recursive: true });`;
    assertStrictEquals(outputOf(program), "true true");
  });
});
