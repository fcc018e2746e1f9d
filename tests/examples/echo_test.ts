import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { TcpStream } from "../../lib/net/mod.ts";
import { run } from "../../lib/task/mod.ts";
import { Peer, serveExample } from "./program.ts";

const PATH = "examples/net/echo.ts";

describe(PATH, () => {
  it("sends every byte back, to clients at once, and the rest behind a client's end", async () => {
    await using server = await serveExample(PATH);
    const sent = Buffer.from(Uint8Array.from({ length: 3 << 20 }, (_, i) => i * 31 >> 3));
    const peers = Array.from({ length: 5 }, () => new Peer(server.port));
    for (const peer of peers) peer.socket.end(sent);
    for (const peer of peers) {
      await peer.closed;
      assertEquals(Buffer.compare(peer.bytes, sent), 0);
      peer[Symbol.dispose]();
    }
  });

  it("speaks with our own client", async () => {
    await using server = await serveExample(PATH);
    const echoed = await run(async () => {
      using stream = await TcpStream.connect({ hostname: "127.0.0.1", port: server.port });
      await stream.writeAll(new TextEncoder().encode("to and fro"));
      await stream.shutdown();
      const bytes = new Uint8Array(100);
      let end = 0;
      for (;;) {
        const count = await stream.read(bytes.subarray(end));
        if (count === 0) return new TextDecoder().decode(bytes.subarray(0, end));
        end += count;
      }
    });
    assertEquals(echoed, "to and fro");
  });

  it("goes on after clients that reset, and waits for none that does not read", async () => {
    await using server = await serveExample(PATH);
    using deaf = new Peer(server.port);
    deaf.socket.pause();
    for (let i = 0; i < 64; i++) deaf.say(new Uint8Array(1 << 16));
    for (let i = 0; i < 10; i++) {
      const peer = new Peer(server.port);
      peer.say("gone");
      await peer.hears("gone");
      peer.say(new Uint8Array(1 << 16));
      peer.socket.resetAndDestroy();
    }
    using peer = new Peer(server.port);
    peer.say("still there?");
    await peer.hears("still there?");
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`closes its connections and ends in order on ${signal}`, async () => {
      await using server = await serveExample(PATH);
      using peer = new Peer(server.port);
      peer.say("x");
      await peer.hears("x");
      const { code, stderr } = await server.end(signal);
      await peer.closed;
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
    });
  }
});
