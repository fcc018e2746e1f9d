import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { HttpServer } from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { type ServerWebSocket, upgradeWebSocket } from "../../../lib/net/websocket.ts";
import { sleep } from "../../../lib/task/mod.ts";
import { encoder, exchange, GET, hello, serving, statusOf } from "./client.ts";
import { BINARY, frame, HANDSHAKE, PING, RawClient, TEXT } from "./websocket_wire.ts";

const LAST_HANDSHAKE = `${HANDSHAKE.replace("keep-alive", "close")}\r\n\r\n`;
const HI = { opcode: TEXT, payload: encoder.encode("hi") };

/** How the socket closes. */
function codeOf(socket: ServerWebSocket): Promise<number> {
  return new Promise((resolve) => socket.onclose = ({ code }) => resolve(code));
}

const copies: Record<string, (request: Request) => Request> = {
  "new Request(request)": (request) => new Request(request),
  "new Request(url, request)": (request) => new Request("http://a/b", request),
  "new Request(request, init)": (request) => new Request(request, { headers: request.headers }),
  "a copy of a copy": (request) => new Request(new Request(request)),
};

describe("upgradeWebSocket()", () => {
  for (const [name, copy] of Object.entries(copies)) {
    it(`takes ${name}, and closes the socket where the request is answered otherwise`, () => {
      const codes: Promise<number>[] = [];
      return serving(
        (request) => {
          const { socket, response } = upgradeWebSocket(copy(request));
          codes.push(codeOf(socket));
          socket.onmessage = ({ data }) => socket.send(data);
          if (codes.length === 1) return response;
          if (codes.length === 2) return hello();
          throw new Error("no");
        },
        { onError: () => new Response(null, { status: 500 }) },
        async (server) => {
          using client = await RawClient.open(server);
          await client.send(HI);
          assertEquals((await client.next())?.payload, HI.payload);
          assertEquals(statusOf(await exchange(server, LAST_HANDSHAKE)), 200);
          assertStrictEquals(await codes[1], 1006);
          assertEquals(statusOf(await exchange(server, LAST_HANDSHAKE)), 500);
          assertStrictEquals(await codes[2], 1006);
        },
      );
    });
  }

  it("closes the socket at once of a request that was answered, and of one whose client has gone", () => {
    const requests: Request[] = [];
    const late = Promise.withResolvers<Response>();
    return serving(
      (request) => {
        requests.push(request);
        return requests.length === 1 ? hello() : late.promise;
      },
      {},
      async (server) => {
        await exchange(server, LAST_HANDSHAKE);
        assertStrictEquals(await codeOf(upgradeWebSocket(requests[0]).socket), 1006);
        {
          using stream = await TcpStream.connect(server.address);
          await stream.writeAll(encoder.encode(LAST_HANDSHAKE));
          while (requests.length < 2) await sleep(1);
        }
        while (!requests[1].signal.aborted) await sleep(1);
        const { socket, response } = upgradeWebSocket(requests[1]);
        late.resolve(response);
        assertStrictEquals(await codeOf(socket), 1006);
      },
    );
  });

  it("leaves the signal of a request alone that is answered, but for one that asks for an upgrade", () => {
    const requests: Request[] = [];
    return serving(
      (request) => {
        requests.push(request);
        if (requests.length === 2) assert(!request.signal.aborted);
        return hello();
      },
      {},
      async (server) => {
        await exchange(server, GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        await exchange(server, LAST_HANDSHAKE);
        assertEquals(requests.map(({ signal }) => signal.aborted), [false, true]);
      },
    );
  });
});

/** A server of sockets that `shape` has formed, and what its onError was told. */
async function shaped(
  shape: (socket: ServerWebSocket) => void,
  body: (server: HttpServer, errors: unknown[]) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  await serving((request) => {
    const { socket, response } = upgradeWebSocket(request);
    shape(socket);
    return response;
  }, {
    onError: (error) => {
      errors.push(error);
      return hello();
    },
  }, (server) => body(server, errors));
}

function fail(): never {
  throw new Error("a listener's");
}

describe("a listener of a WebSocket that fails", () => {
  const failing: Record<string, (socket: ServerWebSocket) => void> = {
    "onmessage that throws": (socket) => socket.onmessage = fail,
    "onmessage that rejects": (socket) =>
      socket.onmessage = async () => {
        await sleep(1);
        fail();
      },
    "onopen that throws": (socket) => socket.onopen = fail,
    "one that was added and throws": (socket) => socket.addEventListener("message", fail),
    "onclose that was added and throws, after another 1011": (socket) => {
      socket.onmessage = () => socket.close(1011);
      socket.addEventListener("close", fail);
    },
  };
  for (const [name, shape] of Object.entries(failing)) {
    it(`is told to onError, and closes the socket by 1011: ${name}`, () =>
      shaped(shape, async (server, errors) => {
        using client = await RawClient.open(server);
        await client.send(HI);
        assertStrictEquals(await client.closeCode(), 1011);
        client.stream.close();
        while (errors.length === 0) await sleep(1);
        assertEquals(errors.map(String), ["Error: a listener's"]);
      }));
  }

  it("keeps no event from the others, nor from other sockets", () => {
    const heard: unknown[] = [];
    return shaped((socket) => {
      socket.onmessage = fail;
      socket.addEventListener("message", ({ data }) => heard.push(data));
    }, async (server, errors) => {
      using one = await RawClient.open(server);
      using other = await RawClient.open(server);
      await one.send(HI);
      assertStrictEquals(await one.closeCode(), 1011);
      await other.send(HI);
      assertStrictEquals(await other.closeCode(), 1011);
      assertEquals([heard, errors.length], [["hi", "hi"], 2]);
    });
  });

  it("hears nothing of what the client sends before it has heard of the end", () => {
    let calls = 0;
    return shaped((socket) => {
      socket.onmessage = () => {
        calls++;
        fail();
      };
    }, async (server, errors) => {
      using client = await RawClient.open(server);
      await client.send(HI, HI, HI);
      assertStrictEquals(await client.closeCode(), 1011);
      assertEquals([calls, errors.length], [1, 1]);
    });
  });

  it("is a line on stderr before the socket is open", async () => {
    const { error } = console;
    const told: unknown[] = [];
    console.error = (failure: unknown) => told.push(failure);
    try {
      await serving(
        (request) => {
          upgradeWebSocket(request).socket.onclose = fail;
          return hello();
        },
        {},
        async (server) => {
          await exchange(server, LAST_HANDSHAKE);
          while (told.length === 0) await sleep(1);
        },
      );
    } finally {
      console.error = error;
    }
    assertEquals(told.map(String), ["Error: a listener's"]);
  });
});

describe("a WebSocket's pings", () => {
  it("cut no client off whose message comes slowly, in one frame, behind which its answer waits", () => {
    const lengths: number[] = [];
    let isOpen = true;
    return serving(
      (request) => {
        const { socket, response } = upgradeWebSocket(request, { pingMs: 250 });
        socket.onmessage = ({ data }) => {
          lengths.push(data instanceof ArrayBuffer ? data.byteLength : data.length);
        };
        socket.onclose = () => isOpen = false;
        return response;
      },
      {},
      async (server) => {
        using client = await RawClient.open(server);
        const message = frame({ opcode: BINARY, payload: new Uint8Array(40_000) });
        for (let at = 0; at < message.length && isOpen; at += 500) {
          await client.stream.writeAll(message.subarray(at, at + 500));
          await sleep(10);
        }
        assertStrictEquals((await client.next())?.opcode, PING);
        while (lengths.length === 0 && isOpen) await sleep(1);
        assertEquals(lengths, [40_000]);
      },
    );
  });
});
