import { check } from "../../ffi/mod.ts";
import { descriptors } from "../../ffi/descriptors.ts";
import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { requireFlag, requireNames, shown } from "./arguments.ts";
import { Fd, WouldBlock } from "./fd.ts";

const EFD_SEMAPHORE = 1;
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;
const LARGEST_INITIAL = 0xffffffff;

/** How an `EventFd` starts. */
export interface EventFdOptions {
  /** What it counts already, up to 2³² - 1: 0 where nothing is said. */
  initial?: number;
  /** Each read takes 1, and not all: `EFD_SEMAPHORE`. */
  semaphore?: boolean;
}

const NAMES: readonly string[] = ["initial", "semaphore"] satisfies (keyof EventFdOptions)[];

/**
 * A count in the kernel that is readable while it is above 0: eventfd(2), non-blocking. It wakes an `Epoll` that
 * another thread waits in: that thread or this one is given a `dup()` of its descriptor by number, and owns it there.
 *
 * @example
 * ```ts
 * import { Epoll, EPOLLIN, EventFd } from "@oxbow/oxbow/io";
 *
 * using event = new EventFd();
 * using epoll = new Epoll();
 * epoll.add(event.fd, EPOLLIN, 7);
 * event.write(2);
 * event.write();
 * console.log(epoll.wait(1000), epoll.token(0), event.read()); // 1 7 3
 * ```
 */
export class EventFd implements Disposable {
  readonly fd: Fd;
  #buffer: NativeBuffer = new NativeBuffer(8);
  #words: Uint32Array<ArrayBuffer> = new Uint32Array(this.#buffer.bytes.buffer);

  /**
   * A new one; or one of an eventfd's descriptor, which it owns then, and which another thread or process may have
   * made. Throws a `SystemError`: `EMFILE` where there are as many descriptors as may be.
   */
  constructor(options: EventFdOptions | Fd = {}) {
    this.fd = Fd.isFd(options) ? options : open(options);
  }

  /**
   * Adds `count`, and returns it; or `WouldBlock` where the sum would be above 2⁶⁴ - 2. Throws a `RangeError` for what
   * is no safe integer from 0. Allocates nothing.
   */
  write(count: number = 1): number {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`cannot add to an EventFd: count is ${shown(count)}, not a safe integer from 0`);
    }
    this.#words[0] = count;
    this.#words[1] = count / 0x1_0000_0000;
    return this.fd.write(this.#buffer) === WouldBlock ? WouldBlock : count;
  }

  /**
   * Takes all that was counted, or 1 of a semaphore; `WouldBlock` where it is 0. Throws a `RangeError` that says how
   * much it was, where no number holds it. Allocates nothing.
   */
  read(): number {
    if (this.fd.read(this.#buffer) === WouldBlock) return WouldBlock;
    const count = this.#words[1] * 0x1_0000_0000 + this.#words[0];
    if (!Number.isSafeInteger(count)) {
      const [exact] = new BigUint64Array(this.#buffer.bytes.buffer);
      throw new RangeError(`cannot read an EventFd: it counted ${exact}, which no number holds exactly`);
    }
    return count;
  }

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}

function open(options: EventFdOptions): Fd {
  const what = "cannot make an EventFd";
  requireNames(what, "options are", options, NAMES);
  const { initial = 0, semaphore = false } = options;
  requireFlag(what, "semaphore", semaphore);
  if (!(Number.isInteger(initial) && initial >= 0 && initial <= LARGEST_INITIAL)) {
    throw new RangeError(
      `${what}: initial is ${shown(initial)}, not an integer from 0 to ${LARGEST_INITIAL}`,
    );
  }
  const flags = EFD_CLOEXEC | EFD_NONBLOCK | (semaphore ? EFD_SEMAPHORE : 0);
  return Fd.unsafeOwn(check(descriptors().eventfd(initial, flags), "eventfd"));
}
