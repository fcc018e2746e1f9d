import { SystemError } from "../../../ffi/mod.ts";
import { type Context, Pending, type Waker } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { roomOf } from "./arguments.ts";
import { ByteQueue } from "./byte_queue.ts";
import { Operation } from "./operation.ts";

const EPIPE = 32;

/** Bytes on their way from one writer to one reader of the same thread: no more than `capacity`. */
export class MemoryPipe {
  readonly capacity: number;
  readonly bytes: ByteQueue;
  /** Nothing comes behind what is there. */
  hasEnded = false;
  /** Nobody reads any more. */
  isBroken = false;
  #reader: Waker | null = null;
  #writer: Waker | null = null;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.bytes = new ByteQueue(Math.min(capacity, 8192));
  }

  get room(): number {
    return this.capacity - this.bytes.length;
  }

  /** Woken once there are bytes or none come any more. */
  waitReadable(waker: Waker): void {
    if (this.#reader !== null && this.#reader !== waker) throw new Error("cannot read: another task reads");
    this.#reader = waker;
  }

  /** Woken once there is room or nobody reads any more. */
  waitWritable(waker: Waker): void {
    if (this.#writer !== null && this.#writer !== waker) throw new Error("cannot write: another task writes");
    this.#writer = waker;
  }

  /** Does not wake this reader any more. */
  forgetReader(waker: Waker): void {
    if (this.#reader === waker) this.#reader = null;
  }

  /** Does not wake this writer any more. */
  forgetWriter(waker: Waker): void {
    if (this.#writer === waker) this.#writer = null;
  }

  wakeReader(): void {
    const waker = this.#reader;
    this.#reader = null;
    waker?.wake();
  }

  wakeWriter(): void {
    const waker = this.#writer;
    this.#writer = null;
    waker?.wake();
  }

  /** The writer has gone: its reader reads what is there, and then the end. */
  end(): void {
    this.hasEnded = true;
    this.wakeReader();
    this.wakeWriter();
  }

  /** The reader has gone: what is there is lost, and its writer fails. */
  break(): void {
    this.isBroken = true;
    this.bytes.takeAll();
    this.wakeReader();
    this.wakeWriter();
  }
}

/** Reads what is there. */
export class PipeRead extends Operation<number> {
  #pipe: MemoryPipe;
  #into: Uint8Array;
  /** Whom the pipe would wake. */
  #waker: Waker | null = null;

  constructor(pipe: MemoryPipe, into: Uint8Array) {
    super();
    this.#pipe = pipe;
    this.#into = into;
  }

  override describe(): string {
    return `read(), ${this.#pipe.bytes.length} bytes of a pipe in memory`;
  }

  protected override step(context: Context): number | Pending {
    const pipe = this.#pipe;
    if (!proceed(context)) return Pending;
    if (pipe.isBroken) throw new Error("cannot read: this end of the pipe was closed");
    roomOf(this.#into);
    if (pipe.bytes.length === 0 && !pipe.hasEnded) {
      // The one that it was polled with before, if any, waits no more.
      this.abandon();
      pipe.waitReadable(context.waker);
      this.#waker = context.waker;
      return Pending;
    }
    coop.left--;
    const count = pipe.bytes.takeInto(this.#into);
    if (count > 0) pipe.wakeWriter();
    return count;
  }

  protected override abandon(): void {
    if (this.#waker !== null) this.#pipe.forgetReader(this.#waker);
  }
}

/** Writes what there is room for, or all, as room comes. */
export class PipeWrite extends Operation<number> {
  #pipe: MemoryPipe;
  #bytes: Uint8Array;
  #isWhole: boolean;
  #written = 0;
  #waker: Waker | null = null;

  constructor(pipe: MemoryPipe, bytes: Uint8Array, isWhole: boolean) {
    super();
    this.#pipe = pipe;
    this.#bytes = bytes;
    this.#isWhole = isWhole;
  }

  override describe(): string {
    return `write(), with room for ${this.#pipe.room} bytes in a pipe in memory`;
  }

  protected override step(context: Context): number | Pending {
    const pipe = this.#pipe;
    const { byteLength } = this.#bytes;
    do {
      if (!proceed(context)) return Pending;
      if (pipe.isBroken || pipe.hasEnded) {
        throw new SystemError(EPIPE, "write", { path: "to a pipe in memory" });
      }
      const part = this.#bytes.subarray(this.#written, this.#written + pipe.room);
      if (part.byteLength === 0 && byteLength > 0) {
        this.abandon();
        pipe.waitWritable(context.waker);
        this.#waker = context.waker;
        return Pending;
      }
      coop.left--;
      pipe.bytes.push(part);
      this.#written += part.byteLength;
      pipe.wakeReader();
    } while (this.#isWhole && this.#written < byteLength);
    return this.#written;
  }

  protected override abandon(): void {
    if (this.#waker !== null) this.#pipe.forgetWriter(this.#waker);
  }
}

/** Ends what is written. */
export class PipeShutdown extends Operation<void> {
  #pipe: MemoryPipe;

  constructor(pipe: MemoryPipe) {
    super();
    this.#pipe = pipe;
  }

  protected override step(): void {
    this.#pipe.end();
  }
}
