import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";

describe("examples/dispatch.ts", () => {
  it("does the same by name, by type parameter and by interface, and asks each backend of a list", () => {
    const lines = outputOf(`import "${moduleUrl("examples/dispatch.ts")}";`).split("\n");
    const both = ["Type1 doing something", "Type2 doing something"];
    assertEquals(lines, [
      "by name:",
      ...both,
      "by type parameter:",
      ...both,
      "by interface:",
      ...both,
      "by interface, from a list:",
      "positive: 21",
      "negative: -21",
      "doubling: -42",
    ]);
  });
});
