/** Files in memory as descriptors that are owned. */
import { check } from "../../ffi/mod.ts";
import { mman } from "../../ffi/mman.ts";
import { Fd } from "../io/fd.ts";
import type { HugePages, Seal } from "./map_options.ts";
import {
  createMemoryFile,
  createSealedFile,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  sealFile,
} from "./memory_file.ts";

export { isSealed } from "./memory_file.ts";

const MFD_HUGETLB = 0x4;
const MFD_HUGE_2MB = 21 << 26;
const HUGETLBFS_MAGIC = 0x958458f6n;

const SEALS: Readonly<Record<Seal, number>> = {
  seal: F_SEAL_SEAL,
  shrink: F_SEAL_SHRINK,
  grow: F_SEAL_GROW,
  futureWrite: F_SEAL_FUTURE_WRITE,
};

/** Of `reserved` pages. */
export const LARGE_PAGE: number = 2 ** 21;

/** A new file of `length` zeros, or of whole large pages. It has no path, and goes with its last descriptor and map. */
export function createMemfd(name: string, length: number, hugePages?: HugePages): Fd {
  const isLarge = hugePages === "reserved";
  const whole = isLarge ? Math.ceil(length / LARGE_PAGE) * LARGE_PAGE : length;
  return Fd.unsafeOwn(createMemoryFile(name, whole, isLarge ? MFD_HUGETLB | MFD_HUGE_2MB : 0));
}

/** Seals a file that `createMemfd` made. */
export function addSeals(name: string, fd: Fd, seals: readonly Seal[]): void {
  const mask = seals.reduce((mask, seal) => mask | SEALS[seal], 0);
  if (mask !== 0) sealFile(name, fd.number, mask);
}

/** A file of all these bytes, one after the other, that nobody can ever change. */
export function createSealed(name: string, ...pieces: readonly Uint8Array<ArrayBuffer>[]): Fd {
  return Fd.unsafeOwn(createSealedFile(name, ...pieces));
}

/** Whether the file is of reserved pages: fstatfs(2). */
export function hasLargePages(fd: Fd): boolean {
  const status = new BigInt64Array(15);
  check(mman().fstatfs(fd.number, new Uint8Array(status.buffer)), "fstatfs");
  return status[0] === HUGETLBFS_MAGIC;
}
