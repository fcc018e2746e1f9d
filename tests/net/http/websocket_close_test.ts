import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../../lib/net/http.ts";
import { upgradeWebSocket } from "../../../lib/net/websocket.ts";
import { now, sleep } from "../../../lib/task/mod.ts";
import { clock } from "../../../lib/task/testing.ts";
import { exchange, serving } from "./client.ts";
import { closeOf, connected, echoing, utf8 } from "./echo_websocket.ts";
import { CLOSE, HANDSHAKE, PING, RawClient } from "./websocket_wire.ts";

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
    echoing({ pingMs: 200 }, async ({ server, closed, sockets }) => {
      const alive = await connected(server);
      let pongs = 0;
      sockets[0].addEventListener("pong", () => pongs++);
      using dead = await RawClient.open(server);
      assertStrictEquals((await dead.next())?.opcode, PING);
      assertStrictEquals((await closed()).code, 1006);
      assertStrictEquals(await dead.next(), undefined);
      while (pongs < 3 && sockets[0].readyState === 1) await sleep(5);
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

  it("lets a server shut down without a turn of its sweeper", () =>
    echoing({}, async ({ server, closed }) => {
      using client = await RawClient.open(server);
      await client.send({ opcode: CLOSE, payload: new Uint8Array(0) });
      assertStrictEquals(await client.closeCode(), 1005);
      client.stream.close();
      await closed();
      clock.pause();
      const before = now();
      await server.shutdown({ deadline: 5000 });
      assert(now() - before <= 50, `${now() - before} ms went by`);
      clock.resume();
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
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    return serving(
      async (request) => {
        const { socket, response } = upgradeWebSocket(request);
        socket.onclose = ({ code }) => resolve(code);
        ask();
        await promise;
        return response;
      },
      {},
      async (server) => {
        const client = RawClient.open(server);
        await asked;
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
