/** What a slab keeps after many removals, and what `shrinkToFit` and `compact` give back. */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Slab } from "../../lib/slab.ts";

const ROUNDS = 4;

function collector(): () => void {
  if ("Bun" in globalThis) {
    return () => runInNewContext("Bun.gc(true)", { Bun: Reflect.get(globalThis, "Bun") });
  }
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

/** The bytes that are in use, once the collector has nothing more to take. */
async function bytesInUse(collect: () => void): Promise<number> {
  for (let i = 0; i < ROUNDS; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + ("Bun" in globalThis ? 0 : external);
}

/** A slab of `peak` numbers, of which one in a thousand stays: the first of each thousand, or those at the front. */
function afterPeak(peak: number, isScattered: boolean): Slab<number> {
  const slab = new Slab<number>();
  for (let i = 0; i < peak; i++) slab.insert(i);
  const stays = peak / 1000;
  for (let key = peak - 1; key >= 0; key--) {
    if (isScattered ? key % 1000 !== 0 : key >= stays) slab.remove(key);
  }
  return slab;
}

async function row(name: string, peak: number, isScattered: boolean): Promise<void> {
  const collect = collector();
  const empty = await bytesInUse(collect);
  const slab = afterPeak(peak, isScattered);
  const figures: number[] = [];
  async function weigh(): Promise<void> {
    figures.push(await bytesInUse(collect) - empty);
  }
  await weigh();
  slab.shrinkToFit();
  await weigh();
  slab.compact(() => true);
  await weigh();
  if (slab.size !== peak / 1000 || slab.capacity !== slab.size) throw new Error("a value is lost");
  const cells = figures.map((bytes) => `${(Math.max(bytes, 0) / 1e3).toFixed(0).padStart(8)} kB`);
  console.log(`  ${name.padEnd(22)}${cells.join("   ")}`);
}

/** Prints the table. */
export async function memory(peak: number): Promise<void> {
  console.log(`\nbytes, after ${peak.toLocaleString("en")} values of which one in a thousand is left`);
  console.log(`  ${"".padEnd(22)}as it is      shrinkToFit   compact`);
  await row("warm-up", peak, false);
  await row("left at the front", peak, false);
  await row("left everywhere", peak, true);
}
