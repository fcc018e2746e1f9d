/** munmap(2) for many ranges, with one call for those that lie side by side. */
import { fromPointer, toPointer } from "./host.ts";
import { libc } from "./libc.ts";
import { check } from "./system_error.ts";
import type { Pointer } from "./types.ts";

const PAGE = 4096n;

/** Memory that was mapped, from a page's first byte. */
export interface MappedRange {
  readonly pointer: Pointer;
  /** In bytes; the last page is part of it as a whole. */
  readonly length: number;
}

function unmap(start: bigint, end: bigint): void {
  if (end > start) check(libc().munmap(toPointer(start), end - start), "munmap");
}

/** Unmaps the ranges. The kernel puts one map before the other, so that those in their order are often neighbours. */
export function unmapAll(ranges: Iterable<MappedRange>): void {
  let [start, end] = [0n, 0n];
  for (const { pointer, length } of ranges) {
    const from = fromPointer(pointer);
    const to = from + (BigInt(length) + PAGE - 1n) / PAGE * PAGE;
    if (to === start) start = from;
    else if (from === end) end = to;
    else {
      unmap(start, end);
      [start, end] = [from, to];
    }
  }
  unmap(start, end);
}
