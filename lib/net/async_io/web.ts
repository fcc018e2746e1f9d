import { requireBytes, shown } from "../../io/arguments.ts";
import { type Context, type Future, Pending } from "../../task/future.ts";
import { fromPromise } from "../../task/mod.ts";
import { abortSignalOf } from "../abort_signal_of.ts";
import { requireInto, requireReader, requireWriter, roomOf } from "./arguments.ts";
import { Operation } from "./operation.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

const CHUNK = 16384;

/** What the host pulls bytes from. */
class Source {
  #reader: AsyncRead;
  #cancelled = new AbortController();

  constructor(reader: AsyncRead) {
    this.#reader = reader;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    const chunk = new Uint8Array(CHUNK);
    const count = await this.#reader.read(chunk).abortable(this.#cancelled.signal);
    if (count === 0) controller.close();
    else controller.enqueue(chunk.subarray(0, count));
  }

  cancel(reason: unknown): void {
    this.#cancelled.abort(reason);
  }
}

/** What the host pushes bytes to. */
class Target {
  #writer: AsyncWrite;

  constructor(writer: AsyncWrite) {
    this.#writer = writer;
  }

  async write(chunk: Uint8Array, controller: object): Promise<void> {
    requireBytes("cannot write to a stream", "a chunk", chunk);
    await this.#writer.writeAll(chunk).abortable(abortSignalOf(controller));
  }

  async close(): Promise<void> {
    await this.#writer.shutdown();
  }
}

/**
 * A reader as a WHATWG stream, for `Response` and `fetch`. It is read where a chunk is asked for, and not before.
 * Cancelled, it drops the read that is under way; the reader stays its owner's to close.
 */
export function toReadable(reader: AsyncRead): ReadableStream<Uint8Array<ArrayBuffer>> {
  requireReader("cannot make a readable stream", reader);
  return new ReadableStream(new Source(reader), { highWaterMark: 0 });
}

/**
 * A writer as a WHATWG stream: each chunk is written whole before the next is taken, and closing it shuts the writer down.
 * Aborted, it drops the write that is under way.
 */
export function toWritable(writer: AsyncWrite): WritableStream<Uint8Array> {
  requireWriter("cannot make a writable stream", writer);
  return new WritableStream(new Target(writer));
}

/** What a read of the web's gives. */
interface Part {
  done: boolean;
  value?: Uint8Array | undefined;
}

/** What is used of a reader of the web's. */
interface PartReader {
  read(): Promise<Part>;
  cancel(): Promise<void>;
}

class ChunkReader implements AsyncRead, Disposable {
  #reader: PartReader;
  /** What is left of the last chunk. */
  chunk: Uint8Array = new Uint8Array(0);
  /** The next one, which is waited for whoever asked first. */
  #next: Future<Part> | null = null;
  #hasEnded = false;

  constructor(readable: ReadableStream<Uint8Array>) {
    this.#reader = readable.getReader();
  }

  read(into: Uint8Array): Future<number> {
    requireInto(into);
    return new ReadChunk(this, into);
  }

  /** Whether there is a chunk with bytes in it; `false` at the end. */
  poll(context: Context): boolean | Pending {
    while (this.chunk.byteLength === 0) {
      if (this.#hasEnded) return false;
      const next = this.#next ??= fromPromise(this.#reader.read());
      let result: Part | Pending;
      try {
        result = next.poll(context);
      } catch (error) {
        this.#next = null;
        throw error;
      }
      if (result === Pending) return Pending;
      this.#next = null;
      const { done, value } = result;
      if (done) this.#hasEnded = true;
      else if (value instanceof Uint8Array) this.chunk = value;
      else throw new TypeError("cannot read a stream: a chunk is no Uint8Array");
    }
    return true;
  }

  [Symbol.dispose](): void {
    this.#hasEnded = true;
    this.chunk = new Uint8Array(0);
    // Who waits for the next chunk is told the end by that. A stream that has failed already says so to nobody.
    this.#reader.cancel().catch(nothing);
  }
}

function nothing(): void {}

class ReadChunk extends Operation<number> {
  #source: ChunkReader;
  #into: Uint8Array;

  constructor(source: ChunkReader, into: Uint8Array) {
    super();
    this.#source = source;
    this.#into = into;
  }

  override describe(): string {
    return "read() of a WHATWG stream";
  }

  protected override step(context: Context): number | Pending {
    const source = this.#source;
    const isThere = source.poll(context);
    if (isThere === Pending) return Pending;
    if (!isThere) return 0;
    const part = source.chunk.subarray(0, roomOf(this.#into));
    this.#into.set(part);
    source.chunk = source.chunk.subarray(part.byteLength);
    return part.byteLength;
  }
}

/**
 * A WHATWG stream of bytes as a reader, which it locks. A read that is dropped loses nothing: the chunk that it waited
 * for is the next one's. Disposed, it cancels the stream.
 *
 * @example
 * ```ts
 * import { BufReader, fromReadable } from "@oxbow/oxbow/async_io";
 *
 * const { body } = new Response("one\ntwo\n");
 * if (body !== null) {
 *   using reader = fromReadable(body);
 *   console.log(await new BufReader(reader).lines().collect()); // [ "one", "two" ]
 * }
 * ```
 */
export function fromReadable(readable: ReadableStream<Uint8Array>): AsyncRead & Disposable {
  if (!(readable instanceof ReadableStream)) {
    throw new TypeError(`cannot read ${shown(readable)}: it is no ReadableStream`);
  }
  return new ChunkReader(readable);
}

class ChunkWriter implements AsyncWrite, Disposable {
  #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(writable: WritableStream<Uint8Array>) {
    this.#writer = writable.getWriter();
    // Told by the write that finds it.
    this.#writer.closed.catch(nothing);
  }

  write(bytes: Uint8Array): Future<number> {
    requireBytes("cannot write", "bytes", bytes);
    return this.#taken(bytes).map(() => bytes.byteLength);
  }

  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("cannot write", "bytes", bytes);
    return this.#taken(bytes);
  }

  /** Waits for room first, so that nothing was given where it is dropped. */
  #taken(bytes: Uint8Array): Future<void> {
    const writer = this.#writer;
    return fromPromise(() => writer.ready).map(() => {
      if (bytes.byteLength > 0) writer.write(bytes.slice()).catch(nothing);
    });
  }

  shutdown(): Future<void> {
    const writer = this.#writer;
    // What it failed with is `ready`'s to tell: `close` says only that it has.
    return fromPromise(() => writer.ready.then(() => writer.close()));
  }

  [Symbol.dispose](): void {
    this.#writer.abort().catch(nothing);
  }
}

/**
 * A WHATWG stream as a writer, which it locks. It takes bytes once the stream is ready for more; what the stream fails
 * with is told by the next write, or by `shutdown`, which closes it. Disposed before that, it aborts the stream.
 */
export function fromWritable(writable: WritableStream<Uint8Array>): AsyncWrite & Disposable {
  if (!(writable instanceof WritableStream)) {
    throw new TypeError(`cannot write to ${shown(writable)}: it is no WritableStream`);
  }
  return new ChunkWriter(writable);
}
