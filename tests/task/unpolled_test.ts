import { describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { moduleUrl } from "../child.ts";
import { runCollecting } from "../mem/collect.ts";

const IMPORTS = `
import { join, never, ready, run, select, sleep, spawn } from ${JSON.stringify(moduleUrl("lib/task/mod.ts"))};
let told = 0;
const { warn } = console;
console.warn = (text) => {
  told++;
  warn(text);
};
`;

describe("a future that is collected, and was never polled", () => {
  const forgets = `
    function forget() {
      for (let i = 0; i < 3; i++) sleep(5).map(() => 1).timeout(7);
    }
    forget();
    await collect(() => told > 0);
  `;

  it("is told with the place where it was made, once, where OXBOW_DEBUG is 1", () => {
    const { code, stderr } = runCollecting(IMPORTS + forgets, "1");
    assertEquals(code, 0);
    assertEquals(stderr.match(/oxbow: a future was collected, and never polled/g)?.length, 1);
    assertMatch(stderr, /child\.mts:\d+/);
  });

  it("is not told else", () => {
    const { code, stderr } = runCollecting(IMPORTS + forgets);
    assertEquals([code, stderr.includes("oxbow:")], [0, false]);
  });

  it("is not told where it was used, dropped or shared, nor is a task that nobody waits for", () => {
    const uses = `
      await run(async () => {
        await sleep(1);
        spawn(() => ready(1));
        const shared = ready(1).shared();
        await shared;
        await select({ a: ready(1), b: ready(2) }, { biased: true });
        await join(sleep(1), ready(1)).map(() => 1).timeout(1000);
        never().drop();
      });
      await collect();
    `;
    const { code, stderr } = runCollecting(IMPORTS + uses, "1");
    assertEquals([code, stderr.includes("oxbow:")], [0, false]);
  });
});
