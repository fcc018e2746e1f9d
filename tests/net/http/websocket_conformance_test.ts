/**
 * The cases of Autobahn's fuzzing client that are a server's to pass: `tests/mirrored/autobahn.md` says which of them
 * each test here stands for.
 */
import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import type { HttpServer } from "../../../lib/net/http.ts";
import { upgradeWebSocket, type UpgradeWebSocketOptions } from "../../../lib/net/websocket.ts";
import { sleep } from "../../../lib/task/mod.ts";
import { tiered } from "../../tier.ts";
import { serving } from "./client.ts";
import { BINARY, CLOSE, type Frame, frame, PING, PONG, RawClient, TEXT } from "./websocket_wire.ts";

const utf8 = new TextEncoder();
const CONTINUATION = 0;
const NORMAL = 1000;
const PROTOCOL_ERROR = 1002;
const POLICY = 1008;
const INVALID_DATA = 1007;
const NONE = 1005;
const HELLO = "Hello, world!";
const KIB = 1 << 10;
const MIB = 1 << 20;

function bytesOf(payload: string | Uint8Array): Uint8Array {
  return typeof payload === "string" ? utf8.encode(payload) : payload;
}

function text(payload: string | Uint8Array, more: Partial<Frame> = {}): Frame {
  return { opcode: TEXT, payload: bytesOf(payload), ...more };
}

function binary(payload: Uint8Array, more: Partial<Frame> = {}): Frame {
  return { opcode: BINARY, payload, ...more };
}

/** The first piece of a text. */
function begin(payload: string | Uint8Array): Frame {
  return text(payload, { fin: false });
}

function goOn(payload: string | Uint8Array, fin = false): Frame {
  return { opcode: CONTINUATION, payload: bytesOf(payload), fin };
}

function ping(payload: string | Uint8Array = "", more: Partial<Frame> = {}): Frame {
  return { opcode: PING, payload: bytesOf(payload), ...more };
}

function pong(payload: string | Uint8Array = "", more: Partial<Frame> = {}): Frame {
  return { opcode: PONG, payload: bytesOf(payload), ...more };
}

function close(code: number, reason: string | Uint8Array = ""): Frame {
  return { opcode: CLOSE, payload: Uint8Array.from([code >> 8, code & 255, ...bytesOf(reason)]) };
}

/** The same message in pieces of so many bytes. */
function pieces({ opcode, payload }: Frame, size: number): Frame[] {
  const count = Math.max(1, Math.ceil(payload.length / size));
  return Array.from({ length: count }, (_, i) => ({
    opcode: i === 0 ? opcode : CONTINUATION,
    payload: payload.subarray(i * size, (i + 1) * size),
    fin: i === count - 1,
  }));
}

function hex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** How frames leave: at once, each by itself, or in pieces of so many bytes that have nothing to do with them. */
type Cut = "together" | "frames" | number;

interface Case {
  readonly title: string;
  readonly send: readonly Frame[];
  /** What comes back, in this order, before the end. */
  readonly get?: readonly Frame[];
  /** The code by which the server closes; where nothing is said the client does, normally, once it has all. */
  readonly closes?: number;
  readonly cut?: Cut;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function send({ stream }: RawClient, frames: readonly Frame[], cut: Cut): Promise<void> {
  const parts = frames.map((one) => frame(one));
  if (cut === "frames") {
    for (const part of parts) {
      await stream.writeAll(part);
      await sleep(2);
    }
    return;
  }
  const bytes = joined(parts);
  if (cut === "together") return await stream.writeAll(bytes);
  for (let at = 0; at < bytes.length; at += cut) {
    await stream.writeAll(bytes.subarray(at, at + cut));
    await sleep(0);
  }
}

async function play(
  server: HttpServer,
  { send: sent, get = [], closes, cut = "together" }: Case,
): Promise<void> {
  using client = await RawClient.open(server);
  // A server that has refused what came does not read on.
  const sending = send(client, sent, cut).catch((error) => {
    if (closes === undefined) throw error;
  });
  for (const { opcode, payload } of get) {
    const found = await client.next();
    assertEquals([found?.opcode, found?.fin, found?.rsv], [opcode, true, 0]);
    assertEquals(found?.payload, payload);
  }
  await sending;
  if (closes === undefined) await client.send(close(NORMAL));
  // Nothing else comes before it, and nothing after.
  const last = await client.next();
  assertStrictEquals(last?.opcode, CLOSE);
  const [high, low] = last.payload;
  assertStrictEquals(low === undefined ? NONE : high << 8 | low, closes ?? NORMAL);
  await client.stream.shutdown("write").toPromise().catch(() => undefined);
  assertStrictEquals(await client.next(), undefined);
}

function echoing(
  body: (server: HttpServer) => Promise<void>,
  options: UpgradeWebSocketOptions = {},
): Promise<void> {
  return serving(
    (request) => {
      const { socket, response } = upgradeWebSocket(request, options);
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    },
    {},
    body,
  );
}

function passes(cases: readonly Case[]): void {
  for (const one of cases) it(one.title, () => echoing((server) => play(server, one)));
}

/** What is sent comes back. */
function echoed(title: string, message: Frame, cut: Cut = "together"): Case {
  return { title, send: [message], get: [message], cut };
}

const BYTES = hex("00fffefdfcfb00ff");
const STARS = (length: number): string => "*".repeat(length);
const FES = (length: number): Uint8Array => new Uint8Array(length).fill(0xfe);

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

const TEN_PINGS = Array.from({ length: 10 }, (_, i) => ping(`payload-${i}`));
const TEN_PONGS = TEN_PINGS.map(({ payload }) => pong(payload));

describe("pings and pongs", () => {
  passes([
    { title: "answers an empty ping", send: [ping()], get: [pong()] },
    { title: "answers a ping by its text", send: [ping(HELLO)], get: [pong(HELLO)] },
    { title: "answers a ping by its bytes, which are no text", send: [ping(BYTES)], get: [pong(BYTES)] },
    { title: "answers a ping of 125 bytes", send: [ping(FES(125))], get: [pong(FES(125))] },
    { title: "refuses a ping of 126 bytes", send: [ping(FES(126))], closes: PROTOCOL_ERROR },
    {
      title: "answers a ping of 125 bytes that comes byte by byte",
      send: [ping(FES(125))],
      get: [pong(FES(125))],
      cut: 1,
    },
    { title: "says nothing to an empty pong that it has not asked for", send: [pong()] },
    { title: "says nothing to a pong that it has not asked for", send: [pong("unasked")] },
    {
      title: "answers the ping behind a pong that it has not asked for",
      send: [pong("unasked"), ping("asked")],
      get: [pong("asked")],
    },
    { title: "answers each of ten pings", send: TEN_PINGS, get: TEN_PONGS },
    { title: "answers each of ten pings that come byte by byte", send: TEN_PINGS, get: TEN_PONGS, cut: 1 },
  ]);
});

const SAID = [text(HELLO)];

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

const HALVES = [begin("one "), goOn("two", true)];
const WHOLE = [text("one two")];
const PINGED = [begin("one "), ping("there?"), goOn("two", true)];
const ANSWERED = [pong("there?"), ...WHOLE];
const TO_NOTHING = [goOn("of nothing", true), text(HELLO)];
const TO_NOTHING_YET = [goOn("of nothing"), text(HELLO)];
const TWO_PINGS = [
  begin("a"),
  goOn("b"),
  ping("first"),
  goOn("c"),
  goOn("d"),
  ping("second"),
  goOn("e", true),
];
const TWO_PONGS = [pong("first"), pong("second"), text("abcde")];

describe("fragments", () => {
  passes([
    {
      title: "refuses a ping in two",
      send: [ping("a", { fin: false }), goOn("b", true)],
      closes: PROTOCOL_ERROR,
    },
    {
      title: "refuses a pong in two",
      send: [pong("a", { fin: false }), goOn("b", true)],
      closes: PROTOCOL_ERROR,
    },
    { title: "makes a text of two", send: HALVES, get: WHOLE },
    { title: "makes a text of two that come each by itself", send: HALVES, get: WHOLE, cut: "frames" },
    { title: "makes a text of two that come byte by byte", send: HALVES, get: WHOLE, cut: 1 },
    { title: "answers a ping between the two", send: PINGED, get: ANSWERED },
    {
      title: "answers a ping between the two where each comes by itself",
      send: PINGED,
      get: ANSWERED,
      cut: "frames",
    },
    {
      title: "answers a ping between the two where they come byte by byte",
      send: PINGED,
      get: ANSWERED,
      cut: 1,
    },
    {
      title: "refuses the last piece of nothing, and hears no text after it",
      send: TO_NOTHING,
      closes: PROTOCOL_ERROR,
    },
    {
      title: "refuses the last piece of nothing where the text comes later",
      send: TO_NOTHING,
      closes: PROTOCOL_ERROR,
      cut: "frames",
    },
    {
      title: "refuses the last piece of nothing that comes byte by byte",
      send: TO_NOTHING,
      closes: PROTOCOL_ERROR,
      cut: 1,
    },
    {
      title: "refuses a piece of nothing, and hears no text after it",
      send: TO_NOTHING_YET,
      closes: PROTOCOL_ERROR,
    },
    {
      title: "refuses a piece of nothing where the text comes later",
      send: TO_NOTHING_YET,
      closes: PROTOCOL_ERROR,
      cut: "frames",
    },
    {
      title: "refuses a piece of nothing that comes byte by byte",
      send: TO_NOTHING_YET,
      closes: PROTOCOL_ERROR,
      cut: 1,
    },
    {
      title: "gives a text in two back, then refuses a piece of nothing",
      send: [...HALVES, goOn("c"), text("d")],
      get: WHOLE,
      closes: PROTOCOL_ERROR,
    },
    {
      title: "refuses a piece of nothing before a text in two, which is not given back",
      send: [goOn("a"), begin("b"), goOn("c", true), goOn("a"), begin("b"), goOn("c", true)],
      closes: PROTOCOL_ERROR,
    },
    {
      title: "refuses the last piece of nothing before a text in two",
      send: [goOn("a", true), begin("b"), goOn("c", true), goOn("a", true), begin("b"), goOn("c", true)],
      closes: PROTOCOL_ERROR,
    },
    {
      title: "refuses a text that begins within another",
      send: [begin("a"), text("b")],
      closes: PROTOCOL_ERROR,
    },
    {
      title: "answers two pings among five pieces before the text, each in its turn",
      send: TWO_PINGS,
      get: TWO_PONGS,
    },
    { title: "answers them so where each comes by itself", send: TWO_PINGS, get: TWO_PONGS, cut: "frames" },
    {
      title: "makes a text of 65,536 bytes of pieces of 1,300",
      send: pieces(text(STARS(65_536)), 1_300),
      get: [text(STARS(65_536))],
    },
  ]);
});

const SPECIAL = "Hello-µ@ßöäüàá-UTF-8!!";
const GREEK = hex("cebae1bdb9cf83cebccebaceb5");
const EDITED = hex("656469746564");
const AFTER = joined([GREEK, hex("eda080"), EDITED]);
const BEYOND = joined([GREEK, hex("f4908080"), EDITED]);
const AT = GREEK.length;
const IN_THREE = [begin(GREEK), goOn(BEYOND.subarray(AT, AT + 4)), goOn(EDITED, true)];
const IN_THE_CHARACTER = [
  begin(BEYOND.subarray(0, AT + 1)),
  goOn(BEYOND.subarray(AT + 1, AT + 2)),
  goOn(BEYOND.subarray(AT + 2), true),
];

/** Sequences of one kind, in hexadecimal, and whether they are UTF-8. */
interface Sequences {
  readonly title: string;
  readonly isValid: boolean;
  readonly all: readonly string[];
}

const SEQUENCES: readonly Sequences[] = [
  {
    title: "takes characters of one to four bytes",
    isValid: true,
    all: ["68656c6c6f24", "c2a2", "e282ac", "f0a4ada2", "cebae1bdb9cf83cebcceb5"],
  },
  {
    title: "takes a text that ends between two characters",
    isValid: true,
    all: ["ceba", "cebae1bdb9", "cebae1bdb9cf83", "cebae1bdb9cf83cebc"],
  },
  {
    title: "refuses a text that ends within a character",
    isValid: false,
    all: ["ce", "cebae1", "cebae1bd", "cebae1bdb9cf", "cebae1bdb9cf83ce"],
  },
  {
    title: "takes the first character of each length",
    isValid: true,
    all: ["00", "c280", "e0a080", "f0908080"],
  },
  { title: "refuses the first of five and six bytes", isValid: false, all: ["f888808080", "fc8480808080"] },
  {
    title: "takes the last character of each length",
    isValid: true,
    all: ["7f", "dfbf", "efbfbf", "f48fbfbf"],
  },
  {
    title: "refuses the last of four, five and six bytes",
    isValid: false,
    all: ["f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"],
  },
  {
    title: "takes what stands beside the surrogates, the replacement character, and the last of all",
    isValid: true,
    all: ["ed9fbf", "ee8080", "efbfbd", "f48fbfbf"],
  },
  { title: "refuses the first character beyond Unicode", isValid: false, all: ["f4908080"] },
  {
    title: "refuses bytes that go on where nothing began",
    isValid: false,
    all: [
      "80",
      "bf",
      "80bf",
      "80bf80",
      "80bf80bf80bf",
      Array.from({ length: 63 }, (_, i) => (0x80 + i).toString(16)).join(""),
    ],
  },
  {
    title: "refuses first bytes with nothing behind them",
    isValid: false,
    all: ["c020c120df20", "e020e120ef20", "f020f120f720", "f820f920fb20", "fc20fd20"],
  },
  {
    title: "refuses characters that lack their last byte",
    isValid: false,
    all: ["c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"],
  },
  {
    title: "refuses many of those in a row",
    isValid: false,
    all: ["c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"],
  },
  { title: "refuses bytes that stand in no character", isValid: false, all: ["fe", "ff", "fefeffff"] },
  {
    title: "refuses a slash in more bytes than it needs",
    isValid: false,
    all: ["c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"],
  },
  {
    title: "refuses the last of each length in one byte more",
    isValid: false,
    all: ["c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"],
  },
  {
    title: "refuses NUL in more bytes than it needs",
    isValid: false,
    all: ["c080", "e08080", "f0808080", "f880808080", "fc8080808080"],
  },
  {
    title: "refuses one surrogate",
    isValid: false,
    all: ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"],
  },
  {
    title: "refuses surrogates in pairs",
    isValid: false,
    all: [
      "eda080edb080",
      "eda080edbfbf",
      "edadbfedb080",
      "edadbfedbfbf",
      "edae80edb080",
      "edae80edbfbf",
      "edafbfedb080",
      "edafbfedbfbf",
    ],
  },
  {
    title: "takes code points that are no characters",
    isValid: true,
    all: [
      "efbfbe",
      "efbfbf",
      "f09fbfbe",
      "f09fbfbf",
      "f0afbfbe",
      "f0bfbfbf",
      "f18fbfbe",
      "f29fbfbf",
      "f3bfbfbe",
      "f48fbfbe",
    ],
  },
  { title: "takes the specials", isValid: true, all: ["efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd"] },
];

describe("UTF-8", () => {
  passes([
    { title: "gives an empty text back", send: [text("")], get: [text("")] },
    {
      title: "gives an empty text back that comes in three",
      send: [begin(""), goOn(""), goOn("", true)],
      get: [text("")],
    },
    {
      title: "gives a text back that stands between two empty pieces",
      send: [begin(""), goOn("middle"), goOn("", true)],
      get: [text("middle")],
    },
    echoed("gives a text beyond ASCII back", text(SPECIAL)),
    {
      title: "gives it back that is cut between characters",
      send: [begin("Hello-µ@ßöä"), goOn("üàá-UTF-8!!", true)],
      get: [text(SPECIAL)],
    },
    {
      title: "gives it back that comes in pieces of one byte",
      send: pieces(text(SPECIAL), 1),
      get: [text(SPECIAL)],
    },
    {
      title: "gives Greek back that comes in pieces of one byte",
      send: pieces(text(GREEK), 1),
      get: [text(GREEK)],
    },
    { title: "refuses a surrogate in the middle of a text", send: [text(AFTER)], closes: INVALID_DATA },
    { title: "refuses it in pieces of one byte", send: pieces(text(AFTER), 1), closes: INVALID_DATA },
    {
      title: "refuses a text whose second piece is none, at its end at the latest",
      send: IN_THREE,
      closes: INVALID_DATA,
      cut: "frames",
    },
    {
      title: "refuses it so where it is cut within the character",
      send: IN_THE_CHARACTER,
      closes: INVALID_DATA,
      cut: "frames",
    },
    {
      title: "refuses a text of one frame that comes in parts, at its end at the latest",
      send: [text(BEYOND)],
      closes: INVALID_DATA,
      cut: 12,
    },
    {
      title: "refuses it so where it comes byte by byte",
      send: [text(BEYOND)],
      closes: INVALID_DATA,
      cut: 1,
    },
  ]);
  for (const { title, isValid, all } of SEQUENCES) {
    it(title, () =>
      echoing(async (server) => {
        for (const digits of all) {
          const sent = [text(hex(digits))];
          await play(
            server,
            isValid ? { title, send: sent, get: sent } : { title, send: sent, closes: INVALID_DATA },
          );
        }
      }));
  }
});

const KIBS = text(STARS(256 * KIB));

/** A close that is answered by itself. */
function closing(code: number): Case {
  return { title: `the code ${code}`, send: [close(code)], closes: code };
}

describe("the end", () => {
  passes([
    { title: "comes after the answer to what was said before", send: [text(HELLO)], get: SAID },
    {
      title: "comes once where the client closes twice",
      send: [close(NORMAL), close(NORMAL)],
      closes: NORMAL,
    },
    { title: "is behind no ping that comes after the close", send: [close(NORMAL), ping()], closes: NORMAL },
    {
      title: "is behind no text that comes after the close",
      send: [close(NORMAL), text(HELLO)],
      closes: NORMAL,
    },
    {
      title: "leaves a text unsaid whose last piece comes after the close",
      send: [begin("a"), close(NORMAL), goOn("b", true)],
      closes: NORMAL,
    },
    {
      title: "comes after the answers to 256 KiB and a text, and before any ping",
      send: [KIBS, text(HELLO), close(NORMAL), ping()],
      get: [KIBS, text(HELLO)],
      closes: NORMAL,
    },
    { title: "may have no code", send: [{ opcode: CLOSE, payload: FES(0) }], closes: NONE },
    {
      title: "may not be of one byte",
      send: [{ opcode: CLOSE, payload: utf8.encode("a") }],
      closes: PROTOCOL_ERROR,
    },
    { title: "may have a code", send: [close(NORMAL)], closes: NORMAL },
    { title: "may have a reason", send: [close(NORMAL, HELLO)], closes: NORMAL },
    { title: "may have a reason of 123 bytes", send: [close(NORMAL, STARS(123))], closes: NORMAL },
    { title: "may have no reason of 124", send: [close(NORMAL, STARS(124))], closes: PROTOCOL_ERROR },
    { title: "may have no reason that is no UTF-8", send: [close(NORMAL, AFTER)], closes: INVALID_DATA },
  ]);
  it("may have each code that is one, which is answered by itself", () =>
    echoing(async (server) => {
      for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) {
        await play(server, closing(code));
      }
    }));
  it("may have no other code", () =>
    echoing(async (server) => {
      for (const code of [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535]) {
        await play(server, { ...closing(code), closes: PROTOCOL_ERROR });
      }
    }));
});

/** Sizes of messages; the largest that may be stands among the full ones. */
const SIZES = tiered({
  quick: [64 * KIB, MIB],
  full: [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB],
  soak: [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB],
});
const FRAGMENTED = tiered({ quick: 256 * KIB, full: 4 * MIB, soak: 4 * MIB });
/** The smallest of which the largest message is as many as may be. */
const FRAGMENTS = [256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
const CHOPPED = tiered({ quick: 64 * KIB, full: MIB, soak: MIB });
const CHOPS = [64, 128, 256, 512, 1024, 2048];
const MOST_FRAGMENTS = 16_384;
const TIMES = tiered({ quick: 100, full: 1000, soak: 1000 });

describe("limits", () => {
  const kinds = [
    {
      make: (length: number) => text(STARS(length)),
      long: "lets texts be long",
      fragmented: "lets texts be of many fragments",
      flooded: "refuses a text of more than 16,384 fragments",
      chopped: "lets texts come in many parts",
      often: "lets texts go back and forth many times",
    },
    {
      make: (length: number) => binary(FES(length)),
      long: "lets bytes be long",
      fragmented: "lets bytes be of many fragments",
      flooded: "refuses bytes of more than 16,384 fragments",
      chopped: "lets bytes come in many parts",
      often: "lets bytes go back and forth many times",
    },
  ];
  for (const { make, long, fragmented, flooded, chopped, often } of kinds) {
    it(long, () =>
      echoing(async (server) => {
        for (const size of SIZES) await play(server, echoed(long, make(size)));
      }));
    it(fragmented, () =>
      echoing(async (server) => {
        const whole = make(FRAGMENTED);
        for (const size of FRAGMENTS) {
          await play(server, { title: fragmented, send: pieces(whole, size), get: [whole] });
        }
      }));
    it(flooded, () => {
      const sent = pieces(make(64 * (MOST_FRAGMENTS + 1)), 64);
      return echoing((server) => play(server, { title: flooded, send: sent, closes: POLICY }));
    });
    it(chopped, () =>
      echoing(async (server) => {
        for (const size of CHOPS) await play(server, echoed(chopped, make(CHOPPED), size));
      }));
    it(often, () =>
      echoing(async (server) => {
        for (const size of [0, 16, 64, 256, 1024, 4096]) {
          using client = await RawClient.open(server);
          const message = make(size);
          for (let i = 0; i < TIMES; i++) {
            await client.send(message);
            const found = await client.next();
            assertStrictEquals(found?.opcode, message.opcode);
            assertEquals(found?.payload, message.payload);
          }
        }
      }));
  }
});

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
