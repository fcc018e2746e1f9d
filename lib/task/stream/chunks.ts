import { type Context, Pending } from "../future.ts";
import { dropAll } from "../futures/drop_all.ts";
import { SleepFuture } from "../time/sleep.ts";
import { Adapter, fail, requireCount, requireSpan } from "./adapter.ts";
import { isOver } from "./delay.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

class Chunks<T> extends Adapter<T, T[]> {
  #n: number;
  /** How long a chunk may wait for its last item; `Infinity`: for ever. */
  #ms: number;
  #chunk: T[] = [];
  /** Runs from the first item of the chunk. */
  #delay: SleepFuture | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(source: Stream<T>, n: number, ms: number) {
    super(source);
    this.#n = n;
    this.#ms = ms;
  }

  override pollNext(context: Context): T[] | Pending | Ended {
    if (this.#failure !== null) return this.#throwFailure(this.#failure);
    try {
      for (;;) {
        const { source } = this;
        if (source === null) return Ended;
        const item = source.pollNext(context);
        if (item === Pending) return this.#isLate(context) ? this.#take() : Pending;
        if (item === Ended) {
          this.end();
          return this.#chunk.length === 0 ? Ended : this.#take();
        }
        this.#chunk.push(item);
        if (this.#chunk.length === this.#n) return this.#take();
      }
    } catch (error) {
      return this.#failed(error);
    }
  }

  #isLate(context: Context): boolean {
    if (this.#chunk.length === 0 || this.#ms === Infinity) return false;
    return isOver(this.#delay ??= new SleepFuture(this.#ms, false), context);
  }

  /** What has come before the failure is given first. */
  #failed(error: unknown): T[] {
    const chunk = this.#take();
    try {
      fail(this, error);
    } catch (error) {
      if (chunk.length === 0) throw error;
      this.#failure = { error };
      return chunk;
    }
  }

  #throwFailure({ error }: { readonly error: unknown }): never {
    this.#failure = null;
    throw error;
  }

  #take(): T[] {
    const chunk = this.#chunk;
    this.#chunk = [];
    this.#delay?.drop();
    this.#delay = null;
    return chunk;
  }

  override drop(): void {
    const { source } = this;
    this.source = null;
    this.#chunk = [];
    this.#failure = null;
    dropAll([this.#delay, source]);
  }
}

/** {@linkcode Stream.chunks} */
export function chunks<T>(source: Stream<T>, n: number): Stream<T[]> {
  requireCount(n, 1, "cut a stream in chunks");
  return new Chunks(source, n, Infinity);
}

/** {@linkcode Stream.chunksTimeout} */
export function chunksTimeout<T>(source: Stream<T>, n: number, ms: number): Stream<T[]> {
  requireCount(n, 1, "cut a stream in chunks");
  requireSpan(ms, "cut a stream in chunks");
  return new Chunks(source, n, ms);
}
