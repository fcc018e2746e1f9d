/**
 * The cases of Autobahn's fuzzing client about how connections are closed.
 *
 * `tests/mirrored/autobahn.md` says which of them each test here stands for.
 */
import { describe, it } from "node:test";
import {
  AFTER,
  begin,
  type Case,
  close,
  echoing,
  FES,
  goOn,
  HELLO,
  INVALID_DATA,
  NONE,
  NORMAL,
  passes,
  ping,
  play,
  PROTOCOL_ERROR,
  SAID,
  STARS,
  text,
  utf8,
} from "./websocket_cases.ts";
import { CLOSE } from "./websocket_wire.ts";

const KIB = 1 << 10;
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
