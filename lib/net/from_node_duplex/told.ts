import type { Duplex } from "node:stream";
import { shown } from "../../io/arguments.ts";
import { Pending, type Waker } from "../../task/future.ts";
import { currentRuntime } from "../../task/runtime/current.ts";
import type { Runtime } from "../../task/runtime/runtime.ts";

/** Who waits for the host in one direction. While one does, a runtime gives the host its turns, as for a promise. */
class Waiting {
  #owner: object | null = null;
  #waker: Waker | null = null;
  #runtime: Runtime | null = null;

  park(owner: object, waker: Waker, verb: string): void {
    if (this.#owner !== null && this.#owner !== owner) {
      throw new Error(`cannot ${verb}: another task waits to ${verb} the same stream`);
    }
    this.#owner = owner;
    this.#waker = waker;
    if (this.#runtime !== null) return;
    this.#runtime = currentRuntime();
    this.#runtime.promisePending();
  }

  wake(): void {
    this.#leave()?.wake();
  }

  forget(owner: object): void {
    if (this.#owner === owner) this.#leave();
  }

  #leave(): Waker | null {
    const waker = this.#waker;
    const runtime = this.#runtime;
    this.#owner = this.#waker = this.#runtime = null;
    runtime?.promiseSettled();
    return waker;
  }
}

/** What a `Duplex` has told of itself. */
export class Told {
  readonly duplex: Duplex;
  /** Where what is written to it goes. */
  readonly below: Duplex | null;
  readonly reading: Waiting = new Waiting();
  readonly writing: Waiting = new Waiting();
  /** What was read of the `Duplex` and found no room. */
  rest: Uint8Array | null = null;
  #error: Error | null = null;
  #hasEnded: boolean;
  #isClosed: boolean;

  constructor(duplex: Duplex, below: Duplex | null) {
    this.duplex = duplex;
    this.below = below;
    below?.on("drain", () => this.writing.wake());
    this.#hasEnded = duplex.readableEnded;
    this.#isClosed = duplex.destroyed;
    if (duplex.destroyed) this.#error = duplex.errored ?? null;
    duplex.on("error", (error) => {
      this.#error ??= error;
      this.#wake();
    });
    duplex.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
    duplex.on("end", () => this.#ended());
    duplex.on("drain", () => this.writing.wake());
    duplex.on("readable", () => this.reading.wake());
  }

  #wake(): void {
    this.reading.wake();
    this.writing.wake();
  }

  /** Bun's TLS takes a connection that was broken below it for one that has ended. */
  #ended(): void {
    const broken = this.below?.errored ?? null;
    if (broken === null) return this.end();
    this.#error ??= broken;
    this.#wake();
  }

  /** Nothing more is to come. */
  end(): void {
    this.#hasEnded = true;
    this.reading.wake();
  }

  /** What there is to be read, `null` at the end; `Pending` where it is to be waited for. */
  take(length: number): Uint8Array | null | Pending {
    const { duplex, rest } = this;
    if (rest !== null) return this.#split(rest, length);
    const there = duplex.readableLength;
    const chunk: unknown = there > 0 ? duplex.read(Math.min(length, there)) : duplex.read();
    if (chunk instanceof Uint8Array) return this.#split(chunk, length);
    if (chunk !== null && chunk !== undefined) {
      throw new TypeError(`cannot read: the Duplex gives ${shown(chunk)}, and no bytes`);
    }
    if (this.#hasEnded) return null;
    if (this.#error !== null) throw this.#error;
    if (this.#isClosed) throw new Error("cannot read: the Duplex was destroyed before its end");
    return Pending;
  }

  #split(chunk: Uint8Array, length: number): Uint8Array {
    this.rest = chunk.byteLength > length ? chunk.subarray(length) : null;
    return chunk.subarray(0, length);
  }

  /** Whether there is enough on its way. */
  get isFull(): boolean {
    return this.duplex.writableNeedDrain || (this.below !== null && this.below.writableNeedDrain);
  }

  /** Throws where nothing can be written any more. */
  requireOpen(): void {
    if (this.#error !== null) throw this.#error;
    if (this.#isClosed || this.duplex.destroyed) throw new Error("cannot write: the Duplex was destroyed");
  }
}
