import { Buffer } from "node:buffer";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { assertEquals, assertMatch } from "@std/assert";
import { unlessInstalled } from "../skip.ts";
import { Peer, serveExample, start } from "./program.ts";

const PATH = "examples/net/static_server.ts";
const skip = unlessInstalled("curl");
const LARGE = Buffer.from(Uint8Array.from({ length: 3 << 20 }, (_, i) => i * 31 >> 3));

describe(PATH, () => {
  let folder = "";

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "oxbow-static-"));
    mkdirSync(join(folder, "site"));
    writeFileSync(join(folder, "secret"), "secret");
    writeFileSync(join(folder, "site/index.html"), "<h1>hello</h1>");
    writeFileSync(join(folder, "site/.hidden"), "hidden");
    writeFileSync(join(folder, "site/large.bin"), LARGE);
    writeFileSync(join(folder, "site/page.txt"), "page");
    writeFileSync(join(folder, "site/page.txt.gz"), gzipSync("page"));
    symlinkSync("../secret", join(folder, "site/link"));
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("answers curl with files, parts of them, and nothing where they are unchanged", { skip }, async () => {
    await using server = await serveExample(PATH, join(folder, "site"));
    const url = `http://127.0.0.1:${server.port}`;
    const curl = async (...args: string[]): Promise<string> => {
      const { stdout, stderr } = await start("curl", ["-sS", "--max-time", "20", "--path-as-is", ...args])
        .ended;
      assertEquals(stderr, "");
      return stdout;
    };
    const status = (...args: string[]): Promise<string> =>
      curl("-o", "/dev/null", "-w", "%{http_code}", ...args);
    assertEquals(await curl(`${url}/`), "<h1>hello</h1>");
    assertEquals(await curl("-r", "4-8", `${url}/index.html`), "hello");
    assertEquals(await curl("--compressed", `${url}/page.txt`), "page");
    const head = await curl("-I", `${url}/index.html`);
    assertMatch(head, /^HTTP\/1\.1 200 OK\r\n/);
    assertMatch(head, /^x-content-type-options: nosniff\r$/mi);
    const tag = /^etag: (.*)\r$/mi.exec(head)?.[1] ?? "";
    assertEquals(await status("-H", `If-None-Match: ${tag}`, `${url}/index.html`), "304");
    for (const path of ["/none", "/.hidden", "/link", "/../secret", "/%2e%2e/secret"]) {
      assertMatch(`${path}: ${await status(url + path)}`, /: 40[0-9]$/);
    }
    const { code, stdout } = await server.end();
    assertEquals(code, 0);
    assertMatch(stdout, /^\S+Z "GET \/none" 404$/m);
  });

  it("gives fetch every byte of a large file", async () => {
    await using server = await serveExample(PATH, join(folder, "site"));
    const response = await fetch(`http://127.0.0.1:${server.port}/large.bin`);
    assertEquals(Buffer.compare(Buffer.from(await response.arrayBuffer()), LARGE), 0);
  });

  it("ends in order on SIGTERM: an answer that has begun is sent to its end", async () => {
    await using server = await serveExample(PATH, join(folder, "site"));
    using peer = new Peer(server.port);
    peer.socket.pause();
    peer.say("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    using other = new Peer(server.port);
    other.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await other.hears("<h1>hello</h1>");
    const ended = server.end("SIGTERM");
    await other.closed;
    peer.socket.resume();
    await peer.closed;
    assertEquals(Buffer.compare(peer.bytes.subarray(-LARGE.length), LARGE), 0);
    assertEquals((await ended).code, 0);
  });
});
