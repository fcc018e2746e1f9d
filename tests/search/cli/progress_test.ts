import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ProgressBar } from "../../../examples/search/cli/progress.ts";

/** Draws a bar on a screen, and returns what was written there. */
function drawn(
  screen: { isTTY?: boolean; columns?: number },
  updates: readonly [number, number][],
): string[] {
  const written: string[] = [];
  {
    using bar = new ProgressBar({ ...screen, write: (text: string) => written.push(text) }, "reading");
    for (const [done, total] of updates) bar.update(done, total);
  }
  return written;
}

describe("ProgressBar", () => {
  it("fills on a terminal, and goes when it is done", () => {
    assertEquals(drawn({ isTTY: true, columns: 20 }, [[0, 10], [5, 10], [10, 10]]), [
      "\r\x1b[Kreading ░░░░ 0 %",
      "\r\x1b[Kreading ██░░ 50 %",
      "\r\x1b[Kreading ████ 100 %",
      "\r\x1b[K",
    ]);
  });

  it("is silent in a pipe", () => {
    assertEquals(drawn({}, [[5, 10]]), []);
    assertEquals(drawn({ isTTY: false }, [[5, 10]]), []);
  });

  it("is never wider than 40 columns or narrower than one, and full where there is nothing to do", () => {
    assertEquals(
      drawn({ isTTY: true, columns: 500 }, [[1, 1]])[0],
      `\r\x1b[Kreading ${"█".repeat(40)} 100 %`,
    );
    assertEquals(drawn({ isTTY: true, columns: 3 }, [[1, 1]])[0], "\r\x1b[Kreading █ 100 %");
    assertEquals(drawn({ isTTY: true }, [[0, 0]])[0], `\r\x1b[Kreading ${"█".repeat(40)} 100 %`);
  });
});
