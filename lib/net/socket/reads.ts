import { WouldBlock } from "../../io/fd.ts";
import { MSG_PEEK, receive } from "../../io/socket_calls.ts";
import { transferVectored } from "../../io/vectored.ts";
import { type Context, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { LimitExceededError, UnexpectedEndError } from "../async_io/errors.ts";
import { roomOf } from "../async_io/arguments.ts";
import { type PooledBuffer, sharedBuffers } from "../buffer_pool.ts";
import { scratch, SCRATCH_BYTES } from "./scratch.ts";
import type { StreamIo } from "./stream_io.ts";
import { Transfer } from "./transfer.ts";

/** What is there, up to `into.byteLength` bytes: a count, or `WouldBlock`. */
function readInto(stream: StreamIo, into: Uint8Array): number {
  const buffer = scratch();
  const byteLength = roomOf(into);
  const count = stream.receive(buffer, 0, byteLength < SCRATCH_BYTES ? byteLength : SCRATCH_BYTES);
  if (count > 0) into.set(buffer.bytes.subarray(0, count));
  return count;
}

export class Read extends Transfer<number> {
  #into: Uint8Array;

  constructor(stream: StreamIo, into: Uint8Array) {
    super(stream, true);
    this.#into = into;
  }

  protected override get title(): string {
    return "read()";
  }

  protected override attempt(stream: StreamIo, context: Context): number | Pending {
    if (!proceed(context)) return Pending;
    const count = readInto(stream, this.#into);
    if (count === WouldBlock) return Pending;
    coop.left--;
    return count;
  }
}

export class Peek extends Transfer<number> {
  #into: Uint8Array;

  constructor(stream: StreamIo, into: Uint8Array) {
    super(stream, true);
    this.#into = into;
  }

  protected override get title(): string {
    return "peek()";
  }

  protected override attempt(stream: StreamIo, context: Context): number | Pending {
    if (!proceed(context)) return Pending;
    const { io } = stream;
    if (!io.isReadable) return Pending;
    if (io.isDeaf) stream.refuse("peek");
    const buffer = scratch();
    const count = receive(stream.fd, buffer, 0, Math.min(roomOf(this.#into), SCRATCH_BYTES), MSG_PEEK);
    if (count === WouldBlock) {
      io.clearReadable();
      return Pending;
    }
    coop.left--;
    this.#into.set(buffer.bytes.subarray(0, count));
    return count;
  }
}

export class ReadVectored extends Transfer<number> {
  #parts: readonly Uint8Array[];

  constructor(stream: StreamIo, parts: readonly Uint8Array[]) {
    super(stream, true);
    this.#parts = parts;
  }

  protected override get title(): string {
    return "readVectored()";
  }

  protected override attempt(stream: StreamIo, context: Context): number | Pending {
    if (!proceed(context)) return Pending;
    const { io } = stream;
    if (!io.isReadable) return Pending;
    if (io.isDeaf) stream.refuse("read");
    const count = transferVectored("recvmsg", stream.fd.number, this.#parts);
    if (count === WouldBlock) {
      io.clearReadable();
      return Pending;
    }
    coop.left--;
    return count;
  }
}

export class ReadExact extends Transfer<void> {
  #into: Uint8Array;
  readonly #length: number;
  #got = 0;

  constructor(stream: StreamIo, into: Uint8Array) {
    super(stream, true);
    this.#into = into;
    this.#length = into.byteLength;
  }

  protected override get title(): string {
    return "readExact()";
  }

  protected override attempt(stream: StreamIo, context: Context): void | Pending {
    while (this.#got < this.#length) {
      if (!proceed(context)) return Pending;
      const count = readInto(stream, this.#got === 0 ? this.#into : this.#into.subarray(this.#got));
      if (count === WouldBlock) return Pending;
      coop.left--;
      if (count === 0) throw new UnexpectedEndError(this.#length, this.#got);
      this.#got += count;
    }
  }
}

export class ReadToEnd extends Transfer<Uint8Array<ArrayBuffer>> {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;
  readonly #limit: number;

  constructor(stream: StreamIo, limit: number) {
    super(stream, true);
    this.#limit = limit;
  }

  protected override get title(): string {
    return "readToEnd()";
  }

  protected override attempt(stream: StreamIo, context: Context): Uint8Array<ArrayBuffer> | Pending {
    const buffer = scratch();
    for (;;) {
      if (!proceed(context)) return Pending;
      const count = stream.receive(buffer, 0, SCRATCH_BYTES);
      if (count === WouldBlock) return Pending;
      coop.left--;
      if (count === 0) return this.#bytes.slice(0, this.#length);
      this.#append(buffer.bytes.subarray(0, count));
    }
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.byteLength;
    if (length > this.#limit) {
      throw new LimitExceededError("what is read to the end", this.#limit);
    }
    if (length > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(length, Math.min(2 * this.#bytes.byteLength, this.#limit)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }
}

/** Takes a buffer of the pool only where there is something to read. */
export class ReadBuffer extends Transfer<PooledBuffer | null> {
  constructor(stream: StreamIo) {
    super(stream, true);
  }

  protected override get title(): string {
    return "readBuffer()";
  }

  protected override attempt(stream: StreamIo, context: Context): PooledBuffer | null | Pending {
    if (!proceed(context)) return Pending;
    if (!stream.io.isReadable) return Pending;
    const buffer = sharedBuffers.take();
    let count = 0;
    try {
      count = stream.receive(buffer, 0, buffer.bytes.byteLength);
    } finally {
      if (count <= 0) sharedBuffers.release(buffer);
    }
    if (count === WouldBlock) return Pending;
    coop.left--;
    return count === 0 ? null : sharedBuffers.lend(buffer, count);
  }
}
