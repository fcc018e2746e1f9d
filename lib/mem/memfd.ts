/** Files in memory: memfd_create(2), and the seals of fcntl(2). */
import { check, errno, libc, SystemError } from "../../ffi/mod.ts";
import { mman } from "../../ffi/mman.ts";
import { Fd } from "../io/fd.ts";
import { setLength } from "./map_file.ts";
import type { HugePages, Seal } from "./map_options.ts";

const EMFILE = 24;
const MFD_CLOEXEC = 0x1;
const MFD_ALLOW_SEALING = 0x2;
const MFD_HUGETLB = 0x4;
const MFD_HUGE_2MB = 21 << 26;
const HUGETLBFS_MAGIC = 0x958458f6n;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;

const SEALS: Readonly<Record<Seal, number>> = { seal: 0x1, shrink: 0x2, grow: 0x4, futureWrite: 0x10 };
const F_SEAL_WRITE = 0x8;
/** Nothing of a file with these can ever change. */
const ALL = SEALS.seal | SEALS.shrink | SEALS.grow | F_SEAL_WRITE;

/** Of `reserved` pages. */
export const LARGE_PAGE: number = 2 ** 21;

/** A new file of `length` zeros, or of whole large pages. It has no path, and goes with its last descriptor and map. */
export function createMemfd(name: string, length: number, hugePages?: HugePages): Fd {
  const isLarge = hugePages === "reserved";
  const huge = isLarge ? MFD_HUGETLB | MFD_HUGE_2MB : 0;
  const number = libc().memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | huge);
  if (number === -1) {
    const failure = errno();
    const hint = failure === EMFILE
      ? "ulimit -n says how many descriptors this process may have; dispose maps that are done"
      : undefined;
    throw new SystemError(failure, "memfd_create", { path: name, hint });
  }
  const fd = Fd.unsafeOwn(number);
  try {
    setLength(name, fd, isLarge ? Math.ceil(length / LARGE_PAGE) * LARGE_PAGE : length);
    return fd;
  } catch (error) {
    fd.close();
    throw error;
  }
}

/** Seals a file that `createMemfd` made. */
export function addSeals(name: string, fd: Fd, seals: readonly Seal[]): void {
  const mask = seals.reduce((mask, seal) => mask | SEALS[seal], 0);
  if (mask !== 0) check(libc().fcntl(fd.number, F_ADD_SEALS, mask), "fcntl", { path: name });
}

/** A file of all these bytes, one after the other, that nobody can ever change. */
export function createSealed(name: string, ...pieces: readonly Uint8Array<ArrayBuffer>[]): Fd {
  const fd = createMemfd(name, pieces.reduce((sum, { length }) => sum + length, 0));
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        const rest = piece.subarray(at);
        at += check(Number(libc().write(fd.number, rest, rest.length)), "write", { path: name });
      }
    }
    check(libc().fcntl(fd.number, F_ADD_SEALS, ALL), "fcntl", { path: name });
    return fd;
  } catch (error) {
    fd.close();
    throw error;
  }
}

/** Whether the descriptor is of a file that `createSealed` made, or that is sealed as such. */
export function isSealed(descriptor: number): boolean {
  return libc().fcntl(descriptor, F_GET_SEALS, 0) === ALL;
}

/** Whether the file is of reserved pages: fstatfs(2). */
export function hasLargePages(fd: Fd): boolean {
  const status = new BigInt64Array(15);
  check(mman().fstatfs(fd.number, new Uint8Array(status.buffer)), "fstatfs");
  return status[0] === HUGETLBFS_MAGIC;
}
