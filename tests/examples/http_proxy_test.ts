import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { unlessInstalled } from "../skip.ts";
import { Peer, serveExample, start } from "./program.ts";
import { listening } from "../host_port.ts";

const PATH = "examples/net/http_proxy.ts";
const skip = unlessInstalled("curl");

describe(PATH, () => {
  let origin: Server;
  let port = 0;

  before(async () => {
    origin = createServer((request, response) => {
      let length = 0;
      request.on("data", (bytes) => length += bytes.length);
      request.on(
        "end",
        () =>
          response.end(
            JSON.stringify({ method: request.method, url: request.url, headers: request.headers, length }),
          ),
      );
    });
    port = await listening(origin);
  });

  after(() => {
    origin.close();
  });

  async function curl(proxy: number, ...args: string[]) {
    const common = ["--silent", "--show-error", "--max-time", "20", "--noproxy", ""];
    return await start("curl", [...common, "-x", `http://127.0.0.1:${proxy}`, ...args]).ended;
  }

  it("hands requests on, without what is meant for the proxy", { skip }, async () => {
    await using proxy = await serveExample(PATH);
    const { stdout, stderr } = await curl(
      proxy.port,
      "-H",
      "Proxy-Authorization: Basic eDp5",
      "-H",
      "X-Hop: 1",
      "-H",
      "Connection: x-hop",
      "-H",
      "X-Mine: kept",
      `http://127.0.0.1:${port}/a/b?c=d`,
    );
    assertEquals(stderr, "");
    const { method, url, headers } = JSON.parse(stdout);
    assertEquals([method, url], ["GET", "/a/b?c=d"]);
    assertEquals([headers.host, headers["x-mine"], headers.via], [`127.0.0.1:${port}`, "kept", "1.1 oxbow"]);
    assertEquals(headers.connection, "close");
    for (const name of ["proxy-authorization", "proxy-connection", "x-hop"]) assert(!(name in headers), name);
    assertEquals((await proxy.end()).code, 0);
  });

  it("hands bodies on, with a length and chunked, and tunnels", { skip }, async () => {
    await using proxy = await serveExample(PATH);
    const data = "x".repeat(300_000);
    const cases = [["--data-binary", "@-"], ["--data-binary", "@-", "-H", "Transfer-Encoding: chunked"]];
    for (const body of [...cases, [...cases[0], "--proxytunnel"]]) {
      const common = ["--silent", "--show-error", "--max-time", "20", "--noproxy", ""];
      const args = [
        ...common,
        "-x",
        `http://127.0.0.1:${proxy.port}`,
        ...body,
        `http://127.0.0.1:${port}/up`,
      ];
      const { ended } = start("sh", ["-c", `head -c ${data.length} /dev/zero | curl "$@"`, "sh", ...args]);
      const { stdout, stderr } = await ended;
      assertEquals(stderr, "");
      const { method, length, headers } = JSON.parse(stdout);
      assertEquals([method, length, "via" in headers], [
        "POST",
        data.length,
        !body.includes("--proxytunnel"),
      ]);
    }
  });

  it("connects to names", { skip }, async () => {
    await using proxy = await serveExample(PATH);
    const { stdout } = await curl(proxy.port, `http://localhost:${port}/`);
    assertEquals(JSON.parse(stdout).headers.host, `localhost:${port}`);
  });

  it("tells who cannot be served why, and goes on", async () => {
    await using proxy = await serveExample(PATH);
    const closed = createServer();
    const unused = await listening(closed);
    await new Promise((resolve) => closed.close(resolve));
    const cases = [
      { request: `GET http://127.0.0.1:${unused}/ HTTP/1.1\r\n\r\n`, status: 502 },
      { request: `CONNECT 127.0.0.1:${unused} HTTP/1.1\r\n\r\n`, status: 502 },
      { request: "GET /own HTTP/1.1\r\nHost: x\r\n\r\n", status: 400 },
      { request: "GET ftp://127.0.0.1/ HTTP/1.1\r\n\r\n", status: 400 },
      { request: "\u0016\u0003\u0001 no request line\r\n\r\n", status: 400 },
      { request: `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nX : y\r\n\r\n`, status: 400 },
      { request: `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nX: y\r\n folded\r\n\r\n`, status: 400 },
      { request: `GET http://127.0.0.1:${port}/ HTTP/1.1\r\n${"X: y\r\n".repeat(200)}\r\n`, status: 431 },
      { request: `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`, status: 200 },
    ];
    for (const { request, status } of cases) {
      using peer = new Peer(proxy.port);
      peer.say(request);
      await peer.closed;
      assertMatch(`${request.slice(0, 60)}${peer.text}`, new RegExp(`HTTP/1.1 ${status} `));
    }
  });

  it("goes on where those who cannot be served have gone", async () => {
    await using proxy = await serveExample(PATH);
    for (let i = 0; i < 30; i++) {
      const socket = connect(proxy.port, "127.0.0.1");
      socket.on("error", () => undefined);
      await new Promise((resolve) => socket.write("no request line\r\n\r\n", resolve));
      await new Promise((resolve) => setTimeout(resolve, i % 3));
      socket.resetAndDestroy();
    }
    using peer = new Peer(proxy.port);
    peer.say(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    await peer.closed;
    assertMatch(peer.text, /^HTTP\/1\.1 200 /);
  });
});
