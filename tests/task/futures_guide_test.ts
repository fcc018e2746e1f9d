import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { outputOf } from "../child.ts";
import { guide, programs } from "../guide.ts";

describe("the guide to futures", () => {
  for (const [i, { source, printed }] of programs(guide("futures.md")).entries()) {
    it(`has a program ${i + 1} that runs, and prints what it says`, () => {
      const lines = outputOf(source).split("\n");
      // A line that a loop prints is said once.
      assertEquals(lines.filter((line, n) => line !== lines[n - 1]), printed);
    });
  }
});
