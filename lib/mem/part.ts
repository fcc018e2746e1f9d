import { unwatch, watch } from "./forgotten.ts";

/** A count of owners, in this thread or among several. */
export interface Count {
  readonly total: number;
  /** One handle more, or one hold. Where it throws, there is none. */
  add(kind: "handle" | "hold"): void;
  /** What is counted ends with the last owner. */
  subtract(handles: number, holds: number): void;
}

/**
 * What one handle counts for: itself, until it is disposed, and each hold by `retain` until its release, which may
 * come later. It was added to the count already. A handle that is forgotten is subtracted when it is collected.
 */
export class Part {
  readonly #what: string;
  readonly #count: Count;
  #isDisposed = false;
  #holds = 0;

  constructor(what: string, count: Count) {
    this.#what = what;
    this.#count = count;
  }

  /** Subtracts the handle's part once it was collected. */
  watch(handle: WeakKey): void {
    watch(handle, this.#what, () => this.#count.subtract(this.#isDisposed ? 0 : 1, this.#holds));
  }

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /** Throws where the handle was disposed. */
  requireOpen(action: string): void {
    if (this.#isDisposed) throw new Error(`cannot ${action} ${this.#what}: it was disposed`);
  }

  /** Throws where the handle was disposed, and nobody holds on to it. */
  requireHeld(action: string): void {
    if (this.#holds === 0) this.requireOpen(action);
  }

  retain(): void {
    this.requireHeld("retain");
    this.#count.add("hold");
    this.#holds++;
  }

  release(handle: WeakKey): void {
    if (this.#holds === 0) throw new Error(`cannot release ${this.#what}: nobody has retained it`);
    this.#holds--;
    this.#subtract(handle, 0, 1);
  }

  /** Ends the handle itself, once. */
  dispose(handle: WeakKey): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#subtract(handle, 1, 0);
  }

  #subtract(handle: WeakKey, handles: number, holds: number): void {
    if (this.#isDisposed && this.#holds === 0) unwatch(handle);
    this.#count.subtract(handles, holds);
  }
}
