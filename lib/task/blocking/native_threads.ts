/**
 * The threads that make calls of C for this thread of JavaScript: at most 64, each made where none is idle, and ended
 * after ten idle seconds. 256 calls may be under way or queued for a thread; who comes then waits for a place, first come
 * first. 64 calls that block for ever leave no thread for others.
 */
import { Calls } from "../../jit/calls.ts";
import { currentRuntime } from "../runtime/current.ts";
import "../runtime/attach.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { Queue } from "../sync/queue.ts";
import { Listener } from "./listener.ts";
import type { NativeFuture } from "./native_future.ts";

/** What futures that are calls ask for. */
export class NativeThreads {
  readonly #calls: Calls = new Calls();
  /** By slot. */
  readonly #running: (NativeFuture<unknown> | null)[] = [];
  readonly #waiting: Queue<NativeFuture<unknown>> = new Queue();
  readonly #listeners: WeakMap<Runtime, Listener> = new WeakMap();

  /** How many threads there are. */
  get threads(): number {
    return this.#calls.threads;
  }

  /** How many calls are under way or queued, awaited or not. */
  get calls(): number {
    return this.#calls.taken;
  }

  #listenerOf(runtime: Runtime): Listener {
    let listener = this.#listeners.get(runtime);
    if (listener === undefined || listener.isClosed) {
      listener = new Listener(runtime, this.#calls.event, () => this.drain());
      this.#listeners.set(runtime, listener);
    }
    return listener;
  }

  /** Has the call made, or wait for a place. Throws where it cannot be made. */
  start(future: NativeFuture<unknown>): void {
    if (this.#calls.hasEnded) this.drain();
    const listener = this.#listenerOf(currentRuntime());
    listener.add();
    future.listener = listener;
    if (this.#waiting.first !== null) return this.#waiting.push(future);
    const slot = this.#calls.take();
    if (slot === -1) return this.#waiting.push(future);
    try {
      this.#submit(future, slot);
    } catch (error) {
      this.#letGo(future);
      throw error;
    }
  }

  #submit(future: NativeFuture<unknown>, slot: number): void {
    future.slot = slot;
    let isBegun = false;
    try {
      future.begin(this.#calls);
      isBegun = true;
      this.#calls.submit(slot);
    } catch (error) {
      this.#calls.free(slot);
      if (isBegun) future.release();
      throw error;
    }
    this.#running[slot] = future;
  }

  /** Nobody waits for it any more: it is taken back, or goes on. */
  abandon(future: NativeFuture<unknown>): void {
    this.#letGo(future);
    const { slot } = future;
    if (slot === -1) return this.#waiting.remove(future);
    if (!this.#calls.cancel(slot)) return;
    future.release();
    this.#free(slot);
  }

  #letGo(future: NativeFuture<unknown>): void {
    const { listener } = future;
    future.listener = null;
    listener?.subtract();
  }

  #free(slot: number): void {
    this.#running[slot] = null;
    this.#calls.free(slot);
    for (let first = this.#waiting.first; first !== null; first = this.#waiting.first) {
      const free = this.#calls.take();
      if (free === -1) return;
      this.#waiting.remove(first);
      try {
        this.#submit(first, free);
      } catch (error) {
        this.#letGo(first);
        first.fail(error);
      }
    }
  }

  /** Tells the futures whose calls have ended. */
  drain(): void {
    this.#calls.drain((slot) => {
      const future = this.#running[slot];
      if (future === null || future === undefined) {
        throw new Error(`a call has ended that nobody began: ${slot}`);
      }
      this.#letGo(future);
      try {
        future.end(this.#calls);
      } finally {
        future.release();
        this.#free(slot);
      }
    });
  }
}

let threads: NativeThreads | undefined;

/** This thread's. Throws a `NativeUnavailableError` where no machine code can be loaded. */
export function nativeThreads(): NativeThreads {
  return threads ??= new NativeThreads();
}
