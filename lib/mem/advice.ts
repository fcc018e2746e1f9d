/** What madvise(2) can be told. */

/** By their names there, without `MADV_`. */
export const ADVICE = {
  normal: 0,
  random: 1,
  sequential: 2,
  willneed: 3,
  dontneed: 4,
  remove: 9,
  dontfork: 10,
  dofork: 11,
  mergeable: 12,
  unmergeable: 13,
  hugepage: 14,
  nohugepage: 15,
  dontdump: 16,
  dodump: 17,
  cold: 20,
  pageout: 21,
  populateRead: 22,
  populateWrite: 23,
  collapse: 25,
} as const;

/**
 * How the pages will be used. `random` and `sequential` tune what is read ahead, `willneed` reads it now in the
 * background and `populateRead` at once, `cold` and `pageout` let it go first or now, and `hugepage` asks for large
 * pages. Some change what is there: `dontneed` drops what was written to pages of mode `c`, which are the file's
 * again, and `remove` makes a hole in the file.
 */
export type Advice = keyof typeof ADVICE;
