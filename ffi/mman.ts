/** What maps need of libc besides mmap(2) itself: sys/mman.h, and the length of a file. */
import { dlopenQuietly } from "./dlopen.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

const table = {
  // sys/mman.h
  mremap: {
    parameters: [
      /* void *old_address */ "pointer",
      /* size_t old_size */ "usize",
      /* size_t new_size */ "usize",
      /* int flags */ "i32",
      /* void *new_address */ "pointer",
    ],
    // void *, as a number: MAP_FAILED is -1 and no address.
    result: "isize",
    variadic: 4,
  },
  mprotect: {
    parameters: [/* void *addr */ "pointer", /* size_t len */ "usize", /* int prot */ "i32"],
    result: "i32",
  },
  madvise: {
    parameters: [/* void *addr */ "pointer", /* size_t length */ "usize", /* int advice */ "i32"],
    result: "i32",
  },
  msync: {
    parameters: [/* void *addr */ "pointer", /* size_t length */ "usize", /* int flags */ "i32"],
    result: "i32",
  },
  mincore: {
    parameters: [/* void *addr */ "pointer", /* size_t length */ "usize", /* unsigned char *vec */ "buffer!"],
    result: "i32",
  },
  mlock2: {
    parameters: [/* const void *addr */ "pointer", /* size_t len */ "usize", /* unsigned int flags */ "u32"],
    result: "i32",
  },
  munlock: { parameters: [/* const void *addr */ "pointer", /* size_t len */ "usize"], result: "i32" },

  // fcntl.h
  sync_file_range: {
    parameters: [
      /* int fd */ "i32",
      /* off64_t offset */ "i64",
      /* off64_t nbytes */ "i64",
      /* unsigned int flags */ "u32",
    ],
    result: "i32",
  },

  // sys/resource.h
  getrlimit: { parameters: [/* int resource */ "i32", /* struct rlimit *rlim */ "buffer!"], result: "i32" },

  // sys/vfs.h
  fstatfs: { parameters: [/* int fd */ "i32", /* struct statfs *buf */ "buffer!"], result: "i32" },

  // unistd.h
  ftruncate: { parameters: [/* int fd */ "i32", /* off_t length */ "i64"], result: "i32" },
  pread: {
    parameters: [
      /* int fd */ "i32",
      /* void *buf */ "buffer!",
      /* size_t count */ "usize",
      /* off_t offset */ "i64",
    ],
    result: "isize",
  },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

/** Opened at its first use and never closed. */
export function mman(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}
