/**
 * The cases of Autobahn's fuzzing client about messages that come in fragments.
 *
 * `tests/mirrored/autobahn.md` says which of them each test here stands for.
 */
import { describe } from "node:test";
import {
  begin,
  goOn,
  HELLO,
  passes,
  pieces,
  ping,
  pong,
  PROTOCOL_ERROR,
  STARS,
  text,
} from "./websocket_cases.ts";

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
