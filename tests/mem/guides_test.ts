import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { outputOf } from "../child.ts";
import { guide, programs } from "../guide.ts";

describe("the guides to maps", () => {
  for (const name of ["mmap.md", "maps_for_models.md", "maps_for_vector_stores.md"]) {
    const found = programs(guide(name));

    it(`has programs: ${name}`, () => {
      assert(found.length > 0);
    });

    for (const [i, { source, printed }] of found.entries()) {
      it(`has a program ${i + 1} that prints what it says: ${name}`, () => {
        assert(printed.length > 0);
        assertEquals(outputOf(source).split("\n"), printed);
      });
    }
  }
});
