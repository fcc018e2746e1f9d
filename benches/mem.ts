/**
 * Claims: a sum over a mapped file is as fast as one over an ArrayBuffer already in memory, within 5 %, and twice as
 * fast as over a file that is read, or more; opening and giving back a map takes at most 1.5 times what memmap2
 * takes in Rust, whatever the file's size; processes that map a file share its pages, and one that writes in mode
 * `c` pays for the pages that it writes.
 *
 * All contenders run the same loop over the same float32, whose sum in double precision is exact and is checked. The
 * files lie in the page cache.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIB, writeFloats } from "./mem/floats.ts";
import { compareFio } from "./mem/fio.ts";
import { compareLastFloat, compareOpening, compareSteps } from "./mem/opening.ts";
import { compareSharing } from "./mem/sharing.ts";
import { compareSums } from "./mem/sums.ts";

const FIRST = 42;
const SMALL = 4096;

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-bench-"));
  try {
    const large = join(folder, "floats");
    const byteLength = (quick ? 8 : 1024) * MIB;
    await compareSums({ path: large, byteLength, total: writeFloats(large, byteLength / 4) }, quick);
    const small = join(folder, "small");
    writeFileSync(small, new Uint8Array(SMALL).fill(FIRST));
    await compareOpening({ path: small, byteLength: SMALL, first: FIRST }, quick);
    await compareSteps({ path: small, byteLength: SMALL, first: FIRST }, quick);
    await compareOpening({ path: large, byteLength, first: 0 }, quick);
    await compareLastFloat(join(folder, "sparse"), (quick ? 64 : 4096) * MIB, quick);
    await compareFio(large, byteLength, quick);
    rmSync(large);
    await compareSharing(join(folder, "pages"), (quick ? 8 : 1024) * MIB, quick ? 2 : 8, quick);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
