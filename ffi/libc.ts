/**
 * The functions of libc that Oxbow calls, one to one with the headers of glibc on x86-64. Those marked
 * `unchecked` are on hot paths whose arguments the callers own.
 */
import { dlopenQuietly } from "./dlopen.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

const table = {
  // fcntl.h
  open: {
    parameters: [/* const char *pathname */ "buffer", /* int flags */ "i32", /* mode_t mode */ "u32"],
    result: "i32",
    variadic: 2,
  },
  fcntl: {
    parameters: [/* int fd */ "i32", /* int cmd */ "i32", /* int arg */ "i32"],
    result: "i32",
    variadic: 2,
  },

  // unistd.h
  readlink: {
    parameters: [
      /* const char *pathname */ "cstring!",
      /* char *buf */ "buffer!",
      /* size_t bufsiz */ "usize",
    ],
    result: "isize",
  },
  write: {
    parameters: [/* int fd */ "i32", /* const void *buf */ "buffer", /* size_t count */ "usize"],
    result: "isize",
  },
  // Once into a view, and once into memory whose address the caller has: one call moves less than 2 GiB, so that
  // the lower half of ssize_t says it all.
  readView: {
    symbol: "read",
    parameters: [/* int fd */ "i32", /* void *buf */ "buffer", /* size_t count */ "usize"],
    result: "i32",
  },
  writeView: {
    symbol: "write",
    parameters: [/* int fd */ "i32", /* const void *buf */ "buffer", /* size_t count */ "usize"],
    result: "i32",
  },
  readAt: {
    symbol: "read",
    parameters: [/* int fd */ "i32", /* void *buf */ "pointer", /* size_t count */ "usize"],
    result: "i32",
    unchecked: true,
  },
  writeAt: {
    symbol: "write",
    parameters: [/* int fd */ "i32", /* const void *buf */ "pointer", /* size_t count */ "usize"],
    result: "i32",
    unchecked: true,
  },
  close: { parameters: [/* int fd */ "i32"], result: "i32" },

  // sys/stat.h
  fchmod: { parameters: [/* int fd */ "i32", /* mode_t mode */ "u32"], result: "i32" },
  fstat: { parameters: [/* int fd */ "i32", /* struct stat *statbuf */ "buffer"], result: "i32" },

  // sys/mman.h
  memfd_create: {
    parameters: [/* const char *name */ "cstring!", /* unsigned int flags */ "u32"],
    result: "i32",
  },
  mmap: {
    parameters: [
      /* void *addr */ "pointer",
      /* size_t length */ "usize",
      /* int prot */ "i32",
      /* int flags */ "i32",
      /* int fd */ "i32",
      /* off_t offset */ "i64",
    ],
    // void *, as a number: MAP_FAILED is -1 and no address.
    result: "isize",
  },
  munmap: { parameters: [/* void *addr */ "pointer", /* size_t length */ "usize"], result: "i32" },

  // sys/epoll.h
  epoll_create1: { parameters: [/* int flags */ "i32"], result: "i32" },
  epoll_ctl: {
    parameters: [
      /* int epfd */ "i32",
      /* int op */ "i32",
      /* int fd */ "i32",
      /* struct epoll_event *event */ "pointer",
    ],
    result: "i32",
    unchecked: true,
  },
  epoll_wait: {
    parameters: [
      /* int epfd */ "i32",
      /* struct epoll_event *events */ "pointer",
      /* int maxevents */ "i32",
      /* int timeout */ "i32",
    ],
    result: "i32",
    unchecked: true,
  },
  // glibc 2.35, Linux 5.11.
  epoll_pwait2: {
    parameters: [
      /* int epfd */ "i32",
      /* struct epoll_event *events */ "pointer",
      /* int maxevents */ "i32",
      /* const struct timespec *timeout */ "pointer",
      /* const sigset_t *sigmask */ "pointer",
    ],
    result: "i32",
    unchecked: true,
    optional: true,
  },

  // poll.h
  poll: {
    parameters: [/* struct pollfd *fds */ "pointer", /* nfds_t nfds */ "usize", /* int timeout */ "i32"],
    result: "i32",
    unchecked: true,
  },

  // sys/socket.h. Counts come back as the lower half of ssize_t: no caller passes 2 GiB at once.
  socket: {
    parameters: [/* int domain */ "i32", /* int type */ "i32", /* int protocol */ "i32"],
    result: "i32",
  },
  bind: {
    parameters: [
      /* int sockfd */ "i32",
      /* const struct sockaddr *addr */ "buffer",
      /* socklen_t addrlen */ "u32",
    ],
    result: "i32",
  },
  listen: { parameters: [/* int sockfd */ "i32", /* int backlog */ "i32"], result: "i32" },
  accept4: {
    parameters: [
      /* int sockfd */ "i32",
      /* struct sockaddr *addr */ "pointer",
      /* socklen_t *addrlen */ "pointer",
      /* int flags */ "i32",
    ],
    result: "i32",
    unchecked: true,
  },
  connect: {
    parameters: [
      /* int sockfd */ "i32",
      /* const struct sockaddr *addr */ "buffer",
      /* socklen_t addrlen */ "u32",
    ],
    result: "i32",
  },
  getsockname: {
    parameters: [
      /* int sockfd */ "i32",
      /* struct sockaddr *addr */ "buffer",
      /* socklen_t *addrlen */ "buffer",
    ],
    result: "i32",
  },
  getpeername: {
    parameters: [
      /* int sockfd */ "i32",
      /* struct sockaddr *addr */ "buffer",
      /* socklen_t *addrlen */ "buffer",
    ],
    result: "i32",
  },
  setsockopt: {
    parameters: [
      /* int sockfd */ "i32",
      /* int level */ "i32",
      /* int optname */ "i32",
      /* const void *optval */ "buffer",
      /* socklen_t optlen */ "u32",
    ],
    result: "i32",
  },
  getsockopt: {
    parameters: [
      /* int sockfd */ "i32",
      /* int level */ "i32",
      /* int optname */ "i32",
      /* void *optval */ "buffer",
      /* socklen_t *optlen */ "buffer",
    ],
    result: "i32",
  },
  shutdown: { parameters: [/* int sockfd */ "i32", /* int how */ "i32"], result: "i32" },
  send: {
    parameters: [
      /* int sockfd */ "i32",
      /* const void *buf */ "pointer",
      /* size_t len */ "usize",
      /* int flags */ "i32",
    ],
    result: "i32",
    unchecked: true,
  },
  recv: {
    parameters: [
      /* int sockfd */ "i32",
      /* void *buf */ "pointer",
      /* size_t len */ "usize",
      /* int flags */ "i32",
    ],
    result: "i32",
    unchecked: true,
  },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

/** libc, opened at its first use and never closed. */
export function libc(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}
