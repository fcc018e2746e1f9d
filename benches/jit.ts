/**
 * Claims: a function that is loaded is called at the host's own speed; an instruction is assembled in half a
 * microsecond, and a kernel of 4 KiB is callable within two milliseconds; `dot` and `sum` read at 80 % of what
 * the machine loads at all, from its caches, and of what C reads of a gibibyte, and are 8 times a loop's
 * speed; `exp` and `gelu` are 10 times the speed of a loop over `Math.exp`.
 *
 * Peaks are measured in the same run, by kernels of our own that do nothing else. Every result is checked:
 * exactly where its numbers allow it, and else against double precision.
 *
 * @module
 */
import { cpu } from "../lib/jit/cpu.ts";
import { compareAssembling } from "./jit/assembling.ts";
import { compareCached } from "./jit/cached.ts";
import { compareCalls } from "./jit/calls.ts";
import { compareExponentials } from "./jit/elementwise.ts";
import { compareLoading } from "./jit/loading.ts";
import { compareMapped } from "./jit/mapped.ts";
import { compareTwins } from "./jit/twins.ts";

export async function run({ quick }: { quick: boolean }): Promise<void> {
  await compareCalls(quick);
  await compareAssembling(quick);
  await compareLoading(quick);
  const { level } = cpu();
  if (level === "sse2") {
    console.log("\nthere are no vector kernels for this CPU's level, sse2");
    return;
  }
  await compareCached(level, quick);
  await compareMapped(quick);
  await compareExponentials(quick);
  await compareTwins(quick);
}
