/**
 * What the kernel counts for the thread that asks: getrusage(2) has its faults and its switches,
 * `/proc/thread-self/io` its calls of read(2)'s and write(2)'s kind and the bytes that they copied.
 */
import { check, dlopen } from "../../ffi/mod.ts";
import { Fd } from "../../lib/io/mod.ts";
import { Mmap } from "../../lib/mem/mmap.ts";

const RUSAGE_THREAD = 1;
/** Where `struct rusage` has what is asked for, in longs. */
const RUSAGE = { longs: 18, minorFaults: 8, majorFaults: 9, voluntary: 16, involuntary: 17 };
const POSIX_FADV_DONTNEED = 4;
const PAGE = 4096;

const { symbols: libc } = dlopen(["libc.so.6"], {
  getrusage: {
    parameters: [/* int who */ "i32", /* struct rusage *usage */ "buffer"],
    result: "i32",
  },
  getppid: { parameters: [], result: "i32" },
  read: {
    parameters: [/* int fd */ "i32", /* void *buf */ "buffer", /* size_t count */ "usize"],
    result: "isize",
  },
  pread: {
    parameters: [
      /* int fd */ "i32",
      /* void *buf */ "buffer",
      /* size_t count */ "usize",
      /* off_t offset */ "i64",
    ],
    result: "isize",
  },
  pwrite: {
    parameters: [
      /* int fd */ "i32",
      /* const void *buf */ "buffer",
      /* size_t count */ "usize",
      /* off_t offset */ "i64",
    ],
    result: "isize",
  },
  fdatasync: { parameters: [/* int fd */ "i32"], result: "i32" },
  posix_fadvise: {
    parameters: [/* int fd */ "i32", /* off_t offset */ "i64", /* off_t len */ "i64", /* int advice */ "i32"],
    result: "i32",
  },
});

/** What was counted between two moments. */
export interface Counts {
  readonly ms: number;
  /** Calls of read(2)'s and write(2)'s kind, and the bytes that the kernel copied for them. */
  readonly reads: number;
  readonly writes: number;
  readonly copied: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly voluntary: number;
  readonly involuntary: number;
}

/** The bytes that read(2) gave, from the file's beginning or where it was. */
export function read(fd: Fd, into: Uint8Array<ArrayBuffer>): number {
  return check(Number(libc.read(fd.number, into, into.length)), "read");
}

/** The bytes that pread(2) gave. */
export function readAt(fd: Fd, into: Uint8Array<ArrayBuffer>, offset: number): number {
  return check(Number(libc.pread(fd.number, into, into.length, offset)), "pread");
}

/** pwrite(2). */
export function writeAt(fd: Fd, from: Uint8Array<ArrayBuffer>, offset: number): void {
  check(Number(libc.pwrite(fd.number, from, from.length, offset)), "pwrite");
}

const text = new Uint8Array(PAGE);

/** The numbers of `/proc/thread-self/io`, and what this reading adds to them: one call, and its bytes. */
function io(): { reads: number; writes: number; copied: number; length: number } {
  using fd = Fd.open("/proc/thread-self/io");
  const length = read(fd, text);
  const fields = new Map(
    new TextDecoder().decode(text.subarray(0, length)).trim().split("\n").map((line) => {
      const [name, value] = line.split(": ");
      return [name, Number(value)];
    }),
  );
  function field(name: string): number {
    const value = fields.get(name);
    if (value === undefined) throw new Error(`cannot count: /proc/thread-self/io has no ${name}`);
    return value;
  }
  return { reads: field("syscr"), writes: field("syscw"), copied: field("rchar") + field("wchar"), length };
}

function usage(): BigInt64Array<ArrayBuffer> {
  const longs = new BigInt64Array(RUSAGE.longs);
  check(libc.getrusage(RUSAGE_THREAD, longs), "getrusage");
  return longs;
}

/** The call that stands in a trace before and after what is counted. */
export const MARK = "getppid";

/** Runs `act`, and counts. */
export function counted<T>(act: () => T): { result: T; counts: Counts } {
  const ioBefore = io();
  const before = usage();
  libc[MARK]();
  const start = performance.now();
  const result = act();
  const ms = performance.now() - start;
  libc[MARK]();
  const after = usage();
  const ioAfter = io();
  function count(long: number): number {
    return Number(after[long] - before[long]);
  }
  const counts = {
    ms,
    reads: ioAfter.reads - ioBefore.reads - 1,
    writes: ioAfter.writes - ioBefore.writes,
    copied: ioAfter.copied - ioBefore.copied - ioBefore.length,
    minorFaults: count(RUSAGE.minorFaults),
    majorFaults: count(RUSAGE.majorFaults),
    voluntary: count(RUSAGE.voluntary),
    involuntary: count(RUSAGE.involuntary),
  };
  return { result, counts };
}

/** What both counted. */
export function added(a: Counts, b: Counts): Counts {
  return {
    ms: a.ms + b.ms,
    reads: a.reads + b.reads,
    writes: a.writes + b.writes,
    copied: a.copied + b.copied,
    minorFaults: a.minorFaults + b.minorFaults,
    majorFaults: a.majorFaults + b.majorFaults,
    voluntary: a.voluntary + b.voluntary,
    involuntary: a.involuntary + b.involuntary,
  };
}

/** Writes the file's pages back, and asks the kernel to drop them from its cache. */
export function evict(path: string): void {
  using fd = Fd.open(path, { read: true, write: true });
  check(libc.fdatasync(fd.number), "fdatasync", { path });
  const failure = libc.posix_fadvise(fd.number, 0, 0, POSIX_FADV_DONTNEED);
  if (failure !== 0) throw new Error(`posix_fadvise ${path} failed: it gave ${failure}`);
}

/** Reads the file, so that the page cache has it. */
export function warm(path: string): void {
  using fd = Fd.open(path);
  const block = new Uint8Array(2 ** 20);
  while (read(fd, block) > 0);
}

/** The file's pages in the page cache, by mincore(2). */
export function cachedPages(path: string): number {
  using map = Mmap.open(path);
  return map.resident().pages;
}

/** The process's resident pages: smaps_rollup adds them up exactly, where statm is up to some hundreds astray. */
export function residentPages(): number {
  using fd = Fd.open("/proc/self/smaps_rollup");
  const length = read(fd, text);
  const [, kilobytes] = /^Rss: +(\d+) kB$/m.exec(new TextDecoder().decode(text.subarray(0, length))) ?? [];
  if (kilobytes === undefined) throw new Error("cannot count: /proc/self/smaps_rollup has no Rss");
  return Number(kilobytes) * 1024 / PAGE;
}
