/**
 * Maps a file by mmap(2) called through koffi, and prints the nanoseconds of what it does, and its result:
 *
 *     node koffi_on_node.ts sum-before|sum|open FILE REPETITIONS
 *
 * The median of the sums, the mean of the openings, as the other peers print.
 */
import koffi from "koffi";
import { closeSync, fstatSync, openSync } from "node:fs";
import process from "node:process";
import { floats, sum } from "./floats.ts";

const PROT_READ = 1;
const MAP_PRIVATE = 2;

const libc = koffi.load("libc.so.6");
const mmap = libc.func("void *mmap(void *addr, size_t length, int prot, int flags, int fd, long offset)");
const munmap = libc.func("int munmap(void *addr, size_t length)");

function withMap(path: string, use: (bytes: Uint8Array) => number): number {
  const fd = openSync(path, "r");
  const { size } = fstatSync(fd);
  const address = mmap(null, size, PROT_READ, MAP_PRIVATE, fd, 0);
  closeSync(fd);
  const result = use(new Uint8Array(koffi.view(address, size)));
  munmap(address, size);
  return result;
}

function sumOf(bytes: Uint8Array): number {
  return sum(floats(bytes));
}

/** Nanoseconds of each, and what the last gave. */
function repeat(times: number, run: () => number): { each: number[]; result: number } {
  const each: number[] = [];
  let result = run();
  for (let i = 0; i < times; i++) {
    const start = process.hrtime.bigint();
    result = run();
    each.push(Number(process.hrtime.bigint() - start));
  }
  return { each, result };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

const [work, path, repetitions] = process.argv.slice(2);
const times = Number(repetitions);
switch (work) {
  case "sum-before":
    withMap(path, (bytes) => {
      const { each, result } = repeat(times, () => sumOf(bytes));
      console.log(medianOf(each), result);
      return result;
    });
    break;
  case "sum": {
    const { each, result } = repeat(times, () => withMap(path, sumOf));
    console.log(medianOf(each), result);
    break;
  }
  case "open": {
    const { each, result } = repeat(times, () => withMap(path, (bytes) => bytes[0]));
    console.log(each.reduce((a, b) => a + b, 0) / times, result);
    break;
  }
}
