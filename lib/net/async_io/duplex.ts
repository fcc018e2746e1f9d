import { requireBytes } from "../../io/arguments.ts";
import type { Future } from "../../task/future.ts";
import { requireCount, requireInto } from "./arguments.ts";
import { MemoryPipe, PipeRead, PipeShutdown, PipeWrite } from "./memory_pipe.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

/** What `simplex` gives to be read. */
export class SimplexReader implements AsyncRead, Disposable {
  #pipe: MemoryPipe;

  /** `simplex`'s own. */
  constructor(pipe: MemoryPipe) {
    this.#pipe = pipe;
  }

  /** What is there, or what comes next; 0 once the other end has shut down or was closed. Safe to drop. */
  read(into: Uint8Array): Future<number> {
    requireInto(into);
    return new PipeRead(this.#pipe, into);
  }

  /** Nobody reads any more: the other end's writes fail with `EPIPE`. */
  close(): void {
    this.#pipe.break();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What `simplex` gives to be written to. */
export class SimplexWriter implements AsyncWrite, Disposable {
  #pipe: MemoryPipe;

  /** `simplex`'s own. */
  constructor(pipe: MemoryPipe) {
    this.#pipe = pipe;
  }

  /** Writes as much as there is room for, once there is some. Safe to drop. Fails with `EPIPE` where nobody reads. */
  write(bytes: Uint8Array): Future<number> {
    requireBytes("cannot write", "bytes", bytes);
    return new PipeWrite(this.#pipe, bytes, false);
  }

  /** Writes all, as room comes. */
  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("cannot write", "bytes", bytes);
    return new PipeWrite(this.#pipe, bytes, true).map(nothing);
  }

  /** The other end reads what is there, and then the end. */
  shutdown(): Future<void> {
    return new PipeShutdown(this.#pipe);
  }

  /** As `shutdown`, at once. */
  close(): void {
    this.#pipe.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function nothing(): void {}

/** An end of what `duplex` gives: what is written to the one is read from the other. */
export class DuplexStream implements AsyncRead, AsyncWrite, Disposable {
  #reader: SimplexReader;
  #writer: SimplexWriter;

  /** `duplex`'s own. */
  constructor(reader: SimplexReader, writer: SimplexWriter) {
    this.#reader = reader;
    this.#writer = writer;
  }

  /** {@linkcode SimplexReader.read} */
  read(into: Uint8Array): Future<number> {
    return this.#reader.read(into);
  }

  /** {@linkcode SimplexWriter.write} */
  write(bytes: Uint8Array): Future<number> {
    return this.#writer.write(bytes);
  }

  /** {@linkcode SimplexWriter.writeAll} */
  writeAll(bytes: Uint8Array): Future<void> {
    return this.#writer.writeAll(bytes);
  }

  /** {@linkcode SimplexWriter.shutdown} */
  shutdown(): Future<void> {
    return this.#writer.shutdown();
  }

  /** Both directions: the other end reads what was written and then the end, and its writes fail with `EPIPE`. */
  close(): void {
    this.#writer.close();
    this.#reader.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * A pipe in memory, from one task to another. Of what is written, up to `capacity` bytes wait to be read; a writer waits
 * for room.
 */
export function simplex(capacity: number): [reader: SimplexReader, writer: SimplexWriter] {
  requireCount("cannot make a pipe in memory", "capacity", capacity, 1);
  const pipe = new MemoryPipe(capacity);
  return [new SimplexReader(pipe), new SimplexWriter(pipe)];
}

/**
 * A connection in memory, to test with what would go over a socket: two ends, with up to `capacity` bytes on their way
 * in each direction. It needs no permission, no port and no end of the test to be cleaned up.
 *
 * @example
 * ```ts
 * import { duplex } from "@oxbow/oxbow/async_io";
 * import { run, spawn } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const [client, server] = duplex(4);
 *   const sent = spawn(() => client.writeAll(Uint8Array.of(1, 2, 3, 4, 5, 6)));
 *   const bytes = new Uint8Array(8);
 *   console.log(await server.read(bytes)); // 4
 *   await sent;
 *   client.close();
 *   console.log(await server.read(bytes), await server.read(bytes)); // 2 0
 * });
 * ```
 */
export function duplex(capacity: number): [DuplexStream, DuplexStream] {
  const [fromHere, toThere] = simplex(capacity);
  const [fromThere, toHere] = simplex(capacity);
  return [new DuplexStream(fromThere, toThere), new DuplexStream(fromHere, toHere)];
}
