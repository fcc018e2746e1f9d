import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { sleep } from "../../../lib/task/mod.ts";
import { echoing, text, utf8 } from "./echo_websocket.ts";
import { BINARY, CLOSE, frame, PING, PONG, RawClient, TEXT } from "./websocket_wire.ts";

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
