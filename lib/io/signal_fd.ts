import { check, SystemError } from "../../ffi/mod.ts";
import { descriptors } from "../../ffi/descriptors.ts";
import { signalfd_siginfo } from "../../ffi/layout/linux.ts";
import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { shown } from "./arguments.ts";
import { Fd, numberOf, WouldBlock } from "./fd.ts";
import { type Signal, signalNumber, signalOf } from "./signals.ts";

const SFD_NONBLOCK = 0o4000;
const SFD_CLOEXEC = 0o2000000;
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
/** `sigset_t`, of 1,024 bits: signal n is bit n - 1. */
const SIGSET_BYTES = 128;

/** Why a signal cannot be taken so. */
const REFUSED: ReadonlyMap<Signal, string> = new Map<Signal, string>([
  ["SIGKILL", "nobody can block it"],
  ["SIGSTOP", "nobody can block it"],
  ["SIGPWR", "engines stop their threads by it, and would wait for this one for ever"],
  ...(["SIGILL", "SIGTRAP", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGSYS"] as const).map((
    signal,
  ): [Signal, string] => [
    signal,
    "a fault raises it, which ends the process where it is blocked",
  ]),
]);

/** How many descriptors of this thread have a signal blocked. */
const holds = new Map<number, number>();

/** A signal as it was taken: signalfd(2). */
export interface SignalInfo {
  readonly signal: Signal;
  /** Who has sent it: 0 where the kernel has. */
  readonly pid: number;
  readonly uid: number;
  /** `si_code` of sigaction(2): 0 by kill(2), -1 by sigqueue(3), -6 by tgkill(2), and others. */
  readonly code: number;
  /** What sigqueue(3) has sent with it. */
  readonly value: number;
}

/**
 * Signals as something to read, in place of what they do: signalfd(2), raw and non-blocking. **It cannot take
 * `SIGTERM`, `SIGINT` or whatever else is sent to the process.** A signal that is blocked in one thread goes to another,
 * and the hosts have many: the process ends by it as if nobody had asked, but where a read here happens to be quicker
 * than that thread wakes. This has its signals blocked in the thread
 * that makes it, so that what it delivers is what is sent to that very thread, by tgkill(2) or pthread_kill(3), from
 * code of yours. For the others there is `SignalWatch` of `/jit`, and the hosts' own listeners.
 *
 * @example
 * ```ts
 * import { SignalFd, WouldBlock } from "@oxbow/oxbow/io";
 *
 * using signals = new SignalFd(["SIGUSR2", 40]); // a realtime signal goes by its number
 * console.log(signals.read() === WouldBlock); // true
 * ```
 */
export class SignalFd implements Disposable {
  readonly fd: Fd;
  #numbers: readonly number[];
  #buffer: NativeBuffer = new NativeBuffer(signalfd_siginfo.size);
  #fields: ReturnType<typeof signalfd_siginfo.view> = signalfd_siginfo.view(this.#buffer.bytes);

  /** Blocks the signals in this thread until it is closed. Throws a `TypeError` for one that must not be blocked. */
  constructor(signals: readonly Signal[]) {
    const what = "cannot make a SignalFd";
    if (!Array.isArray(signals) || signals.length === 0) {
      throw new TypeError(`${what}: signals is ${shown(signals)}, and no list of one or more`);
    }
    this.#numbers = [
      ...new Set(signals.map((signal) => {
        const number = signalNumber(what, signal);
        const why = REFUSED.get(signal);
        if (why !== undefined) throw new TypeError(`${what}: ${signal} is among the signals, and ${why}`);
        return number;
      })),
    ];
    const flags = SFD_NONBLOCK | SFD_CLOEXEC;
    this.fd = Fd.unsafeOwn(check(descriptors().signalfd(-1, setOf(this.#numbers), flags), "signalfd"));
    for (const number of this.#numbers) holds.set(number, (holds.get(number) ?? 0) + 1);
    mask(SIG_BLOCK, this.#numbers);
  }

  /** The next signal, or `WouldBlock` where there is none. Of a standard signal the kernel keeps one, of the realtime ones all. */
  read(): SignalInfo | typeof WouldBlock {
    if (this.fd.read(this.#buffer) === WouldBlock) return WouldBlock;
    const { ssi_signo, ssi_pid, ssi_uid, ssi_code, ssi_int } = this.#fields;
    return { signal: signalOf(ssi_signo), pid: ssi_pid, uid: ssi_uid, code: ssi_code, value: ssi_int };
  }

  /**
   * Takes what is pending, for it would do what it does, and then blocks the signals no more, but those that another
   * `SignalFd` of this thread has.
   */
  close(): void {
    if (this.fd.isClosed) return;
    const left = this.#numbers.filter((number) => {
      const count = (holds.get(number) ?? 1) - 1;
      holds.set(number, count);
      return count === 0;
    });
    if (left.length > 0) {
      check(descriptors().signalfd(numberOf(this.fd), setOf(left), 0), "signalfd");
      while (this.fd.read(this.#buffer) !== WouldBlock);
      mask(SIG_UNBLOCK, left);
    }
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function setOf(numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(SIGSET_BYTES);
  for (const number of numbers) set[(number - 1) >> 3] |= 1 << ((number - 1) & 7);
  return set;
}

function mask(how: number, numbers: readonly number[]): void {
  const failure = descriptors().pthread_sigmask(how, setOf(numbers), null);
  if (failure !== 0) throw new SystemError(failure, "pthread_sigmask");
}
