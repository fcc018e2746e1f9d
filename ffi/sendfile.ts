/** From a file to a socket without a copy in between: sys/sendfile.h. */
import { dlopenQuietly } from "./dlopen.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

const table = {
  sendfile: {
    parameters: [
      /* int out_fd */ "i32",
      /* int in_fd */ "i32",
      /* off_t *offset */ "buffer!",
      /* size_t count */ "usize",
    ],
    result: "isize",
  },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

/** Opened at its first use and never closed. */
export function sendfileCalls(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}
