/**
 * The cases of Autobahn's fuzzing client about frames: their lengths, reserved bits and opcodes.
 *
 * `tests/mirrored/autobahn.md` says which of them each test here stands for.
 */
import { describe } from "node:test";
import {
  binary,
  BYTES,
  echoed,
  FES,
  HELLO,
  passes,
  ping,
  PROTOCOL_ERROR,
  SAID,
  STARS,
  text,
  utf8,
} from "./websocket_cases.ts";
import { CLOSE, type Frame } from "./websocket_wire.ts";

describe("framing", () => {
  passes([
    echoed("gives a text of 0 bytes back", text("")),
    echoed("gives a text of 125 bytes back", text(STARS(125))),
    echoed("gives a text of 126 bytes back", text(STARS(126))),
    echoed("gives a text of 127 bytes back", text(STARS(127))),
    echoed("gives a text of 128 bytes back", text(STARS(128))),
    echoed("gives a text of 65,535 bytes back", text(STARS(65_535))),
    echoed("gives a text of 65,536 bytes back", text(STARS(65_536))),
    echoed("gives a text of 65,536 bytes back that comes 997 at a time", text(STARS(65_536)), 997),
    echoed("gives 0 bytes back", binary(FES(0))),
    echoed("gives 125 bytes back", binary(FES(125))),
    echoed("gives 126 bytes back", binary(FES(126))),
    echoed("gives 127 bytes back", binary(FES(127))),
    echoed("gives 128 bytes back", binary(FES(128))),
    echoed("gives 65,535 bytes back", binary(FES(65_535))),
    echoed("gives 65,536 bytes back", binary(FES(65_536))),
    echoed("gives 65,536 bytes back that come 997 at a time", binary(FES(65_536)), 997),
  ]);
});

describe("reserved bits", () => {
  passes([
    { title: "refuses a text with bit 3", send: [text(HELLO, { rsv: 1 })], closes: PROTOCOL_ERROR },
    {
      title: "answers a text, then refuses one with bit 2 and hears no ping after it",
      send: [text(HELLO), text(HELLO, { rsv: 2 }), ping()],
      get: SAID,
      closes: PROTOCOL_ERROR,
    },
    {
      title: "refuses one with bits 2 and 3 as well where each frame comes by itself",
      send: [text(HELLO), text(HELLO, { rsv: 3 }), ping()],
      get: SAID,
      closes: PROTOCOL_ERROR,
      cut: "frames",
    },
    {
      title: "refuses one with bit 1 as well where each byte comes by itself",
      send: [text(HELLO), text(HELLO, { rsv: 4 }), ping()],
      get: SAID,
      closes: PROTOCOL_ERROR,
      cut: 1,
    },
    { title: "refuses bytes with bits 1 and 3", send: [binary(BYTES, { rsv: 5 })], closes: PROTOCOL_ERROR },
    { title: "refuses a ping with bits 1 and 2", send: [ping(HELLO, { rsv: 6 })], closes: PROTOCOL_ERROR },
    {
      title: "refuses a close with all three",
      send: [{ opcode: CLOSE, payload: FES(0), rsv: 7 }],
      closes: PROTOCOL_ERROR,
    },
  ]);
});

function reserved(opcode: number, payload = ""): Frame {
  return { opcode, payload: utf8.encode(payload) };
}

describe("opcodes", () => {
  passes([
    { title: "refuses opcode 3", send: [reserved(3)], closes: PROTOCOL_ERROR },
    { title: "refuses opcode 4 with a payload", send: [reserved(4, "payload")], closes: PROTOCOL_ERROR },
    {
      title: "answers a text, then refuses opcode 5 and hears no ping after it",
      send: [text(HELLO), reserved(5), ping()],
      get: SAID,
      closes: PROTOCOL_ERROR,
    },
    {
      title: "answers a text, then refuses opcode 6 with a payload",
      send: [text(HELLO), reserved(6, HELLO), ping()],
      get: SAID,
      closes: PROTOCOL_ERROR,
    },
    {
      title: "answers a text, then refuses opcode 7 where each byte comes by itself",
      send: [text(HELLO), reserved(7, HELLO), ping()],
      get: SAID,
      closes: PROTOCOL_ERROR,
      cut: 1,
    },
    { title: "refuses opcode 11", send: [reserved(11)], closes: PROTOCOL_ERROR },
    { title: "refuses opcode 12 with a payload", send: [reserved(12, "payload")], closes: PROTOCOL_ERROR },
    {
      title: "answers a text, then refuses opcode 13 and hears no ping after it",
      send: [text(HELLO), reserved(13), ping()],
      get: SAID,
      closes: PROTOCOL_ERROR,
    },
    {
      title: "answers a text, then refuses opcode 14 with a payload",
      send: [text(HELLO), reserved(14, HELLO), ping()],
      get: SAID,
      closes: PROTOCOL_ERROR,
    },
    {
      title: "answers a text, then refuses opcode 15 where each byte comes by itself",
      send: [text(HELLO), reserved(15, HELLO), ping()],
      get: SAID,
      closes: PROTOCOL_ERROR,
      cut: 1,
    },
  ]);
});
