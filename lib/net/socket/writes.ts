import { WouldBlock } from "../../io/fd.ts";
import { transferVectored } from "../../io/vectored.ts";
import { consumed, type Context, Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { nativeOf, type PooledBuffer } from "../buffer_pool.ts";
import { scratch, SCRATCH_BYTES } from "./scratch.ts";
import type { StreamIo } from "./stream_io.ts";
import { Transfer } from "./transfer.ts";

/** As many of the first bytes as there is room for: a count, or `WouldBlock`. */
function writeFrom(stream: StreamIo, bytes: Uint8Array): number {
  const part = bytes.byteLength > SCRATCH_BYTES ? bytes.subarray(0, SCRATCH_BYTES) : bytes;
  const buffer = scratch();
  buffer.bytes.set(part);
  return stream.send(buffer, 0, part.byteLength);
}

export class Write extends Transfer<number> {
  #bytes: Uint8Array;

  constructor(stream: StreamIo, bytes: Uint8Array) {
    super(stream, false);
    this.#bytes = bytes;
  }

  protected override get title(): string {
    return "write()";
  }

  protected override attempt(stream: StreamIo, context: Context): number | Pending {
    if (!proceed(context)) return Pending;
    if (this.#bytes.byteLength === 0) return 0;
    const count = writeFrom(stream, this.#bytes);
    if (count === WouldBlock) return Pending;
    coop.left--;
    return count;
  }
}

export class WriteAll extends Transfer<void> {
  #bytes: Uint8Array;
  #left: number;

  constructor(stream: StreamIo, bytes: Uint8Array) {
    super(stream, false);
    this.#bytes = bytes;
    this.#left = bytes.byteLength;
  }

  protected override get title(): string {
    return "writeAll()";
  }

  protected override attempt(stream: StreamIo, context: Context): void | Pending {
    while (this.#left > 0) {
      if (!proceed(context)) return Pending;
      if (this.#bytes.byteLength !== this.#left) {
        throw new TypeError(
          "cannot write: bytes were transferred away or resized before all of them had left",
        );
      }
      const count = writeFrom(stream, this.#bytes);
      if (count === WouldBlock) return Pending;
      coop.left--;
      if (count === this.#left) return;
      this.#left -= count;
      this.#bytes = this.#bytes.subarray(count);
    }
  }
}

export class WriteVectored extends Transfer<number> {
  #parts: readonly Uint8Array[];

  constructor(stream: StreamIo, parts: readonly Uint8Array[]) {
    super(stream, false);
    this.#parts = parts;
  }

  protected override get title(): string {
    return "writeVectored()";
  }

  protected override attempt(stream: StreamIo, context: Context): number | Pending {
    if (!proceed(context)) return Pending;
    const { io } = stream;
    if (!io.isWritable) return Pending;
    if (io.isDeaf) stream.refuse("write");
    const count = transferVectored("sendmsg", stream.fd.number, this.#parts);
    if (count === WouldBlock) {
      io.clearWritable();
      return Pending;
    }
    coop.left--;
    return count;
  }
}

/** Sends out of the pool's memory itself. */
export class WriteBuffer extends Transfer<void> {
  #buffer: PooledBuffer;
  #sent = 0;

  constructor(stream: StreamIo, buffer: PooledBuffer) {
    super(stream, false);
    this.#buffer = buffer;
  }

  protected override get title(): string {
    return "writeBuffer()";
  }

  protected override attempt(stream: StreamIo, context: Context): void | Pending {
    const { length } = this.#buffer;
    while (this.#sent < length) {
      if (!proceed(context)) return Pending;
      const count = stream.send(nativeOf(this.#buffer), this.#sent, length - this.#sent);
      if (count === WouldBlock) return Pending;
      coop.left--;
      this.#sent += count;
    }
  }
}

/** Ends what is written or read, at its first poll. */
export class Shutdown extends Future<void> {
  #stream: StreamIo | null;
  readonly #how: "read" | "write" | "both";

  constructor(stream: StreamIo, how: "read" | "write" | "both") {
    super();
    this.#stream = stream;
    this.#how = how;
  }

  override describe(): string {
    return "shutdown()";
  }

  override poll(): void {
    const stream = this.#stream;
    if (stream === null) throw consumed("shutdown()");
    this.#stream = null;
    stream.shutdown(this.#how);
  }

  override drop(): void {
    this.#stream = null;
  }
}
