import { describe, it } from "node:test";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { HttpError } from "../../../lib/net/http.ts";
import { upgradeWebSocket } from "../../../lib/net/websocket.ts";
import { exchange, statusOf } from "./client.ts";
import { closeOf, connected, echoing, nextMessage, text, utf8 } from "./echo_websocket.ts";
import { CLOSE, frame, HANDSHAKE, RawClient } from "./websocket_wire.ts";

describe("upgradeWebSocket()", () => {
  it("gives a client of the host's every message back, text and bytes", () =>
    echoing({}, async ({ server }) => {
      const client = await connected(server);
      const message = fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 300 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(200_000).map((length) => new Uint8Array(length).fill(7)),
        fc.nat(100_000).map((length) => "é".repeat(length)),
      );
      await fc.assert(
        fc.asyncProperty(message, async (sent) => {
          const received = nextMessage(client);
          client.send(typeof sent === "string" ? sent : new Uint8Array(sent));
          const data = await received;
          if (typeof sent === "string") return assertStrictEquals(data, sent);
          assert(data instanceof ArrayBuffer);
          assertEquals(new Uint8Array(data), new Uint8Array(sent));
        }),
        { numRuns: 60 },
      );
      const close = closeOf(client);
      client.close(3000, "done");
      assertEquals((await close).code, 3000);
    }));

  it("keeps messages in order, whoever sends faster", () =>
    echoing({}, async ({ server }) => {
      const client = await connected(server);
      const received: string[] = [];
      const all = new Promise<void>((resolve) => {
        client.onmessage = ({ data }) => {
          if (received.push(data) === 2000) resolve();
        };
      });
      for (let i = 0; i < 2000; i++) client.send(`${i}`);
      await all;
      assertEquals(received, Array.from({ length: 2000 }, (_, i) => `${i}`));
      client.close();
    }));

  it("answers the handshake as RFC 6455 has it", () =>
    echoing({}, async ({ server }) => {
      using client = await RawClient.open(server);
      assertMatch(client.head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
      assertStringIncludes(client.head.toLowerCase(), "\r\nupgrade: websocket\r\n");
      assertStringIncludes(client.head.toLowerCase(), "\r\nconnection: upgrade\r\n");
      assertMatch(client.head, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
      assert(!/sec-websocket-(?:protocol|extensions)|content-length|transfer-encoding/i.test(client.head));
    }));

  it("hears what the client sends with its handshake", () =>
    echoing({}, async ({ server }) => {
      const early = Uint8Array.from([...frame(text("one")), ...frame(text("two"))]);
      using client = await RawClient.open(server, "", early);
      for (const word of ["one", "two"]) {
        assertEquals((await client.next())?.payload, utf8.encode(word));
      }
    }));

  it("sends what was sent before it was open right after the answer, and says when it is", () => {
    const states: number[] = [];
    let opened = "";
    return echoing({}, async ({ server, sockets, closed }) => {
      using client = await RawClient.open(server);
      assertEquals((await client.next())?.payload, utf8.encode("early"));
      assertEquals((await client.next())?.payload, utf8.encode("on open"));
      states.push(sockets[0].readyState);
      sockets[0].close();
      states.push(sockets[0].readyState);
      await client.closeCode();
      await client.send({ opcode: CLOSE, payload: new Uint8Array(0) });
      client.stream.close();
      await closed();
      states.push(sockets[0].readyState);
      assertEquals(states, [0, 0, 1, 2, 3]);
      assertStrictEquals(opened, "listener");
    }, (socket) => {
      states.push(socket.readyState);
      socket.send("early");
      states.push(socket.readyState);
      socket.onopen = () => socket.send("on open");
      const removed = (): void => {
        opened += "removed";
      };
      socket.addEventListener("open", removed);
      socket.removeEventListener("open", removed);
      socket.addEventListener("open", ({ type }) => {
        if (type === "open") opened += "listener";
      });
    });
  });

  it("agrees on the subprotocol that it is told to", async () => {
    await echoing({ protocol: "chat" }, async ({ server, sockets }) => {
      using client = await RawClient.open(server, "Sec-WebSocket-Protocol: superchat, chat\r\n");
      assertMatch(client.head, /\r\nsec-websocket-protocol: chat\r\n/i);
      assertStrictEquals(sockets[0].protocol, "chat");
      using other = await RawClient.open(server, "Sec-WebSocket-Protocol: superchat\r\n");
      assert(!/sec-websocket-protocol/i.test(other.head));
      assertStrictEquals(sockets[1].protocol, "");
    });
    const seen: (readonly string[])[] = [];
    const protocol = (offered: readonly string[]): string | undefined => {
      seen.push(offered);
      return offered.at(-1);
    };
    await echoing({ protocol }, async ({ server }) => {
      const client = await connected(server, ["a", "b"]);
      assertStrictEquals(client.protocol, "b");
      assertEquals(seen, [["a", "b"]]);
      client.close();
    });
    await echoing({ protocol: () => "none" }, async ({ server }) => {
      using client = await RawClient.open(server, "Sec-WebSocket-Protocol: a\r\n");
      assertMatch(client.head, /^HTTP\/1\.1 500 /);
    });
  });

  it("packs messages where it may and the client can", async () => {
    const offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    await echoing({ compress: true }, async ({ server, sockets }) => {
      using raw = await RawClient.open(server, offer);
      assertMatch(raw.head, /\r\nsec-websocket-extensions: permessage-deflate/i);
      assertStrictEquals(sockets[0].extensions, "permessage-deflate");
      await raw.send(text("a".repeat(10_000)));
      const answer = await raw.next();
      assert(answer !== undefined && answer.rsv === 4 && answer.payload.length < 1000);
      const client = await connected(server);
      const received = nextMessage(client);
      client.send("b".repeat(10_000));
      assertStrictEquals(await received, "b".repeat(10_000));
      client.close();
    });
    await echoing({}, async ({ server }) => {
      using raw = await RawClient.open(server, offer);
      assert(!/sec-websocket-extensions/i.test(raw.head));
    });
  });

  const handshakes: [change: string, from: RegExp, to: string, status: number][] = [
    ["no Upgrade", /Upgrade: websocket\r\n/, "", 426],
    ["another Upgrade", /Upgrade: websocket/, "Upgrade: h2c", 426],
    ["no Connection", /Connection: .*\r\n/, "", 426],
    ["a Connection without Upgrade", /keep-alive, Upgrade/, "keep-alive", 426],
    ["another version", /Version: 13/, "Version: 8", 426],
    ["no version", /Sec-WebSocket-Version: 13\r\n/, "", 426],
    ["no key", /\r\nSec-WebSocket-Key: .*$/, "", 400],
    ["a key that is too short", /dGhlIHNhbXBsZSBub25jZQ==/, "dGhl", 400],
    ["a key that is no base64", /dGhlIHNhbXBsZSBub25jZQ==/, "dGhlIHNhbXBsZSBub25j!Q==", 400],
    ["another method", /^GET/, "POST", 400],
    ["HTTP/1.0", /HTTP\/1\.1/, "HTTP/1.0", 400],
    ["a malformed subprotocol", /$/, "\r\nSec-WebSocket-Protocol: a b", 400],
    ["a subprotocol twice", /$/, "\r\nSec-WebSocket-Protocol: a, a", 400],
    ["a body", /$/, "\r\nContent-Length: 1", 400],
  ];
  for (const [change, from, to, status] of handshakes) {
    it(`refuses a handshake with ${change} by ${status}`, () =>
      echoing({}, async ({ server }) => {
        const request = HANDSHAKE.replace(from, to);
        assert(request !== HANDSHAKE);
        const answer = await exchange(server, `${request}\r\n\r\n`);
        assertStrictEquals(statusOf(answer), status);
        if (status !== 426) return;
        assertMatch(answer, /\r\nupgrade: websocket\r\n/i);
        assertMatch(answer, /\r\nsec-websocket-version: 13\r\n/i);
      }));
  }

  it("throws for a request that is no handshake what the server answers by", () => {
    const error = assertThrows(() => upgradeWebSocket(new Request("http://localhost/")), HttpError);
    assertStrictEquals(error.status, 426);
  });

  const wrong: [Record<string, unknown>, string][] = [
    [{ maxPayload: 0 }, "maxPayload"],
    [{ maxPayload: 1.5 }, "maxPayload"],
    [{ pingMs: -1 }, "pingMs"],
    [{ closeMs: 2 ** 31 }, "closeMs"],
    [{ protocol: 1 }, "protocol"],
    [{ compress: "yes" }, "compress"],
    [{ idle: 1 }, "idle"],
  ];
  for (const [options, name] of wrong) {
    it(`refuses the options ${JSON.stringify(options)}`, () => {
      const error = assertThrows(() => upgradeWebSocket(new Request("http://localhost/"), options), Error);
      assert(error instanceof TypeError || error instanceof RangeError);
      assertStringIncludes(error.message, name);
    });
  }
});
