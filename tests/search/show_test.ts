import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import type { Hit } from "../../examples/search/search_index.ts";
import { showHit, showReport } from "../../examples/search/show.ts";

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

describe("showReport()", () => {
  it("says what was done and what was left out", () => {
    const report = {
      folder: "x/.oxbow",
      files: 7,
      passages: 20,
      embedded: 4,
      embeddedBytes: 3_000_000,
      kept: 3,
      gone: 1,
      skipped: { binary: 2, large: 1, changed: 0, unreadable: 5 },
    };
    assertEquals(
      showReport(report, 200),
      [
        "x/.oxbow: 7 files in 20 passages",
        "embedded 4 files, kept 3, dropped 1",
        "skipped 2 binary, 1 larger than 64 MiB, 5 unreadable",
        "read 3.0 MB in 0.20 s, 15.0 MB/s",
      ].join("\n"),
    );
    const none = { binary: 0, large: 0, changed: 0, unreadable: 0 };
    assertEquals(showReport({ ...report, skipped: none }, 200).includes("skipped"), false);
  });
});
