/**
 * A process that maps a file and waits, for its share of the pages to be looked at:
 *
 *     sharer.ts FILE INDEX
 *
 * It says `ready` on stdout, and does what each line on stdin names: `r` maps the file and touches every page,
 * `c` does the same in a mode that copies and then writes pages of its own, `look` tells whether the other pages are
 * still the file's. It answers each with the sum of the pages' numbers.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { Mmap } from "../../lib/mem/mmap.ts";
import { PAGE, sumOfPages, WRITTEN } from "./pages.ts";

const [path, index] = process.argv.slice(2);
let map: Mmap | undefined;

function remap(mode: "r" | "c"): Uint8Array {
  map?.[Symbol.dispose]();
  map = Mmap.open(path, { mode });
  return map.bytes();
}

/** Adds the process's own number to pages of its own: what another sees of that is in its sum. */
function writeOwn(bytes: Uint8Array): void {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  for (let i = 0; i < WRITTEN; i++) words[(Number(index) * WRITTEN + i) * PAGE / 4] += 1;
}

function answer(line: string): number {
  switch (line) {
    case "r":
      return sumOfPages(remap("r"));
    case "c": {
      const bytes = remap("c");
      const sum = sumOfPages(bytes);
      writeOwn(bytes);
      return sum;
    }
    default:
      if (map === undefined) throw new Error(`cannot ${line}: nothing is mapped`);
      return sumOfPages(map.bytes());
  }
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) console.log(answer(line));
