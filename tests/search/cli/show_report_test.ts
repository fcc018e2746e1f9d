import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { showReport } from "../../../examples/search/cli/show_report.ts";

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
