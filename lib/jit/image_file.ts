import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import {
  check,
  errno,
  libc,
  type NativeFunctions,
  NativeUnavailableError,
  type SymbolTable,
  SystemError,
} from "../../ffi/mod.ts";
import { dlopenQuietly, messageOf } from "../../ffi/dlopen.ts";
import { environment } from "../../ffi/environment.ts";
import { requireWrite } from "../../ffi/permissions.ts";
import { LIBC } from "../../ffi/soname.ts";

const MFD_CLOEXEC = 0x1;
const MFD_ALLOW_SEALING = 0x2;
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE. */
const SEALS = 0x1 | 0x2 | 0x4 | 0x8;
const RLIMIT_FSIZE = 1;
const EPERM = 1;
const EACCES = 13;
const EINVAL = 22;
const EFBIG = 27;
const ENOSYS = 38;

/** A shared object as a file that the loader takes by its path. */
export interface ImageFile extends Disposable {
  readonly path: string;
}

const LIMITS = {
  // sys/resource.h
  getrlimit: { parameters: [/* int resource */ "i32", /* struct rlimit *rlim */ "buffer!"], result: "i32" },
} as const satisfies SymbolTable;

let limits: NativeFunctions<typeof LIMITS> | undefined;

/** Refuses what RLIMIT_FSIZE would cut off: whoever writes there is ended by SIGXFSZ. */
function requireRoom(byteLength: number): void {
  limits ??= dlopenQuietly(LIBC, LIMITS).symbols;
  const limit = new BigUint64Array(2);
  check(limits.getrlimit(RLIMIT_FSIZE, limit), "getrlimit");
  if (BigInt(byteLength) <= limit[0]) return;
  throw new SystemError(EFBIG, "write", {
    hint: `machine code takes a file of ${byteLength} bytes, and ulimit -f lets this process write ${
      limit[0]
    }`,
  });
}

let folder: string | undefined;

/**
 * This process's descriptors, by its number: debuggers follow the loader's paths from their own process, where
 * `/proc/self` is another. The number is what `/proc` itself says, which may be another process namespace's.
 */
function descriptors(): string {
  if (folder !== undefined) return folder;
  const bytes = new Uint8Array(32);
  const length = Number(libc().readlink("/proc/self", bytes, bytes.length));
  if (length === -1) {
    const cause = new SystemError(errno(), "readlink", { path: "/proc/self" });
    throw new NativeUnavailableError("load machine code", cause.message, { cause });
  }
  return folder = `/proc/${new TextDecoder().decode(bytes.subarray(0, length))}/fd`;
}

function createMemfd(name: string): number {
  const { memfd_create } = libc();
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  let fd = memfd_create(name, flags | MFD_EXEC);
  let failure = fd === -1 ? errno() : 0;
  // Linux before 6.3 does not know MFD_EXEC, which it means anyway.
  if (failure === EINVAL) {
    fd = memfd_create(name, flags);
    failure = fd === -1 ? errno() : 0;
  }
  if (failure === 0) return fd;
  const error = new SystemError(failure, "memfd_create", {
    hint: failure === EACCES ? "the sysctl vm.memfd_noexec is 2 and forbids it" : undefined,
  });
  if (failure !== EPERM && failure !== EACCES && failure !== ENOSYS) throw error;
  throw new NativeUnavailableError("load machine code", error.message, { cause: error });
}

/** In memory, and sealed: nobody can write to it once it is made. */
function inMemory(image: Uint8Array<ArrayBuffer>, label: string): ImageFile {
  const folder = descriptors();
  const fd = createMemfd(`oxbow-${label}`);
  try {
    for (let at = 0; at < image.length;) {
      at += check(Number(libc().write(fd, image.subarray(at), image.length - at)), "write");
    }
    check(libc().fcntl(fd, F_ADD_SEALS, SEALS), "fcntl");
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  return { path: `${folder}/${fd}`, [Symbol.dispose]: () => void libc().close(fd) };
}

let written = 0;

/** In a folder, where it stays. */
function onDisk(folder: string, image: Uint8Array<ArrayBuffer>, label: string): ImageFile {
  for (;;) {
    const path = resolve(folder, `${process.pid}-${++written}-${label}.so`);
    requireWrite(path);
    try {
      writeFileSync(path, image, { flag: "wx" });
      return { path, [Symbol.dispose]() {} };
    } catch (error) {
      // Another thread's, or an earlier process's.
      if (error instanceof Error && "code" in error && error.code === "EEXIST") continue;
      throw new Error(
        `cannot write machine code to ${path}: ${messageOf(error)}; OXBOW_JIT_DIR names the folder`,
        {
          cause: error,
        },
      );
    }
  }
}

/**
 * A file of `image`, for as long as it is loaded: glibc takes a path that it has opened before for the same
 * library, and a debugger reads the symbols there. In the folder `$OXBOW_JIT_DIR` where it is set, for
 * profilers, to which a memfd has no name. `label` is what maps and profiles show.
 *
 * @throws {NativeUnavailableError} where the kernel, or a sandbox, gives no executable file in memory.
 * @throws {SystemError} `EFBIG` where `ulimit -f` forbids so long a file; what memfd_create(2) says.
 * @throws {Error} where the folder cannot be written to.
 */
export function createImageFile(image: Uint8Array<ArrayBuffer>, label: string): ImageFile {
  requireRoom(image.length);
  const folder = environment("OXBOW_JIT_DIR");
  return folder === undefined ? inMemory(image, label) : onDisk(folder, image, label);
}
