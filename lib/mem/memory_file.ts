/** Files in memory by their descriptors' numbers: memfd_create(2), ftruncate(2), the seals of fcntl(2). */
import { errno } from "../../ffi/errno.ts";
import { libc } from "../../ffi/libc.ts";
import { mman } from "../../ffi/mman.ts";
import { check, SystemError } from "../../ffi/system_error.ts";

const EPERM = 1;
const EMFILE = 24;
const EFBIG = 27;
const RLIMIT_FSIZE = 1;
const MFD_CLOEXEC = 0x1;
const MFD_ALLOW_SEALING = 0x2;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;

export const F_SEAL_SEAL = 0x1;
export const F_SEAL_SHRINK = 0x2;
export const F_SEAL_GROW = 0x4;
export const F_SEAL_WRITE = 0x8;
export const F_SEAL_FUTURE_WRITE = 0x10;
/** Nothing of a file with these can ever change. */
const ALL: number = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

/** ftruncate(2): the file's length from now on. */
export function setFileLength(path: string, descriptor: number, length: number): void {
  // Beyond the limit there is a signal, SIGXFSZ, which ends the process on Deno.
  const limit = new BigUint64Array(2);
  check(mman().getrlimit(RLIMIT_FSIZE, new Uint8Array(limit.buffer)), "getrlimit");
  if (BigInt(length) > limit[0]) {
    const [most] = limit;
    const hint = `ulimit -f lets this process make files of ${most} bytes, and this one would have ${length}`;
    throw new SystemError(EFBIG, "ftruncate", { path, hint });
  }
  if (mman().ftruncate(descriptor, length) === 0) return;
  const failure = errno();
  const hint = failure === EPERM ? "it is sealed against this" : undefined;
  throw new SystemError(failure, "ftruncate", { path, hint });
}

/** A new file of `length` zeros, whose descriptor the caller owns. `flags` are memfd_create's beside those of all. */
export function createMemoryFile(name: string, length: number, flags = 0): number {
  const descriptor = libc().memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
  if (descriptor === -1) {
    const failure = errno();
    const hint = failure === EMFILE
      ? "ulimit -n says how many descriptors this process may have; dispose maps that are done"
      : undefined;
    throw new SystemError(failure, "memfd_create", { path: name, hint });
  }
  try {
    setFileLength(name, descriptor, length);
    return descriptor;
  } catch (error) {
    libc().close(descriptor);
    throw error;
  }
}

/** Seals the file against what `mask` says. */
export function sealFile(name: string, descriptor: number, mask: number): void {
  check(libc().fcntl(descriptor, F_ADD_SEALS, mask), "fcntl", { path: name });
}

/** A file of all these bytes, one after the other, that nobody can ever change; the caller owns the descriptor. */
export function createSealedFile(name: string, ...pieces: readonly Uint8Array<ArrayBuffer>[]): number {
  const descriptor = createMemoryFile(name, pieces.reduce((sum, { length }) => sum + length, 0));
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        const rest = piece.subarray(at);
        at += check(Number(libc().write(descriptor, rest, rest.length)), "write", { path: name });
      }
    }
    sealFile(name, descriptor, ALL);
    return descriptor;
  } catch (error) {
    libc().close(descriptor);
    throw error;
  }
}

/** Whether the descriptor is of a file that `createSealedFile` made, or that is sealed as such. */
export function isSealed(descriptor: number): boolean {
  return libc().fcntl(descriptor, F_GET_SEALS, 0) === ALL;
}
