/**
 * A descriptor that wakes the host's own event loop: what lives inside that loop, beside the host's timers and servers,
 * need not ask whether anything is ready, and nothing runs while nothing is.
 *
 * A thread for each watch waits in epoll_wait(2). Its whole body is machine code, of one page that the process has once;
 * it wakes the loop by a thread-safe function of Node-API, which Deno and Bun have too, and takes no signal. It sleeps
 * until the watch is armed and the descriptor is ready, so that neither the thread nor the loop wakes before.
 * Source: epoll(7), node_api.h.
 *
 * @module
 */
import { NativeUnavailableError, type Pointer, SystemError } from "../../ffi/mod.ts";
import { openWatching, startWatch, type Watching } from "./watch_start.ts";

/** Armings are numbered, and the last comes before the first. */
const NUMBERS = 0x7fffffff;

/**
 * Watches a descriptor that can be polled, such as that of an epoll instance, for the host's loop. Armed, it calls
 * `onReady` once, on this thread and in a turn of the loop, when the descriptor is readable, and in the next turn
 * where it is already; then it is to be armed again. Microtasks run after it; what it throws is an uncaught error.
 *
 * An armed watch keeps the process alive, as a timer does, unless it is `unref`'d. The watch has a descriptor of its
 * own for the same open file: closing the one that was given ends nothing. A worker that ends, terminated or not, and
 * a process that exits, end their watches, disposed or not.
 *
 * Made and disposed it costs about 0.4 ms, armed and called about 8 µs, of all threads together.
 */
export class Watch implements Disposable {
  #watching: Watching;
  /** The memory of C; none is there once the watch was disposed. */
  #block: Pointer | undefined;
  #onReady: () => void;
  #last = 0;
  /** The number of the arming that is not fulfilled yet, or 0. */
  #armed = 0;
  #isRef = true;

  /**
   * Whether descriptors can be watched here. Where not, the constructor throws a `NativeUnavailableError`: where C
   * cannot be called, no machine code be loaded, or by Node's permissions no addon.
   */
  static get isAvailable(): boolean {
    try {
      openWatching();
      return true;
    } catch (error) {
      if (error instanceof NativeUnavailableError) return false;
      throw error;
    }
  }

  /**
   * @throws {SystemError} where it is no descriptor, or none that can be polled (`EPERM`); or where the kernel has
   * no more descriptors or threads to give.
   * @throws {NativeUnavailableError} where none can be watched: see `isAvailable`.
   */
  constructor(descriptor: number, onReady: () => void) {
    if (typeof onReady !== "function") {
      throw new TypeError("cannot watch a descriptor: onReady is no function");
    }
    this.#watching = openWatching();
    this.#onReady = onReady;
    this.#block = startWatch(descriptor, () => this.#told());
  }

  get isArmed(): boolean {
    return this.#armed !== 0;
  }

  /** Has `onReady` called once when the descriptor is readable. Does nothing where it is armed. */
  arm(): void {
    const block = this.#block;
    if (block === undefined) throw new Error("cannot arm a watch that was disposed");
    if (this.#armed !== 0) return;
    const number = this.#last === NUMBERS ? 1 : this.#last + 1;
    const result = this.#watching.code.arm(block, number);
    if (result < 0) throw new SystemError(-result, "epoll_ctl");
    this.#last = number;
    this.#armed = number;
    if (this.#isRef) this.#watching.code.ref(block);
  }

  /** Has `onReady` not called any more, whatever was ready. */
  disarm(): void {
    const block = this.#block;
    if (block === undefined || this.#armed === 0) return;
    this.#settle(block);
    this.#watching.code.disarm(block);
  }

  /** Keeps the process alive while it is armed, as at first. */
  ref(): void {
    if (this.#isRef) return;
    this.#isRef = true;
    if (this.#block !== undefined && this.#armed !== 0) this.#watching.code.ref(this.#block);
  }

  /** Lets the process end though it is armed. */
  unref(): void {
    if (!this.#isRef) return;
    this.#isRef = false;
    if (this.#block !== undefined && this.#armed !== 0) this.#watching.code.unref(this.#block);
  }

  /** Disarms it, and gives back its thread, which has ended when this is back, its memory and descriptors. */
  [Symbol.dispose](): void {
    const block = this.#block;
    if (block === undefined) return;
    if (this.#armed !== 0) this.#settle(block);
    this.#block = undefined;
    this.#watching.code.close(block);
  }

  #settle(block: Pointer): void {
    this.#armed = 0;
    if (this.#isRef) this.#watching.code.unref(block);
  }

  /** In a turn of the loop. It may come late: what it tells of may have been disarmed, armed again, or disposed. */
  #told(): void {
    const block = this.#block;
    if (block === undefined || this.#armed === 0) return;
    if (this.#watching.code.fired(block) !== this.#armed) return;
    this.#settle(block);
    try {
      this.#onReady();
    } catch (error) {
      // Deno writes what a thread-safe function throws to stderr, and goes on.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
