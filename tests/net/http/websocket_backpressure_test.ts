import { describe, it } from "node:test";
import { assert, assertStrictEquals } from "@std/assert";
import { sleep } from "../../../lib/task/mod.ts";
import { echoing } from "./echo_websocket.ts";
import { BINARY, frame, RawClient } from "./websocket_wire.ts";

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
