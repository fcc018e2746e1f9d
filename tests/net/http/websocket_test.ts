import { describe, it } from "node:test";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { HttpError, type HttpServer } from "../../../lib/net/http.ts";
import {
  type ServerWebSocket,
  type ServerWebSocketEvents,
  upgradeWebSocket,
  type UpgradeWebSocketOptions,
} from "../../../lib/net/websocket.ts";
import { sleep } from "../../../lib/task/mod.ts";
import { exchange, serving, statusOf } from "./client.ts";
import {
  BINARY,
  CLOSE,
  type Frame,
  frame,
  HANDSHAKE,
  PING,
  PONG,
  RawClient,
  TEXT,
} from "./websocket_wire.ts";

const utf8 = new TextEncoder();

type Close = ServerWebSocketEvents["close"];

/** What the server saw of its sockets. */
interface Served {
  readonly server: HttpServer;
  readonly sockets: ServerWebSocket[];
  /** How the next socket closes. */
  closed(): Promise<Close>;
}

/** A server that gives every message back. */
function echoing(
  options: UpgradeWebSocketOptions,
  body: (served: Served) => Promise<void>,
  shape: (socket: ServerWebSocket) => void = () => undefined,
): Promise<void> {
  const sockets: ServerWebSocket[] = [];
  const closes: Close[] = [];
  const waiting: ((close: Close) => void)[] = [];
  return serving(
    (request) => {
      const { socket, response } = upgradeWebSocket(request, options);
      sockets.push(socket);
      socket.onmessage = ({ data }) => socket.send(data);
      socket.onclose = (close) => {
        const heard = waiting.shift();
        if (heard === undefined) closes.push(close);
        else heard(close);
      };
      shape(socket);
      return response;
    },
    { onError: (error) => new Response(String(error), { status: 500 }) },
    (server) => {
      const closed = (): Promise<Close> => {
        const close = closes.shift();
        return close === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(close);
      };
      return body({ server, sockets, closed });
    },
  );
}

/** The host's own client, open. */
async function connected(server: HttpServer, protocols: string[] = []): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${server.address.port}/`, protocols);
  client.binaryType = "arraybuffer";
  await new Promise<void>((resolve, reject) => {
    client.onopen = () => resolve();
    client.onerror = () => reject(new Error("the client cannot connect"));
  });
  return client;
}

function nextMessage(client: WebSocket): Promise<unknown> {
  return new Promise((resolve) => client.onmessage = ({ data }) => resolve(data));
}

function closeOf(client: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => client.onclose = ({ code, reason }) => resolve({ code, reason }));
}

function text(payload: string, more: Partial<Frame> = {}): Frame {
  return { opcode: TEXT, payload: utf8.encode(payload), ...more };
}

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

describe("a WebSocket's frames", () => {
  it("make one message of fragments, with a ping answered in between", () =>
    echoing({}, async ({ server }) => {
      using client = await RawClient.open(server);
      await client.send(
        text("he", { fin: false }),
        { opcode: PING, payload: utf8.encode("there?") },
        { opcode: 0, payload: utf8.encode("ll"), fin: false },
        { opcode: 0, payload: utf8.encode("o") },
      );
      const [pong, message] = [await client.next(), await client.next()];
      assertEquals([pong?.opcode, pong?.payload], [PONG, utf8.encode("there?")]);
      assertEquals([message?.opcode, message?.payload, message?.fin], [TEXT, utf8.encode("hello"), true]);
    }));

  it("may come byte by byte", () =>
    echoing({}, async ({ server }) => {
      using client = await RawClient.open(server);
      for (const byte of frame(text("slowly"))) {
        await client.stream.writeAll(Uint8Array.of(byte));
        await sleep(0);
      }
      assertEquals((await client.next())?.payload, utf8.encode("slowly"));
    }));

  it("may cut a character in two", () =>
    echoing({}, async ({ server }) => {
      using client = await RawClient.open(server);
      const [first, second] = utf8.encode("é");
      await client.send(
        { opcode: TEXT, payload: Uint8Array.of(first), fin: false },
        { opcode: 0, payload: Uint8Array.of(second) },
      );
      assertEquals((await client.next())?.payload, utf8.encode("é"));
    }));

  it("may be empty, and of every length's encoding", () =>
    echoing({}, async ({ server }) => {
      using client = await RawClient.open(server);
      for (const length of [0, 1, 125, 126, 127, 65535, 65536, 200_000]) {
        const payload = new Uint8Array(length).map((_, i) => i);
        await client.send({ opcode: BINARY, payload });
        assertEquals((await client.next())?.payload, payload);
      }
    }));

  const closing = (code: number, reason: number[] = []): Uint8Array =>
    Uint8Array.from([code >> 8, code & 255, ...reason]);
  const violations: [what: string, bytes: Uint8Array, code: number][] = [
    ["that is not masked", frame(text("a"), false), 1002],
    ["with a reserved bit", frame(text("a", { rsv: 4 })), 1002],
    ["with another reserved bit", frame(text("a", { rsv: 1 })), 1002],
    ["of a reserved opcode", frame(text("a", { opcode: 3 })), 1002],
    ["of a reserved control opcode", frame(text("a", { opcode: 11 })), 1002],
    ["that goes on with nothing", frame(text("a", { opcode: 0 })), 1002],
    [
      "that begins a message within another",
      Uint8Array.from([...frame(text("a", { fin: false })), ...frame(text("b"))]),
      1002,
    ],
    ["that is a ping in fragments", frame({ opcode: PING, payload: new Uint8Array(1), fin: false }), 1002],
    ["that is a ping of 126 bytes", frame({ opcode: PING, payload: new Uint8Array(126) }), 1002],
    ["that is a close of one byte", frame({ opcode: CLOSE, payload: new Uint8Array(1) }), 1002],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map((
      code,
    ): [string, Uint8Array, number] => [
      `that closes by ${code}`,
      frame({ opcode: CLOSE, payload: closing(code) }),
      1002,
    ]),
    [
      "that closes by a reason that is no UTF-8",
      frame({ opcode: CLOSE, payload: closing(1000, [0xc3, 0x28]) }),
      1007,
    ],
    ["of text that is no UTF-8", frame({ opcode: TEXT, payload: Uint8Array.of(0xc3, 0x28) }), 1007],
    [
      "of text that ends within a character",
      frame({ opcode: TEXT, payload: Uint8Array.of(0xe2, 0x82) }),
      1007,
    ],
    ["of text with a surrogate", frame({ opcode: TEXT, payload: Uint8Array.of(0xed, 0xa0, 0x80) }), 1007],
    ["that is longer than may be", frame({ opcode: BINARY, payload: new Uint8Array(1001) }), 1009],
    [
      "that makes a message longer than may be",
      Uint8Array.from([
        ...frame({ opcode: BINARY, payload: new Uint8Array(600), fin: false }),
        ...frame({ opcode: 0, payload: new Uint8Array(600) }),
      ]),
      1009,
    ],
    [
      "that announces more than anybody has",
      Uint8Array.of(0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4),
      1009,
    ],
  ];
  for (const [what, bytes, code] of violations) {
    it(`are refused by ${code} with one ${what}`, () => {
      let told: Error | undefined;
      return echoing({ maxPayload: 1000 }, async ({ server, closed }) => {
        using client = await RawClient.open(server, "", bytes);
        assertStrictEquals(await client.closeCode(), code);
        client.stream.close();
        await closed();
        assert(told !== undefined);
      }, (socket) => {
        socket.onerror = ({ error }) => told = error;
      });
    });
  }

  it("that are refused end no program, though nobody listens", () =>
    echoing({}, async ({ server, closed }) => {
      using client = await RawClient.open(server, "", frame(text("a"), false));
      assertStrictEquals(await client.closeCode(), 1002);
      client.stream.close();
      await closed();
      using other = await RawClient.open(server);
      await other.send(text("still here"));
      assertEquals((await other.next())?.payload, utf8.encode("still here"));
    }));
});

describe("the end of a WebSocket", () => {
  it("is answered by the client's own code, and told with its reason", () =>
    echoing({}, async ({ server, closed }) => {
      for (const [code, reason] of [[1000, ""], [3000, "bye"], [4999, "é".repeat(61)]] as const) {
        const client = await connected(server);
        const heard = closeOf(client);
        client.close(code, reason);
        const { code: seen, reason: told, wasClean } = await closed();
        assertEquals([seen, told, wasClean], [code, reason, true]);
        assertStrictEquals((await heard).code, code);
      }
    }));

  it("is 1005 where the client gives no code", () =>
    echoing({}, async ({ server, closed }) => {
      using client = await RawClient.open(server);
      await client.send({ opcode: CLOSE, payload: new Uint8Array(0) });
      assertStrictEquals(await client.closeCode(), 1005);
      assertStrictEquals(await client.next(), undefined);
      client.stream.close();
      assertStrictEquals((await closed()).code, 1005);
    }));

  it("is 1006 where the connection breaks off", () =>
    echoing({}, async ({ server, closed, sockets }) => {
      const client = await RawClient.open(server);
      client.stream.close();
      const { code, wasClean } = await closed();
      assertEquals([code, wasClean], [1006, false]);
      await assertRejects(() => sockets[0].send("too late"), Error);
    }));

  it("is the server's, with code and reason", () =>
    echoing({}, async ({ server, sockets, closed }) => {
      const client = await connected(server);
      const heard = closeOf(client);
      sockets[0].close(4000, "enough");
      assertEquals(await heard, { code: 4000, reason: "enough" });
      assertStrictEquals((await closed()).code, 4000);
      sockets[0].close();
      sockets[0].terminate();
      sockets[0].ping();
    }));

  it("has no code that may not be sent, and no reason that is too long", () =>
    echoing({}, async ({ server, sockets }) => {
      using _ = await RawClient.open(server);
      for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, NaN]) {
        assertThrows(() => sockets[0].close(code), RangeError, "code is");
      }
      assertThrows(() => sockets[0].close(1000, "é".repeat(62)), RangeError, "reason is longer");
      const wrong: unknown[] = [1];
      for (const data of wrong) {
        assertThrows(() => Reflect.apply(sockets[0].send, sockets[0], [data]), TypeError);
      }
      assertStrictEquals(sockets[0].readyState, 1);
    }));

  it("comes after closeMs from a client that does not answer", () =>
    echoing({ closeMs: 20 }, async ({ server, sockets, closed }) => {
      using client = await RawClient.open(server);
      sockets[0].close(1000);
      assertStrictEquals(await client.closeCode(), 1000);
      assertStrictEquals(await client.next(), undefined);
      assertStrictEquals((await closed()).code, 1006);
    }));

  it("comes for a client that answers no ping, and not for one that does", () =>
    echoing({ pingMs: 20 }, async ({ server, closed, sockets }) => {
      const alive = await connected(server);
      let pongs = 0;
      sockets[0].addEventListener("pong", () => pongs++);
      using dead = await RawClient.open(server);
      assertStrictEquals((await dead.next())?.opcode, PING);
      assertStrictEquals((await closed()).code, 1006);
      assertStrictEquals(await dead.next(), undefined);
      while (pongs < 3) await sleep(5);
      assertStrictEquals(sockets[0].readyState, 1);
      alive.close();
    }));

  it("is 1001 where the server shuts down, which waits for it", () =>
    echoing({}, async ({ server, closed }) => {
      const client = await connected(server);
      const heard = closeOf(client);
      const finished = server.shutdown({ deadline: 5000 });
      assertStrictEquals((await heard).code, 1001);
      assertStrictEquals((await closed()).code, 1001);
      await finished;
    }));

  it("is a cut where the server shuts down and the client does not answer", () =>
    echoing({}, async ({ server, closed }) => {
      using client = await RawClient.open(server);
      const finished = server.shutdown({ deadline: 30 });
      assertStrictEquals(await client.closeCode(), 1001);
      await finished;
      assertStrictEquals(await client.next(), undefined);
      assertStrictEquals((await closed()).code, 1006);
    }));

  it("comes where the client goes before it was answered", () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    return serving(
      async (request) => {
        const { socket, response } = upgradeWebSocket(request);
        socket.onclose = ({ code }) => resolve(code);
        await promise;
        return response;
      },
      {},
      async (server) => {
        const client = RawClient.open(server);
        await sleep(20);
        await server.shutdown({ deadline: 10 });
        assertStrictEquals(await promise, 1006);
        (await client)[Symbol.dispose]();
      },
    );
  });

  it("comes where the request is answered by anything but the socket's response", async () => {
    const answers: Record<string, (response: Response) => Response | Promise<Response>> = {
      "another": () => new Response("no"),
      "a stream": () => new Response(new Blob(["no"]).stream()),
      "late": async () => {
        await sleep(1);
        return new Response("no");
      },
      "a failure": () => {
        throw new Error("no");
      },
      "a refusal": () => Promise.reject(new HttpError(403, "no")),
      "a request that has a body": (response) => response,
    };
    let kind = "";
    const closes: string[] = [];
    await serving(
      (request) => {
        const { socket, response } = upgradeWebSocket(request);
        socket.onclose = ({ code }) => closes.push(`${kind}: ${code}`);
        return answers[kind](response);
      },
      { onError: () => new Response("no", { status: 500 }) },
      async (server) => {
        for (kind of Object.keys(answers)) {
          const body = kind === "a request that has a body" ? "x" : "";
          const handshake = HANDSHAKE.replace("keep-alive", "close");
          const answer = await exchange(
            server,
            `${handshake}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          );
          assert(/^HTTP\/1\.1 (200|400|403|500) /.test(answer), answer);
          while (closes.length === 0) await sleep(1);
          assertEquals(closes.splice(0), [`${kind}: 1006`]);
        }
      },
    );
  });

  it("does not come for one that is paused, and so reads no answer to a ping", () =>
    echoing({ pingMs: 10 }, async ({ server, sockets }) => {
      using _ = await RawClient.open(server);
      sockets[0].pause();
      await sleep(100);
      assertStrictEquals(sockets[0].readyState, 1);
    }));

  it("comes at once for a socket that was cut before it was open", () =>
    echoing({}, async ({ server }) => {
      using client = await RawClient.open(server);
      assertStrictEquals(await client.next(), undefined);
    }, (socket) => socket.terminate()));

  it("comes for a socket that was closed before it was open, after what it has sent", () =>
    echoing({}, async ({ server }) => {
      using client = await RawClient.open(server);
      assertEquals((await client.next())?.payload, utf8.encode("last"));
      assertStrictEquals(await client.closeCode(), 4001);
    }, (socket) => {
      socket.send("last");
      socket.close(4001);
    }));
});

describe("a WebSocket whose other end is slow", () => {
  it("tells its sender, who waits", () =>
    echoing({ pingMs: 0 }, async ({ server, sockets }) => {
      using client = await RawClient.open(server);
      const bytes = new Uint8Array(1 << 20);
      let sent = 0;
      const sending = (async () => {
        for (; sent < 40; sent++) await sockets[0].send(bytes);
      })();
      let before = -1;
      while (sent !== before || sent === 0) {
        before = sent;
        await sleep(50);
      }
      assert(sent < 30, `${sent} MiB were taken for a client that reads nothing`);
      assert(sockets[0].bufferedAmount > 0);
      for (let i = 0; i < 40; i++) assertStrictEquals((await client.next())?.payload.length, bytes.length);
      await sending;
      assertStrictEquals(sockets[0].bufferedAmount, 0);
    }));

  it("has the client wait while it is paused", () => {
    let heard = 0;
    return echoing({ pingMs: 0 }, async ({ server, sockets }) => {
      using client = await RawClient.open(server);
      sockets[0].onmessage = () => heard++;
      sockets[0].pause();
      let sent = 0;
      const bytes = frame({ opcode: BINARY, payload: new Uint8Array(1 << 18) });
      const sending = (async () => {
        for (; sent < 100; sent++) await client.stream.writeAll(bytes);
      })();
      let before = -1;
      while (sent !== before) {
        before = sent;
        await sleep(50);
      }
      assert(sent < 90, `${sent} of 100 messages were taken while paused`);
      sockets[0].resume();
      await sending;
      while (heard < 100) await sleep(5);
      assertStrictEquals(heard, 100);
    });
  });
});
