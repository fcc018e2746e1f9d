/** A file whose every page tells which one it is, and how a process's share of it is read. */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** The page of x86-64. */
export const PAGE = 4096;
/** Pages that each process writes, in a mode that copies. */
export const WRITTEN = 100;

const BLOCK_PAGES = 1024;

/** Writes the file: a page begins with its number, from 1 on. */
export function writePages(path: string, pages: number): void {
  const block = new Uint32Array(BLOCK_PAGES * PAGE / 4);
  const fd = openSync(path, "w");
  for (let from = 0; from < pages; from += BLOCK_PAGES) {
    for (let page = 0; page < BLOCK_PAGES; page++) block[page * PAGE / 4] = from + page + 1;
    writeSync(fd, block);
  }
  closeSync(fd);
}

/** The sum of the pages' numbers, which touches them all. */
export function sumOfPages(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  let sum = 0;
  for (let word = 0; word < words.length; word += PAGE / 4) sum += words[word];
  return sum;
}

/** What `sumOfPages` gives where nobody wrote. */
export function sumOfNumbers(pages: number): number {
  return pages * (pages + 1) / 2;
}

/** A process's proportional share, in bytes: of the file's mappings alone, or of everything. */
export interface Share {
  readonly mapping: number;
  readonly total: number;
}

/** The shares in `/proc/PID/smaps`: a page of n processes counts for an n-th of its size in each. */
export function shareOf(pid: number, path: string): Share {
  let isOfFile = false;
  let mapping = 0, total = 0;
  for (const line of readFileSync(`/proc/${pid}/smaps`, "utf8").split("\n")) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isOfFile = line.endsWith(` ${path}`);
    const [, kilobytes] = /^Pss: +(\d+) kB$/.exec(line) ?? [];
    if (kilobytes === undefined) continue;
    total += Number(kilobytes) * 1024;
    if (isOfFile) mapping += Number(kilobytes) * 1024;
  }
  return { mapping, total };
}
