/** munmap(2) for many ranges, with one call for those that lie side by side. */
import { fromPointer, toPointer } from "./host.ts";
import { libc } from "./libc.ts";
import type { Pointer } from "./types.ts";

const PAGE = 4096n;

/** Memory that was mapped, from a page's first byte. */
export interface MappedRange {
  readonly pointer: Pointer;
  /** In bytes; the last page is part of it as a whole. */
  readonly length: number;
}

/**
 * Unmaps the ranges, and gives those that it could not: the kernel is out of maps where it would have to cut one in
 * two. It puts one map before the other, so that ranges in their order are often neighbours.
 */
export function unmapAll<T extends MappedRange>(ranges: Iterable<T>): T[] {
  const failed: T[] = [];
  let group: T[] = [];
  let [start, end] = [0n, 0n];
  function unmap(): void {
    if (group.length > 0 && libc().munmap(toPointer(start), end - start) !== 0) failed.push(...group);
  }
  for (const range of ranges) {
    const from = fromPointer(range.pointer);
    const to = from + (BigInt(range.length) + PAGE - 1n) / PAGE * PAGE;
    if (to === start) start = from;
    else if (from === end) end = to;
    else {
      unmap();
      [start, end, group] = [from, to, []];
    }
    group.push(range);
  }
  unmap();
  return failed;
}
