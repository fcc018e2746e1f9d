/** Messages between sockets that carry more than bytes: sys/socket.h. */
import { dlopenQuietly } from "./dlopen.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

const table = {
  socketpair: {
    parameters: [
      /* int domain */ "i32",
      /* int type */ "i32",
      /* int protocol */ "i32",
      /* int sv[2] */ "buffer!",
    ],
    result: "i32",
  },
  sendmsg: {
    parameters: [/* int sockfd */ "i32", /* const struct msghdr *msg */ "buffer!", /* int flags */ "i32"],
    result: "isize",
  },
  recvmsg: {
    parameters: [/* int sockfd */ "i32", /* struct msghdr *msg */ "buffer!", /* int flags */ "i32"],
    result: "isize",
  },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

/** Opened at its first use and never closed. */
export function socketMessages(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}
