/** Files in memory: memfd_create(2), and the seals of fcntl(2). */
import { check, errno, libc, SystemError } from "../../ffi/mod.ts";
import { Fd } from "../io/fd.ts";
import { setLength } from "./map_file.ts";
import type { HugePages, Seal } from "./map_options.ts";

const MFD_CLOEXEC = 0x1;
const MFD_ALLOW_SEALING = 0x2;
const MFD_HUGETLB = 0x4;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;

const SEALS: Readonly<Record<Seal, number>> = { seal: 0x1, shrink: 0x2, grow: 0x4, futureWrite: 0x10 };
const F_SEAL_WRITE = 0x8;
/** Nothing of a file with these can ever change. */
const ALL = SEALS.seal | SEALS.shrink | SEALS.grow | F_SEAL_WRITE;

/** A new file of `length` zeros. It has no path, and goes with its last descriptor and map. */
export function createMemfd(name: string, length: number, hugePages?: HugePages): Fd {
  const huge = hugePages === "reserved" ? MFD_HUGETLB : 0;
  const number = libc().memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | huge);
  if (number === -1) throw new SystemError(errno(), "memfd_create", { path: name });
  const fd = Fd.unsafeOwn(number);
  try {
    setLength(name, fd, length);
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

/** A file of `bytes` that nobody can ever change. */
export function createSealed(name: string, bytes: Uint8Array<ArrayBuffer>): Fd {
  const fd = createMemfd(name, bytes.length);
  try {
    check(Number(libc().write(fd.number, bytes, bytes.length)), "write", { path: name });
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
