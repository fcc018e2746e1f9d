/**
 * The cases of Autobahn's fuzzing client about what is large, in many pieces or often.
 *
 * `tests/mirrored/autobahn.md` says which of them each test here stands for.
 */
import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { tiered } from "../../tier.ts";
import { binary, echoed, echoing, FES, pieces, play, STARS, text } from "./websocket_cases.ts";
import { RawClient } from "./websocket_wire.ts";

const POLICY = 1008;
const KIB = 1 << 10;
const MIB = 1 << 20;

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
