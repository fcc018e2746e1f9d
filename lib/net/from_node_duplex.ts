import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { requireBytes, shown } from "../io/arguments.ts";
import "../task/runtime/attach.ts";
import { coop, proceed } from "../task/runtime/coop.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../task/future.ts";
import type { Runtime } from "../task/runtime/runtime.ts";
import { roomOf } from "./async_io/arguments.ts";
import type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";

/** What is handed over at once. */
const PIECE_BYTES = 65536;

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
class Told {
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

class Read extends Future<number> {
  #told: Told | null;
  #into: Uint8Array;

  constructor(told: Told, into: Uint8Array) {
    super();
    this.#told = told;
    this.#into = into;
  }

  override describe(): string {
    return "read() of a Duplex";
  }

  override poll(context: Context): number | Pending {
    const told = this.#told;
    if (told === null) throw consumed("read()");
    if (!proceed(context)) return Pending;
    const chunk = this.#take(told);
    if (chunk === Pending) {
      told.reading.park(this, context.waker, "read");
      return Pending;
    }
    coop.left--;
    this.drop();
    if (chunk === null) return 0;
    this.#into.set(chunk);
    return chunk.byteLength;
  }

  #take(told: Told): Uint8Array | null | Pending {
    try {
      return told.take(roomOf(this.#into));
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  override drop(): void {
    this.#told?.reading.forget(this);
    this.#told = null;
  }
}

/** Hands over pieces as long as the `Duplex` takes them, and ends once the last has left it. */
class Write extends Future<number> {
  #told: Told | null;
  #bytes: Uint8Array;
  #from = 0;
  #hasLeft = false;
  #error: Error | null = null;

  constructor(told: Told, bytes: Uint8Array) {
    super();
    this.#told = told;
    this.#bytes = bytes;
  }

  override describe(): string {
    return "write() to a Duplex";
  }

  override poll(context: Context): number | Pending {
    const told = this.#told;
    if (told === null) throw consumed("write()");
    const bytes = this.#bytes;
    try {
      while (this.#from < bytes.byteLength) {
        if (!proceed(context)) return Pending;
        if (this.#error !== null) throw this.#error;
        told.requireOpen();
        if (told.isFull) break;
        coop.left--;
        this.#hand(told, bytes.subarray(this.#from, this.#from + PIECE_BYTES));
      }
      const isOver = this.#from === bytes.byteLength && (this.#hasLeft || bytes.byteLength === 0);
      if (!isOver) {
        if (this.#error !== null) throw this.#error;
        told.requireOpen();
        told.writing.park(this, context.waker, "write to");
        return Pending;
      }
    } catch (error) {
      this.drop();
      throw error;
    }
    this.drop();
    return bytes.byteLength;
  }

  /** A copy: the caller's own may change once this future is dropped, and the `Duplex` keeps what it is given. */
  #hand(told: Told, piece: Uint8Array): void {
    this.#from += piece.byteLength;
    const isLast = this.#from === this.#bytes.byteLength;
    told.duplex.write(Buffer.from(piece), (error) => {
      this.#error ??= error ?? null;
      this.#hasLeft = isLast;
      if (isLast || error) told.writing.wake();
    });
  }

  override drop(): void {
    this.#told?.writing.forget(this);
    this.#told = null;
  }
}

class Shutdown extends Future<void> {
  #told: Told | null;
  #hasBegun = false;
  #isOver = false;

  constructor(told: Told) {
    super();
    this.#told = told;
  }

  override describe(): string {
    return "shutdown() of a Duplex";
  }

  override poll(context: Context): void | Pending {
    const told = this.#told;
    if (told === null) throw consumed("shutdown()");
    const { duplex } = told;
    try {
      if (duplex.writableFinished) this.#isOver = true;
      if (!this.#isOver) told.requireOpen();
      if (!this.#hasBegun && !this.#isOver) {
        this.#hasBegun = true;
        if (!duplex.writableEnded) duplex.end();
        duplex.once("finish", () => {
          this.#isOver = true;
          told.writing.wake();
        });
      }
      if (!this.#isOver) {
        told.writing.park(this, context.waker, "shut down");
        return Pending;
      }
    } catch (error) {
      this.drop();
      throw error;
    }
    this.drop();
  }

  override drop(): void {
    this.#told?.writing.forget(this);
    this.#told = null;
  }
}

/** A `Duplex` as a stream. One task reads and one writes at a time. */
export class NodeDuplexStream implements AsyncRead, AsyncWrite, Disposable {
  /** What it reads and writes. */
  readonly duplex: Duplex;
  #told: Told;

  /**
   * {@linkcode fromNodeDuplex}. `below` is another one that it writes to without heed of how much that has taken: it is
   * heeded here.
   */
  constructor(duplex: Duplex, below: Duplex | null = null) {
    this.duplex = duplex;
    this.#told = new Told(duplex, below);
  }

  /** Reads up to `into.byteLength` bytes; 0 is the end. Safe to drop: nothing is read then. */
  read(into: Uint8Array): Future<number> {
    requireBytes("cannot read", "into", into);
    if (into.byteLength === 0) throw new RangeError("cannot read into 0 bytes: 0 would look like the end");
    return new Read(this.#told, into);
  }

  /** Writes up to 64 KiB of the bytes; ends once the `Duplex` is rid of them. Dropped after it has begun, they go still. */
  write(bytes: Uint8Array): Future<number> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this.#told, bytes.subarray(0, PIECE_BYTES));
  }

  /** Writes all of the bytes, which must not change meanwhile; ends once the `Duplex` is rid of them. */
  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this.#told, bytes).map(ignored);
  }

  /** `end()`: over once all that was written has left, and the peer was told. */
  shutdown(): Future<void> {
    return new Shutdown(this.#told);
  }

  /** For a `Duplex` that forgets to tell its end. */
  protected ended(): void {
    this.#told.end();
  }

  /** Destroys the `Duplex`: what it has not sent yet is lost. */
  [Symbol.dispose](): void {
    this.duplex.destroy();
  }
}

function ignored(): void {}

/**
 * The `Duplex` as a stream, which is its only reader from now on. It must carry bytes: one of objects, or with an
 * encoding set, is refused. Must be called in the turn in which the `Duplex` was had, before it has begun to flow.
 */
export function fromNodeDuplex(duplex: Duplex): NodeDuplexStream {
  const what = "cannot make a stream of a Duplex";
  if (typeof duplex?.read !== "function" || typeof duplex.write !== "function") {
    throw new TypeError(`${what}: duplex does not read and write`);
  }
  if (duplex.readableObjectMode || duplex.writableObjectMode) {
    throw new TypeError(`${what}: it carries objects, and no bytes`);
  }
  if (duplex.readableEncoding !== null) throw new TypeError(`${what}: it gives text, for an encoding is set`);
  return new NodeDuplexStream(duplex);
}
