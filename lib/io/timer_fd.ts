import { check } from "../../ffi/mod.ts";
import { descriptors } from "../../ffi/descriptors.ts";
import { itimerspec } from "../../ffi/layout/linux.ts";
import { millisecondsOf, setMilliseconds } from "../../ffi/layout/timespec.ts";
import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { requireFlag, requireNames, shown } from "./arguments.ts";
import { Fd, numberOf, WouldBlock } from "./fd.ts";

const TFD_NONBLOCK = 0o4000;
const TFD_CLOEXEC = 0o2000000;
const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2;

const CLOCKS = { realtime: 0, monotonic: 1, boottime: 7 } as const;

/**
 * What a timer counts by, clock_gettime(2): `monotonic` is never set and stands still while the machine sleeps,
 * `boottime` goes on, `realtime` is the time of day.
 */
export type TimerClock = keyof typeof CLOCKS;

/** When a `TimerFd` expires: `after` or `at` for the first time, then at each `interval`. */
export interface TimerSettings {
  /** Milliseconds from now; 0 is at once. */
  after?: number;
  /** A time of day in milliseconds, as `Date.now()` tells it, for the clock `realtime` alone; at once where it is past. */
  at?: number;
  /** Milliseconds between expirations, and before the first where nothing else is said; 0 is never again. */
  interval?: number;
  /** `read` throws `ECANCELED` where somebody sets the machine's clock; goes with `at`. */
  cancelOnSet?: boolean;
}

const NAMES: readonly string[] = [
  "after",
  "at",
  "interval",
  "cancelOnSet",
] satisfies (keyof TimerSettings)[];

const HINT = "the machine's clock was set: look at it, and set the timer again";

/**
 * A timer in the kernel that is readable once it has expired: timerfd_create(2), non-blocking. It is never early, and
 * exact to some 50 µs. Of an interval, the kernel starts the next one when this one is read: watched for edges, a timer
 * that nobody reads is told of once.
 *
 * @example
 * ```ts
 * import { Epoll, EPOLLIN, TimerFd } from "@oxbow/oxbow/io";
 *
 * using timer = new TimerFd();
 * using epoll = new Epoll();
 * epoll.add(timer.fd, EPOLLIN, 0);
 * timer.set({ after: 1.5 });
 * console.log(epoll.wait(1000), timer.read()); // 1 1
 * console.log(timer.remaining()); // 0
 * ```
 */
export class TimerFd implements Disposable {
  readonly fd: Fd;
  #clock: TimerClock;
  #settings: Uint8Array<ArrayBuffer> = new Uint8Array(itimerspec.size);
  #fields: ReturnType<typeof itimerspec.view> = itimerspec.view(this.#settings);
  #buffer: NativeBuffer = new NativeBuffer(8);
  #words: Uint32Array<ArrayBuffer> = new Uint32Array(this.#buffer.bytes.buffer);

  /** One that is not set. Throws a `SystemError`: `EMFILE` where there are as many descriptors as may be. */
  constructor(clock: TimerClock = "monotonic") {
    if (!Object.hasOwn(CLOCKS, clock)) {
      throw new TypeError(
        `cannot make a TimerFd: clock is ${shown(clock)}, none of ${Object.keys(CLOCKS).join(", ")}`,
      );
    }
    this.#clock = clock;
    const flags = TFD_NONBLOCK | TFD_CLOEXEC;
    this.fd = Fd.unsafeOwn(check(descriptors().timerfd_create(CLOCKS[clock], flags), "timerfd_create"));
  }

  /** Sets it in place of what it was set to; what has expired and was not read is forgotten. */
  set(settings: TimerSettings): void {
    const what = "cannot set a TimerFd";
    requireNames(what, "settings are", settings, NAMES);
    const { after, at, interval = 0, cancelOnSet = false } = settings;
    for (const [name, value] of Object.entries({ after, at, interval })) {
      if (value === undefined || (typeof value === "number" && value >= 0 && value <= 2 ** 53 - 1)) continue;
      throw new RangeError(`${what}: ${name} is ${shown(value)}, not a count of milliseconds`);
    }
    requireFlag(what, "cancelOnSet", cancelOnSet);
    if (at !== undefined && after !== undefined) throw new TypeError(`${what}: both after and at are given`);
    if (at !== undefined && this.#clock !== "realtime") {
      throw new TypeError(`${what}: at is a time of day, and its clock is ${this.#clock}`);
    }
    if (cancelOnSet && at === undefined) throw new TypeError(`${what}: cancelOnSet goes with at`);
    const first = at ?? after ?? (interval > 0 ? interval : undefined);
    if (first === undefined) throw new TypeError(`${what}: none of after, at and interval is given`);
    setMilliseconds(this.#fields.it_interval, interval);
    setMilliseconds(this.#fields.it_value, first);
    // All zeros would unset it.
    if (first === 0) this.#fields.it_value.tv_nsec = 1;
    this.#apply((at === undefined ? 0 : TFD_TIMER_ABSTIME) | (cancelOnSet ? TFD_TIMER_CANCEL_ON_SET : 0));
  }

  /** Has it expire no more. */
  unset(): void {
    this.#settings.fill(0);
    this.#apply(0);
  }

  #apply(flags: number): void {
    const { timerfd_settime } = descriptors();
    check(timerfd_settime(numberOf(this.fd), flags, this.#settings, null), "timerfd_settime", { hint: HINT });
  }

  /**
   * How often it has expired since it was last read, or `WouldBlock` where it has not. Throws a `SystemError`:
   * `ECANCELED` where it was to be told that the machine's clock was set. Allocates nothing.
   */
  read(): number {
    try {
      if (this.fd.read(this.#buffer) === WouldBlock) return WouldBlock;
    } catch (error) {
      if (!(error instanceof SystemError && error.code === "ECANCELED")) throw error;
      throw new SystemError(error.errno, error.syscall, { hint: HINT });
    }
    return this.#words[1] * 0x1_0000_0000 + this.#words[0];
  }

  /** Milliseconds until it next expires, as a fraction; 0 where it does not. */
  remaining(): number {
    const { timerfd_gettime } = descriptors();
    check(timerfd_gettime(numberOf(this.fd), this.#settings), "timerfd_gettime");
    return millisecondsOf(this.#fields.it_value);
  }

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}
