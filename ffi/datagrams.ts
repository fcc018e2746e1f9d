/**
 * Calls that carry an address with their bytes, one message or many: sys/socket.h. `unchecked`, for memory whose
 * address the callers have. Counts are the lower half of ssize_t: no caller passes 2 GiB at once.
 */
import { dlopenQuietly } from "./dlopen.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

const table = {
  sendto: {
    parameters: [
      /* int sockfd */ "i32",
      /* const void *buf */ "pointer",
      /* size_t len */ "usize",
      /* int flags */ "i32",
      /* const struct sockaddr *dest_addr */ "pointer",
      /* socklen_t addrlen */ "u32",
    ],
    result: "i32",
    unchecked: true,
  },
  recvfrom: {
    parameters: [
      /* int sockfd */ "i32",
      /* void *buf */ "pointer",
      /* size_t len */ "usize",
      /* int flags */ "i32",
      /* struct sockaddr *src_addr */ "pointer",
      /* socklen_t *addrlen */ "pointer",
    ],
    result: "i32",
    unchecked: true,
  },
  sendmmsg: {
    parameters: [
      /* int sockfd */ "i32",
      /* struct mmsghdr *msgvec */ "pointer",
      /* unsigned int vlen */ "u32",
      /* int flags */ "i32",
    ],
    result: "i32",
    unchecked: true,
  },
  recvmmsg: {
    parameters: [
      /* int sockfd */ "i32",
      /* struct mmsghdr *msgvec */ "pointer",
      /* unsigned int vlen */ "u32",
      /* int flags */ "i32",
      /* struct timespec *timeout */ "pointer",
    ],
    result: "i32",
    unchecked: true,
  },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

/** Opened at its first use and never closed. */
export function datagrams(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}
