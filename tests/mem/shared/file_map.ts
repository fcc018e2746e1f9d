/**
 * A file that is mapped, for a test file's objects.
 *
 * @module
 */
import { after, before } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Mmap } from "../../../lib/mem/mmap.ts";

/** Where the test file's files are, from its first test to its last. */
export function inFolder(): { file(name: string): string } {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "oxbow-shared-"));
  });
  after(() => rmSync(folder, { recursive: true }));
  return { file: (name) => join(folder, name) };
}

/** A file of zeros as a shared map. */
export function newMap(path: string, length = 4096): Mmap<"write"> {
  return Mmap.open(path, { mode: "w+", length });
}

/** The map's numbers of 32 bits, from a byte on. */
export function wordsOf(map: Mmap<"write">, byteOffset: number, length: number): Int32Array<ArrayBuffer> {
  return map.view(Int32Array<ArrayBuffer>, byteOffset, length);
}

/** Has `check` called with each bit of the first words another, one after the other. */
export function flipEachBit(map: Mmap<"write">, words: number, check: () => void): void {
  const header = wordsOf(map, 0, words);
  const whole = header.slice();
  for (let word = 0; word < words; word++) {
    for (let bit = 0; bit < 32; bit++) {
      header.set(whole);
      header[word] ^= 1 << bit;
      check();
    }
  }
  header.set(whole);
}
