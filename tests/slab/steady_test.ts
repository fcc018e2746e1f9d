import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl, runChild } from "../child.ts";

const ROUNDS = 20_000;
const TRIES = 100;

function program(work: string): string {
  return `
    import process from "node:process";
    import { Slab } from ${JSON.stringify(moduleUrl("lib/slab.ts"))};
    const slab = new Slab();
    const kept = [];
    const values = Array.from({ length: 100 }, (_, value) => ({ value }));
    const keys = values.map((value) => slab.insert(value));
    function steady() {
      let sum = 0;
      for (let i = 0; i < ${ROUNDS}; i++) {
        ${work}
      }
      return sum;
    }
    let [least, sum] = [Infinity, 0];
    for (let i = 0; i < ${TRIES}; i++) {
      const before = process.memoryUsage().heapUsed;
      sum += steady();
      const growth = process.memoryUsage().heapUsed - before;
      if (growth >= 0) least = Math.min(least, growth);
    }
    if (!(sum > 0) || slab.size !== 100 || slab.capacity !== 100) throw new Error("the slab has changed");
    console.log(least);
  `;
}

/**
 * Whether rounds of `work` allocate. V8 tells the bytes, of which the least of many tries is taken, for the host makes
 * some; JSC tells of its collections alone, of which there is one in some ten thousand objects.
 */
function allocates(work: string): boolean {
  const { code, stdout, stderr } = runChild(program(work), { before: "export BUN_JSC_logGC=1" });
  if (code !== 0) throw new Error(`the child ended with ${code}:\n${stderr}`);
  if (hostName === "bun") return stderr.split("[GC<").length > TRIES / 10;
  return Number(stdout) > ROUNDS;
}

const STEADY = `
  const at = i % 89;
  const first = slab.remove(keys[at]);
  const second = slab.remove(keys[at + 11]);
  keys[at] = slab.insert(first);
  keys[at + 11] = slab.insert(second);
  sum += slab.get(keys[at]).value + slab.vacantKey;
  slab.set(keys[at], first);
`;

describe("a steady load", () => {
  it("allocates nothing", () => {
    assertEquals(allocates(STEADY), false);
  });

  it("would be seen to allocate if each round made an object", () => {
    assertEquals(allocates(`${STEADY} kept[i & 1023] = { i };`), true);
  });
});
