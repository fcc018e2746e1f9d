/**
 * The cases of Autobahn's fuzzing client about compression.
 *
 * `tests/mirrored/autobahn.md` says which of them each test here stands for.
 */
import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { echoing, HELLO, hex, joined, pieces, text } from "./websocket_cases.ts";
import { RawClient, TEXT } from "./websocket_wire.ts";

const NO_TAKEOVER = "client_no_context_takeover; server_no_context_takeover";
const TAIL = hex("0000ffff");

function deflated(payload: Uint8Array): Uint8Array {
  const packed = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  return new Uint8Array(packed).subarray(0, packed.length - TAIL.length);
}

function inflated(payload: Uint8Array): Uint8Array {
  return new Uint8Array(inflateRawSync(joined([payload, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH }));
}

describe("compression", () => {
  const lines = Array.from({ length: 4000 }, (_, i) => `{"line": ${i}, "square": ${i * i}}\n`).join("");
  it("packs what was packed, of every size, whole and in pieces", () =>
    echoing(async (server) => {
      using client = await RawClient.open(
        server,
        `Sec-WebSocket-Extensions: permessage-deflate; ${NO_TAKEOVER}\r\n`,
      );
      assertMatch(client.head, /permessage-deflate; .*no_context_takeover/);
      for (const size of [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072]) {
        const message = text(lines.slice(0, size));
        const [first, ...rest] = pieces({ ...message, payload: deflated(message.payload) }, 256);
        await client.send({ ...first, rsv: 4 }, ...rest);
        const found = await client.next();
        assert(found !== undefined);
        const payload = found.rsv === 4 ? inflated(found.payload) : found.payload;
        assertEquals([found.opcode, payload], [TEXT, message.payload]);
      }
    }, { compress: true }));

  it("agrees on what the client offers first and both can, or packs nothing", () =>
    echoing(async (server) => {
      const offers: [offer: string, answer: RegExp][] = [
        ["permessage-deflate", /^permessage-deflate/],
        ["permessage-deflate; client_max_window_bits", /^permessage-deflate/],
        ["permessage-deflate; server_max_window_bits=9", /^permessage-deflate.*server_max_window_bits=9/],
        ["permessage-deflate; server_max_window_bits=15", /^permessage-deflate/],
        [
          `permessage-deflate; ${NO_TAKEOVER}; server_max_window_bits=9, permessage-deflate`,
          /no_context_takeover/,
        ],
        ["permessage-bzip2", /^$/],
      ];
      for (const [offer, answer] of offers) {
        using client = await RawClient.open(server, `Sec-WebSocket-Extensions: ${offer}\r\n`);
        const agreed = /^sec-websocket-extensions: (.*)\r$/im.exec(client.head)?.[1] ?? "";
        assertMatch(agreed, answer);
        // What is not packed is a message all the same.
        await client.send(text(HELLO));
        assertStrictEquals((await client.next())?.opcode, TEXT);
      }
    }, { compress: true }));
});
