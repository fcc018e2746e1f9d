/**
 * A descriptor that wakes the host's own event loop: what lives inside that loop, beside the host's timers and servers,
 * need not ask whether anything is ready, and nothing runs while nothing is.
 *
 * Node's loop takes the descriptor itself, by libuv, which Node exports. On Deno and Bun one thread for each watch
 * waits in epoll_wait(2): its whole body is machine code, made as a signal's handler is, and it wakes the loop through
 * a thread-safe function of Node-API. It sleeps until the watch is armed and the descriptor is ready. Source: epoll(7),
 * node_api.h, uv.h.
 *
 * @module
 */
import { check, libc, NativeUnavailableError, NULL, SystemError } from "../../ffi/mod.ts";
import { fromPointer, host, type RawWatch } from "../../ffi/host.ts";
import { symbolIn } from "../../ffi/loader.ts";
import { openForProcess } from "./library.ts";
import { processObjects } from "./process_objects.ts";
import { WATCH } from "./watch_memory.ts";
import { openThreads, watchByThread } from "./watch_thread.ts";

const F_DUPFD_CLOEXEC = 1030;

type Watcher = (descriptor: number, fire: () => void) => RawWatch | number;

let watcher: Watcher | undefined;

/** Loads what this host watches descriptors by. */
function open(): Watcher {
  const { watchOnLoop, alarmByAddon } = host;
  if (watchOnLoop !== undefined) {
    const { path } = openForProcess(processObjects.watchUvClose, {});
    const closing = fromPointer(symbolIn(path, WATCH.uvClose) ?? NULL);
    return (descriptor, fire) => watchOnLoop(descriptor, fire, closing);
  }
  if (alarmByAddon === undefined) {
    throw new NativeUnavailableError("watch a descriptor", "C cannot be called");
  }
  const threads = openThreads(alarmByAddon);
  return (descriptor, fire) => watchByThread(threads, descriptor, fire);
}

/**
 * Watches a descriptor that can be polled, such as that of an epoll instance, for the host's loop. Armed, it calls
 * `onReady` once, on this thread and in a turn of the loop of its own, when the descriptor is readable, and at once in
 * the next turn where it is already; then it is to be armed again. What `onReady` throws is an uncaught error.
 *
 * An armed watch keeps the process alive, as a timer does, until it is `unref`'d. The watch has a descriptor of its own
 * for the same open file: closing the one that was given ends nothing. Node makes the file non-blocking. A worker that
 * ends, and a process that exits, end their watches, disposed or not.
 *
 * Not among the hosts' own wake-ups is one for a watch that is idle.
 */
export class Watch implements Disposable {
  #raw: RawWatch;
  #isArmed = false;
  #isDisposed = false;

  /** Whether a descriptor can be watched: where not, the constructor throws a `NativeUnavailableError`. */
  static get isAvailable(): boolean {
    try {
      watcher ??= open();
      return true;
    } catch (error) {
      if (error instanceof NativeUnavailableError) return false;
      throw error;
    }
  }

  /**
   * @throws {SystemError} where the descriptor is none that can be polled, or nothing more can be had of the kernel.
   * @throws {NativeUnavailableError} where no C can be called, or no machine code be loaded.
   */
  constructor(descriptor: number, onReady: () => void) {
    watcher ??= open();
    const own = check(libc().fcntl(descriptor, F_DUPFD_CLOEXEC, 0), "fcntl");
    let raw: RawWatch | number | undefined;
    try {
      raw = watcher(own, () => {
        this.#isArmed = false;
        onReady();
      });
      if (typeof raw === "number") throw new SystemError(-raw, "epoll_ctl");
      this.#raw = raw;
    } finally {
      if (typeof raw !== "object") libc().close(own);
    }
  }

  get isArmed(): boolean {
    return this.#isArmed;
  }

  /** Has `onReady` called once, when the descriptor is readable. Does nothing where it is armed. */
  arm(): void {
    if (this.#isDisposed) throw new Error("cannot arm a watch that was disposed");
    if (this.#isArmed) return;
    const result = this.#raw.arm();
    if (result < 0) throw new SystemError(-result, "epoll_ctl");
    this.#isArmed = true;
  }

  /** Has `onReady` not called any more, whatever was ready. */
  disarm(): void {
    if (!this.#isArmed) return;
    this.#isArmed = false;
    this.#raw.disarm();
  }

  /** While it is armed the process stays alive, as at first. */
  ref(): void {
    if (!this.#isDisposed) this.#raw.ref();
  }

  /** The process may end while it is armed. */
  unref(): void {
    if (!this.#isDisposed) this.#raw.unref();
  }

  /** Disarms it, and gives back its descriptors, its memory and its thread, which has ended when this is back. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#isArmed = false;
    this.#raw.close();
  }
}
