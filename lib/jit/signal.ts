/**
 * Signals as events: a handler in machine code counts each into an eventfd, which can be polled beside
 * sockets. No signal is blocked, so that it does not matter which thread it comes to, as it does for
 * signalfd(2); and no JavaScript runs in a handler.
 *
 * The handler is loaded once in the process and stays. It calls write(2) and nothing else: errno is left
 * alone, and a system call that it interrupts goes on (`SA_RESTART`), but for those that wait for events, which
 * give `EINTR`. Source: sigaction(2), signal-safety(7), eventfd(2).
 *
 * @module
 */
import {
  check,
  errno,
  hostName,
  type NativeFunctions,
  type SymbolTable,
  SystemError,
} from "../../ffi/mod.ts";
import { dlopenQuietly } from "../../ffi/dlopen.ts";
import { LIBC } from "../../ffi/soname.ts";
import { restorer, signalHandler, signalUnwatch, signalWatch } from "./assembled.ts";
import { openForProcess } from "./library.ts";
import { MEMORY } from "./signal_memory.ts";

/**
 * The signals that can be watched, and whether who has the signal is told of it still, as of those that end
 * nothing. Not among them are those that a fault raises, that nobody can catch, that engines stop their threads
 * by, and SIGCHLD, which the hosts take and give back as they have children.
 */
const SIGNALS = {
  SIGHUP: [1, false],
  SIGINT: [2, false],
  SIGQUIT: [3, false],
  SIGUSR1: [10, false],
  SIGUSR2: [12, false],
  SIGALRM: [14, false],
  SIGTERM: [15, false],
  SIGCONT: [18, true],
  SIGTSTP: [20, false],
  SIGTTIN: [21, false],
  SIGTTOU: [22, false],
  SIGURG: [23, true],
  SIGXCPU: [24, false],
  SIGXFSZ: [25, false],
  SIGVTALRM: [26, false],
  SIGWINCH: [28, true],
  SIGIO: [29, false],
} as const;

/** A signal that can be watched: signal(7). */
export type SignalName = keyof typeof SIGNALS;

const CODE = {
  signal_watch: { parameters: ["u32", "i32", "u32"], result: "i32" },
  signal_unwatch: { parameters: ["u32"], result: "void" },
} as const satisfies SymbolTable;

const LIBC_TABLE = {
  // sys/eventfd.h
  eventfd: { parameters: [/* unsigned int initval */ "u32", /* int flags */ "i32"], result: "i32" },
  // unistd.h
  read: {
    parameters: [/* int fd */ "i32", /* void *buf */ "buffer!", /* size_t count */ "usize"],
    result: "isize",
  },
  close: { parameters: [/* int fd */ "i32"], result: "i32" },
} as const satisfies SymbolTable;

const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;
const EAGAIN = 11;

/** Throws a `TypeError` for what is no signal that can be watched. */
export function requireSignal(signal: SignalName): void {
  if (Object.hasOwn(SIGNALS, signal)) return;
  throw new TypeError(`cannot watch ${String(signal)}: use one of ${Object.keys(SIGNALS).join(", ")}`);
}

let code: NativeFunctions<typeof CODE> | undefined;
let symbols: NativeFunctions<typeof LIBC_TABLE> | undefined;

/**
 * Deno takes SIGHUP, SIGINT and SIGTERM when it begins to listen for anything, its inspector's SIGUSR1 at the latest,
 * some time after the start, and ends the process by them. It is to have done so before: who comes last is told.
 */
function haveDenoListen(): void {
  const nothing = (): void => {};
  Deno.addSignalListener("SIGHUP", nothing);
  Deno.removeSignalListener("SIGHUP", nothing);
}

function handlers(): NativeFunctions<typeof CODE> {
  if (code === undefined && hostName === "deno") haveDenoListen();
  return code ??= openForProcess({
    functions: {
      signal_watch: signalWatch,
      signal_unwatch: signalUnwatch,
      signal_handler: signalHandler,
      signal_restorer: restorer,
    },
    memory: MEMORY,
  }, CODE).symbols;
}

function libc(): NativeFunctions<typeof LIBC_TABLE> {
  return symbols ??= dlopenQuietly(LIBC, LIBC_TABLE).symbols;
}

/**
 * Counts a signal, for this watch alone, until it is disposed. The process does not end by the signal as long
 * as anybody watches it, and does again when the last watch is disposed; what the host or the program had
 * registered for it is then as before, unless somebody else has taken the signal meanwhile.
 *
 * Make no listener of the host for a signal, as by `process.on`, while it is watched. It takes the signal: on Bun
 * and Node `take` gives 0 from then on, and the listener is called; on Deno both are told. The next `SignalWatch`
 * of the signal takes it in turn, for itself and those that are open, and the listener is called no more, unless
 * the signal is one that ends nothing. Where Node's last listener goes, so does the watches' hold of the
 * signal: it ends the process by its default, until there is a new watch.
 *
 * Signals are no messages: of those that come while one is pending, the kernel keeps one. A worker that ends
 * without disposing its watches leaves them open.
 *
 * @example
 * ```ts
 * import { SignalWatch } from "@oxbow/oxbow/jit";
 * import process from "node:process";
 *
 * using watch = new SignalWatch("SIGHUP");
 * process.kill(process.pid, "SIGHUP");
 * await new Promise((resolve) => setTimeout(resolve, 10));
 * console.log(watch.take()); // 1
 * ```
 */
export class SignalWatch implements Disposable {
  readonly signal: SignalName;
  #fd: number;
  #index: number;
  #count = new BigUint64Array(1);

  /**
   * Watches a signal from now on.
   *
   * @throws {TypeError} where it is none that can be watched.
   * @throws {SystemError} `EAGAIN` where 256 watches are open in the process; what eventfd(2) says.
   * @throws {NativeUnavailableError} where no machine code can be loaded.
   */
  constructor(signal: SignalName) {
    requireSignal(signal);
    const [number, chains] = SIGNALS[signal];
    const { signal_watch } = handlers();
    this.signal = signal;
    this.#fd = check(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
    this.#index = signal_watch(number, this.#fd, Number(chains));
    if (this.#index >= 0) return;
    libc().close(this.#fd);
    throw new SystemError(-this.#index, "sigaction", { hint: `${signal} is not watched` });
  }

  /** The eventfd's descriptor, readable while there is something to take. It is the watch's: do not close it. */
  get fd(): number {
    if (this.#fd === -1) throw new Error(`cannot watch ${this.signal}: the watch was disposed`);
    return this.#fd;
  }

  /** How many came since it was last asked. It does not wait. */
  take(): number {
    if (libc().read(this.fd, this.#count, this.#count.byteLength) !== -1n) return Number(this.#count[0]);
    const failure = errno();
    if (failure === EAGAIN) return 0;
    throw new SystemError(failure, "read");
  }

  /** Ends the watch, and closes its descriptor. Does nothing the second time. */
  [Symbol.dispose](): void {
    if (this.#fd === -1) return;
    handlers().signal_unwatch(this.#index);
    libc().close(this.#fd);
    this.#fd = -1;
  }
}
