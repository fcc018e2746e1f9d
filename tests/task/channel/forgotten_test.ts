import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { moduleUrl, runChild } from "../../child.ts";

/** A program that forgets a sender of `make`, and waits for the collector and the receiver's end. */
function program(make: string): string {
  return `
    import { broadcast, mpsc, watch } from ${JSON.stringify(moduleUrl("lib/task/channel.ts"))};
    import { run } from ${JSON.stringify(moduleUrl("lib/task/mod.ts"))};
    import { collect } from ${JSON.stringify(moduleUrl("tests/collector.ts"))};

    function forgets() {
      const [tx, rx] = ${make};
      tx.clone();
      const kept = tx.clone();
      kept.close();
      return rx;
    }
    const rx = forgets();
    console.log(await run(() => collect(() => rx.isClosed)));
  `;
}

describe("senders that were forgotten", () => {
  it("are closed once they were collected, and told where OXBOW_DEBUG is 1", () => {
    for (
      const [make, what] of [
        ["mpsc(1)", "a sender of an mpsc channel"],
        ["broadcast(1)", "a sender of a broadcast"],
        ["watch(1)", "a sender of a watch"],
      ]
    ) {
      const { code, stdout, stderr } = runChild(program(make), { before: "export OXBOW_DEBUG=1" });
      assertEquals([code, stdout.trim()], [0, "true"]);
      assertStringIncludes(
        stderr,
        `${what} was collected, and never closed: use \`using\` or close()\nError: it was made here`,
      );
      assertEquals(stderr.split("was collected").length, 3);
    }
  });

  it("are not told of where nobody asks", () => {
    const { stdout, stderr } = runChild(program("mpsc(1)"), { before: "unset OXBOW_DEBUG" });
    assertEquals([stdout.trim(), stderr.includes("collected")], ["true", false]);
  });
});
