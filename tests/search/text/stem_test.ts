import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { isInflection, LONGEST_ENDING, stem } from "../../../examples/search/text/stem.ts";

const families = [
  "index indexes indexed indexing indexer indexers",
  "file files filed filing",
  "study studies studied",
  "run runs running",
  "map maps mapped mapping mappings",
  "pass passes passed passing",
  "fill fills filled filling",
  "connect connects connected connection connections",
].map((family) => family.split(" "));

describe("stem()", () => {
  it("brings the inflections of a word together", () => {
    for (const family of families) assertEquals(new Set(family.map(stem)).size, 1);
  });

  it("keeps families apart", () => {
    assertEquals(new Set(families.flat().map(stem)).size, families.length);
  });

  it("leaves at least three letters", () => {
    for (const word of ["", "a", "is", "bed", "bing", "ing", "eyes"]) {
      assert(stem(word).length >= Math.min(3, word.length), word);
    }
  });
});

describe("isInflection()", () => {
  it("accepts every member of a family by its rest after the stem", () => {
    for (const word of families.flat()) {
      const root = stem(word);
      assert(isInflection(root, word.slice(root.length)), word);
      assert(word.length - root.length <= LONGEST_ENDING, word);
    }
  });

  it("refuses other endings", () => {
    for (const rest of ["x", "ural", "inging", "pper", "ness"]) assert(!isInflection("map", rest), rest);
  });
});
