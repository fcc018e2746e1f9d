/**
 * The cases of Autobahn's fuzzing client about pings and pongs.
 *
 * `tests/mirrored/autobahn.md` says which of them each test here stands for.
 */
import { describe } from "node:test";
import { BYTES, FES, HELLO, passes, ping, pong, PROTOCOL_ERROR } from "./websocket_cases.ts";

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
