import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { moduleUrl, outputOf } from "../../child.ts";

/** A program in which the host's own server answers by `answer(request)`, and says what came of `asked`. */
function servedByHost(answer: string, asked: string): string {
  return `
    import { writeSync } from "node:fs";
    import http from "node:http";
    import { Readable } from "node:stream";
    import { FileResponse, serveFiles } from "${moduleUrl("lib/net/http.ts")}";
    import { Fd } from "${moduleUrl("lib/io/mod.ts")}";
    const seen = [];
    ${answer}
    let port, stop;
    if (typeof Deno === "object") {
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
      port = server.addr.port;
      stop = () => server.shutdown();
    } else if (typeof Bun === "object") {
      const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
      port = server.port;
      stop = () => server.stop();
    } else {
      const server = http.createServer((request, response) => {
        const { method, url, headers } = request;
        const given = answer(new Request("http://a" + url, { method, headers }));
        response.writeHead(given.status, Object.fromEntries(given.headers));
        if (given.body === null || method === "HEAD") response.end();
        else Readable.fromWeb(given.body).pipe(response);
        if (method === "HEAD") given.body?.cancel();
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      port = server.address().port;
      stop = () => server.close();
    }
    for (const [path, init] of ${asked}) {
      const response = await fetch("http://127.0.0.1:" + port + path, { headers: { connection: "close" }, ...init });
      const text = await response.text();
      seen.push([path, response.status, text.length, text.slice(0, 40)]);
    }
    while (typeof released === "number" && released < ${asked}.length) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    writeSync(1, JSON.stringify(seen));
    await stop();
    process.exit(0);
  `;
}

/** What the program says that serves a folder with a file of letters and one of a megabyte. */
function seenIn(answer: string, asked: string): unknown {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-foreign-"));
  try {
    writeFileSync(join(folder, "letters.txt"), "abcdefghijklmnopqrstuvwxyz");
    writeFileSync(join(folder, "large.bin"), "x".repeat(1 << 20));
    return JSON.parse(
      outputOf(servedByHost(answer.replace("FOLDER", JSON.stringify(folder)), asked)),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the host's own server", () => {
  it("sends what a FileResponse stands for, and releases the file", () => {
    const answer = `
      const fd = Fd.open(FOLDER + "/letters.txt");
      let released = 0;
      function answer(request) {
        const part = { fd, offset: 2, length: 5, released: () => released++ };
        return new FileResponse(part, { status: request.url.endsWith("/201") ? 201 : 200 });
      }`;
    assertEquals(seenIn(answer, `[["/"], ["/201"]]`), [
      ["/", 200, 5, "cdefg"],
      ["/201", 201, 5, "cdefg"],
    ]);
  });

  it("serves the files of a folder by serveFiles", () => {
    const answer = `const answer = serveFiles(FOLDER);`;
    const part = `{ headers: { range: "bytes=2-4", connection: "close" } }`;
    const old = `{ headers: { "if-modified-since": new Date().toUTCString(), connection: "close" } }`;
    const asked =
      `[["/letters.txt"], ["/letters.txt", ${part}], ["/letters.txt", ${old}], ["/large.bin"], ["/none"]]`;
    assertEquals(seenIn(answer, asked), [
      ["/letters.txt", 200, 26, "abcdefghijklmnopqrstuvwxyz"],
      ["/letters.txt", 206, 3, "cde"],
      ["/letters.txt", 304, 0, ""],
      ["/large.bin", 200, 1 << 20, "x".repeat(40)],
      ["/none", 404, 10, "Not Found\n"],
    ]);
  });
});
