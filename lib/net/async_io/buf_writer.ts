import { requireBytes } from "../../io/arguments.ts";
import { type Context, type Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { requireWriter } from "./arguments.ts";
import { type BufferOptions, capacityOf } from "./buf_reader.ts";
import { Operation } from "./operation.ts";
import { type Flushable, isFlushable, Output } from "./output.ts";
import type { AsyncWrite } from "./traits.ts";

abstract class Writing<T> extends Operation<T> {
  protected readonly output: Output;

  constructor(output: Output) {
    super();
    this.output = output;
  }

  override describe(): string {
    return this.output.describe(this.constructor.name);
  }

  protected override abandon(): void {
    this.output.drop(this);
  }
}

/** Takes the bytes into the buffer, or has those written that are there, and then what does not fit. */
abstract class Taking<T extends number | void> extends Writing<T> {
  protected readonly bytes: Uint8Array;
  #capacity: number;
  #isDraining = false;
  #direct: Future<T> | null = null;

  constructor(output: Output, bytes: Uint8Array, capacity: number) {
    super(output);
    this.bytes = bytes;
    this.#capacity = capacity;
  }

  /** What writes them round the buffer. */
  protected abstract direct(writer: AsyncWrite): Future<T>;

  /** What is told of bytes that the buffer has taken, all of them. */
  protected abstract taken(byteLength: number): T;

  protected override step(context: Context): T | Pending {
    if (!proceed(context)) return Pending;
    const { output } = this;
    const { byteLength } = this.bytes;
    output.requireFree(this);
    // Once it has begun it goes on to the end: a call that is under way has a view of the buffer.
    this.#isDraining ||= this.#direct === null && output.bytes.length + byteLength > this.#capacity;
    if (this.#isDraining && output.pollDrain(context, this) === Pending) return Pending;
    this.#isDraining = false;
    if (byteLength >= this.#capacity) {
      return output.poll(context, this, this.#direct ??= this.direct(output.writer));
    }
    output.bytes.push(this.bytes);
    coop.left--;
    return this.taken(byteLength);
  }
}

class Write extends Taking<number> {
  protected override direct(writer: AsyncWrite): Future<number> {
    return writer.write(this.bytes);
  }

  protected override taken(byteLength: number): number {
    return byteLength;
  }
}

class WriteAll extends Taking<void> {
  protected override direct(writer: AsyncWrite): Future<void> {
    return writer.writeAll(this.bytes);
  }

  protected override taken(): void {}
}

/** Has all written that is buffered, and then ends it where it is to end. */
class Flush extends Writing<void> {
  #ends: boolean;
  #last: Future<void> | null = null;

  constructor(output: Output, ends: boolean) {
    super(output);
    this.#ends = ends;
  }

  protected override step(context: Context): void | Pending {
    const { output } = this;
    if (this.#last === null) {
      if (output.pollDrain(context, this) === Pending) return Pending;
      const { writer } = output;
      if (this.#ends) this.#last = writer.shutdown();
      else if (isFlushable(writer)) this.#last = writer.flush();
      else return;
    }
    return output.poll(context, this, this.#last);
  }
}

/** A future that has all written that is kept, and flushes the writer under it. */
export function flush(output: Output): Future<void> {
  return new Flush(output, false);
}

/** The same, and ends what is written. */
export function shutdown(output: Output): Future<void> {
  return new Flush(output, true);
}

/**
 * A writer with a buffer: what is written in small pieces leaves in large ones, once the buffer is full, or by `flush`
 * or `shutdown`. What nobody flushes never leaves. One write at a time. A `write` that is dropped has taken nothing; a
 * `flush` that is dropped is gone on with by the next, and no byte leaves twice.
 *
 * @example
 * ```ts
 * import { BufWriter, duplex } from "@oxbow/oxbow/async_io";
 * import { run } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const [here, there] = duplex(64);
 *   const writer = new BufWriter(here);
 *   for (const word of ["one", " ", "piece"]) await writer.writeAll(new TextEncoder().encode(word));
 *   await writer.flush();
 *   const bytes = new Uint8Array(64);
 *   console.log(await there.read(bytes)); // 9
 * });
 * ```
 */
export class BufWriter implements Flushable {
  /** What it writes to. What is written there directly has jumped the buffer. */
  readonly writer: AsyncWrite;
  #output: Output;
  #capacity: number;

  constructor(writer: AsyncWrite, options: BufferOptions = {}) {
    requireWriter("cannot buffer", writer);
    this.#capacity = capacityOf("cannot buffer", options);
    this.writer = writer;
    this.#output = new Output(writer, this.#capacity);
  }

  /** The bytes that have not left yet, as they lie there. */
  get buffered(): Uint8Array {
    return this.#output.bytes.view();
  }

  /** Takes all bytes where they are fewer than the buffer holds. */
  write(bytes: Uint8Array): Future<number> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this.#output, bytes, this.#capacity);
  }

  /** Takes all bytes. Those that are more than the buffer holds are written round it. */
  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("cannot write", "bytes", bytes);
    return new WriteAll(this.#output, bytes, this.#capacity);
  }

  /** Has all written that is buffered. */
  flush(): Future<void> {
    return flush(this.#output);
  }

  /** Flushes, then ends what is written. */
  shutdown(): Future<void> {
    return shutdown(this.#output);
  }
}
