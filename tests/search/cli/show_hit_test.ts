import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import type { Hit } from "../../../examples/search/index/search_index.ts";
import { showHit } from "../../../examples/search/cli/show_hit.ts";

const hit: Hit = {
  file: "a.md",
  lines: [12, 14],
  score: 0.51239,
  text: "One ox.\n\n  Two oxen, x\x1b[2J\u009b.",
};

describe("showHit()", () => {
  it("marks matches by angle quotes in a pipe", () => {
    assertEquals(
      showHit(hit, "ox", "pipe"),
      "a.md:12  0.512\n    One «ox».\n\n      Two oxen, x\ufffd[2J\ufffd.\n",
    );
  });

  it("marks matches by reverse video on a terminal", () => {
    assertEquals(
      showHit({ ...hit, text: "One ox." }, "ox", "terminal"),
      "a.md:12  0.512\n    One \x1b[7mox\x1b[27m.\n",
    );
  });

  it("keeps a name on its line", () => {
    assertEquals(
      showHit({ ...hit, file: "a\nb\tc\r", text: "x" }, "ox", "pipe"),
      "a\ufffdb\ufffdc\ufffd:12  0.512\n    x\n",
    );
  });
});
