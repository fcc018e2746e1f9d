/** What moves bytes from descriptor to descriptor inside the kernel: splice(2), sendfile(2), copy_file_range(2). */
import { dlopenQuietly } from "./dlopen.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

// Counts come back as the lower half of ssize_t: no caller asks for 2 GiB at once.
const table = {
  // fcntl.h
  splice: {
    parameters: [
      /* int fd_in */ "i32",
      /* off64_t *off_in */ "pointer",
      /* int fd_out */ "i32",
      /* off64_t *off_out */ "pointer",
      /* size_t len */ "usize",
      /* unsigned int flags */ "u32",
    ],
    result: "i32",
    unchecked: true,
  },

  // sys/sendfile.h
  sendfile: {
    parameters: [
      /* int out_fd */ "i32",
      /* int in_fd */ "i32",
      /* off_t *offset */ "pointer",
      /* size_t count */ "usize",
    ],
    result: "i32",
    unchecked: true,
  },

  // unistd.h
  copy_file_range: {
    parameters: [
      /* int fd_in */ "i32",
      /* off64_t *off_in */ "pointer",
      /* int fd_out */ "i32",
      /* off64_t *off_out */ "pointer",
      /* size_t len */ "usize",
      /* unsigned int flags */ "u32",
    ],
    result: "i32",
    unchecked: true,
  },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

/** Opened at its first use and never closed. */
export function moving(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}
