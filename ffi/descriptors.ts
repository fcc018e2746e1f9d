/** What makes descriptors of counters, clocks, processes, folders and signals: the headers of sys/ that epoll(7) names. */
import { dlopenQuietly } from "./dlopen.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

const table = {
  // sys/eventfd.h
  eventfd: { parameters: [/* unsigned int initval */ "u32", /* int flags */ "i32"], result: "i32" },

  // sys/timerfd.h
  timerfd_create: { parameters: [/* int clockid */ "i32", /* int flags */ "i32"], result: "i32" },
  timerfd_settime: {
    parameters: [
      /* int fd */ "i32",
      /* int flags */ "i32",
      /* const struct itimerspec *new_value */ "buffer!",
      /* struct itimerspec *old_value */ "buffer",
    ],
    result: "i32",
  },
  timerfd_gettime: {
    parameters: [/* int fd */ "i32", /* struct itimerspec *curr_value */ "buffer!"],
    result: "i32",
  },

  // sys/inotify.h
  inotify_init1: { parameters: [/* int flags */ "i32"], result: "i32" },
  inotify_add_watch: {
    parameters: [/* int fd */ "i32", /* const char *pathname */ "cstring!", /* uint32_t mask */ "u32"],
    result: "i32",
  },
  inotify_rm_watch: { parameters: [/* int fd */ "i32", /* int wd */ "i32"], result: "i32" },

  // sys/signalfd.h
  signalfd: {
    parameters: [/* int fd */ "i32", /* const sigset_t *mask */ "buffer!", /* int flags */ "i32"],
    result: "i32",
  },

  // signal.h. It gives the number of what failed, and sets no errno.
  pthread_sigmask: {
    parameters: [/* int how */ "i32", /* const sigset_t *set */ "buffer!", /* sigset_t *oldset */ "buffer"],
    result: "i32",
  },

  // sys/wait.h
  waitid: {
    parameters: [
      /* idtype_t idtype */ "i32",
      /* id_t id */ "u32",
      /* siginfo_t *infop */ "buffer!",
      /* int options */ "i32",
    ],
    result: "i32",
  },

  // unistd.h: glibc has had pidfd_open(2) and pidfd_send_signal(2) for less long than the kernel.
  pidfd_open: {
    symbol: "syscall",
    parameters: [/* long number */ "i64", /* pid_t pid */ "i32", /* unsigned int flags */ "u32"],
    result: "isize",
    variadic: 1,
  },
  pidfd_send_signal: {
    symbol: "syscall",
    parameters: [
      /* long number */ "i64",
      /* int pidfd */ "i32",
      /* int sig */ "i32",
      /* siginfo_t *info */ "pointer",
      /* unsigned int flags */ "u32",
    ],
    result: "isize",
    variadic: 1,
  },
  pipe2: { parameters: [/* int pipefd[2] */ "buffer!", /* int flags */ "i32"], result: "i32" },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

/** Opened at its first use and never closed. */
export function descriptors(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}
