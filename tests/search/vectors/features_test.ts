import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { countFeatures, MAX_FEATURES, writeFeatures } from "../../../examples/search/vectors/features.ts";

const encoder = new TextEncoder();
const out = new Uint16Array(MAX_FEATURES + 1);

describe("countFeatures()", () => {
  it("says how many features a word has, of whatever script", () => {
    const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 16 });
    fc.assert(fc.property(word, fc.nat(3), (text, start) => {
      const bytes = encoder.encode(`abc${text}`).subarray(0, 64);
      const count = countFeatures(bytes, start, bytes.length);
      assertEquals(count, writeFeatures(bytes, start, bytes.length, 1024, out, 1));
    }));
    assertEquals(countFeatures(encoder.encode("ox"), 0, 2), 1 + 2 + 1);
  });
});
