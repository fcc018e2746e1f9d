import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { addressOf, libc, NULL, offset, type Pointer, pointerAt } from "../../ffi/mod.ts";
import { unmapAll } from "../../ffi/unmap.ts";

const PAGE = 4096;
const PAGES = 32;
const [PROT_READ, MAP_SHARED] = [1, 1];

/** Which of the pages are the file's still: what is unmapped may be another thread's at once. */
function mapped(start: Pointer): boolean[] {
  const first = addressOf(start);
  const pages = Array(PAGES).fill(false);
  for (
    const [, from, to] of readFileSync("/proc/self/maps", "latin1").matchAll(/^(\w+)-(\w+) .*oxbow-unmap/gm)
  ) {
    const [begin, end] = [BigInt(`0x${from}`) - first, BigInt(`0x${to}`) - first];
    for (let page = Number(begin) / PAGE; page < Number(end) / PAGE; page++) pages[page] = true;
  }
  return pages;
}

describe("unmapAll", () => {
  it("unmaps every page of its ranges, and no other, in whichever order they come", () => {
    // Cut into ranges of a page at least, of which some are given, in any order.
    const fd = libc().memfd_create("oxbow-unmap", 0);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: PAGES - 1 }), { maxLength: 8 });
    fc.assert(
      fc.property(cuts, fc.infiniteStream(fc.boolean()), fc.nat(), (cuts, chosen, seed) => {
        const start = pointerAt(
          libc().mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0),
        );
        const edges = [0, ...cuts.toSorted((a, b) => a - b), PAGES];
        const ranges = edges.slice(1).map((end, i) => ({
          first: edges[i],
          end,
          isGiven: chosen.next().value,
        }));
        const given = ranges.filter(({ isGiven }) => isGiven);
        given.sort((a, b) => ((a.first + 1) * (seed + 7)) % 31 - ((b.first + 1) * (seed + 7)) % 31);
        // The last byte of a page stands for all of it.
        unmapAll(given.map(({ first, end }) => ({
          pointer: offset(start, first * PAGE),
          length: (end - first) * PAGE - (first % 3),
        })));
        const expected = ranges.flatMap(({ first, end, isGiven }) => Array(end - first).fill(!isGiven));
        assertEquals(mapped(start), expected);
        for (const { first, end, isGiven } of ranges) {
          if (!isGiven) libc().munmap(offset(start, first * PAGE), (end - first) * PAGE);
        }
      }),
    );
    libc().close(fd);
  });
});
