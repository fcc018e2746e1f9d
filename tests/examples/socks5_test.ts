import { createServer, type Server } from "node:net";
import { after, before, describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { unlessInstalled } from "../skip.ts";
import { Peer, serveExample, start } from "./program.ts";

const PATH = "examples/net/socks5.ts";
const skip = unlessInstalled("curl");

/** Answers any request with the address that it was asked from and its first line, then ends. */
function origin(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    let head = "";
    socket.on("data", (bytes) => {
      head += bytes;
      if (!head.endsWith("\r\n\r\n")) return;
      const body = `you said ${head.split("\r\n")[0]}`;
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    });
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({ server, port: typeof address === "object" ? address?.port ?? 0 : 0 });
    })
  );
}

describe(PATH, () => {
  let port = 0;
  let server: Server;

  before(async () => {
    ({ server, port } = await origin());
  });

  after(() => {
    server.close();
  });

  function curl(...args: string[]) {
    return start("curl", ["--silent", "--show-error", "--max-time", "20", "--noproxy", "", ...args]).ended;
  }

  const connectTo = (to: number): Uint8Array => Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, to >> 8, to & 0xff);

  it("connects curl by address and by name", { skip }, async () => {
    await using proxy = await serveExample(PATH);
    for (const [option, host] of [["--socks5", "127.0.0.1"], ["--socks5-hostname", "localhost"]]) {
      const { stdout, code, stderr } = await curl(
        option,
        `127.0.0.1:${proxy.port}`,
        `http://${host}:${port}/a`,
      );
      assertEquals({ code, stdout, stderr }, { code: 0, stdout: "you said GET /a HTTP/1.1", stderr: "" });
    }
    assertEquals((await proxy.end()).code, 0);
  });

  it("asks for the user and the password, and lets no other in", { skip }, async () => {
    await using proxy = await serveExample(PATH, "0", "ada:lovelace");
    const by = (login: string) =>
      curl("--socks5", `${login}127.0.0.1:${proxy.port}`, `http://127.0.0.1:${port}/`);
    assertEquals((await by("ada:lovelace@")).stdout, "you said GET / HTTP/1.1");
    for (const login of ["ada:byron@", "ada:lovelac@", "ada:lovelacee@", ""]) {
      const { code, stdout } = await by(login);
      assertEquals({ isRefused: code !== 0, stdout }, { isRefused: true, stdout: "" });
    }
  });

  it("takes a whole dialogue that comes at once, or byte by byte", async () => {
    await using proxy = await serveExample(PATH);
    const dialogue = [
      Uint8Array.of(5, 2, 0, 2),
      connectTo(port),
      new TextEncoder().encode("GET /x HTTP/1.1\r\n\r\n"),
    ];
    for (const isWhole of [true, false]) {
      using peer = new Peer(proxy.port);
      const bytes = Uint8Array.from(dialogue.flatMap((part) => [...part]));
      if (isWhole) peer.say(bytes);
      else {
        for (const byte of bytes) {
          peer.say(Uint8Array.of(byte));
          await new Promise((resolve) => setTimeout(resolve));
        }
      }
      await peer.hears("you said GET /x HTTP/1.1");
      assertEquals([...peer.bytes.subarray(0, 6)], [5, 0, 5, 0, 0, 1]);
    }
  });

  it("says why it does not connect, by the codes of the RFC", async () => {
    await using proxy = await serveExample(PATH);
    const { server: closed, port: unused } = await origin();
    await new Promise((resolve) => closed.close(resolve));
    const cases = [
      { why: "the port is closed", code: 5, request: connectTo(unused) },
      { why: "BIND", code: 7, request: Uint8Array.of(5, 2, 0, 1, 127, 0, 0, 1, 0, 80) },
      { why: "an unknown type of address", code: 8, request: Uint8Array.of(5, 1, 0, 9, 1, 1) },
    ];
    for (const { why, code, request } of cases) {
      using peer = new Peer(proxy.port);
      peer.say(Uint8Array.of(5, 1, 0, ...request));
      await peer.until(({ bytes }) => bytes.length >= 12);
      assertEquals({ why, code: peer.bytes[3] }, { why, code });
      await peer.closed;
    }
  });

  it("closes on what is no SOCKS5, and goes on", async () => {
    await using proxy = await serveExample(PATH);
    using web = new Peer(proxy.port);
    web.say("GET / HTTP/1.1\r\n\r\n");
    await web.closed;
    using stranger = new Peer(proxy.port);
    stranger.say(Uint8Array.of(5, 1, 1));
    await stranger.until(({ bytes }) => bytes.length === 2);
    assertEquals([...stranger.bytes], [5, 255]);
    await stranger.closed;
    const { code, stderr } = await proxy.end();
    assertEquals(code, 0);
    assertMatch(stderr, /the version is 71, not 5/);
  });
});
