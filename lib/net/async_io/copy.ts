import { Fd } from "../../io/fd.ts";
import { requireNames } from "../../io/arguments.ts";
import { type Context, type Future, Pending } from "../../task/future.ts";
import { requireReader, requireWriter } from "./arguments.ts";
import { BufferMover } from "./buffer_mover.ts";
import { End, isDescriptorStream } from "./descriptor.ts";
import { FileStream } from "./file.ts";
import { FileMover, NotMovable, SpliceMover } from "./kernel_mover.ts";
import type { Mover } from "./mover.ts";
import { Operation } from "./operation.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

/** How a copy is ended early. */
export interface CopyOptions {
  /** Fails with its reason, and drops the copy, once it is aborted. */
  signal?: AbortSignal;
}

/** Moves by the kernel where it can, and goes on by a buffer where that refuses. */
export class AnyMover implements Mover {
  #reader: AsyncRead;
  #writer: AsyncWrite;
  #mover: Mover | null = null;
  /** What another mover has moved before. */
  #before = 0;

  constructor(reader: AsyncRead, writer: AsyncWrite) {
    this.#reader = reader;
    this.#writer = writer;
  }

  poll(context: Context): number | Pending {
    const mover = this.#mover ??= moverOf(this.#reader, this.#writer);
    try {
      const count = mover.poll(context);
      return count === Pending ? Pending : this.#before + count;
    } catch (error) {
      if (!(error instanceof NotMovable)) throw error;
      this.#before += error.total;
      this.#mover = new BufferMover(this.#reader, this.#writer, error.left);
      return this.poll(context);
    }
  }

  drop(): void {
    this.#mover?.drop();
  }

  describe(): string {
    return this.#mover === null ? "copy()" : this.#mover.describe();
  }
}

function moverOf(reader: AsyncRead, writer: AsyncWrite): Mover {
  const target = writer instanceof FileStream || isDescriptorStream(writer, "whenWritable")
    ? new End(writer, false)
    : null;
  if (target !== null && reader instanceof FileStream) return new FileMover(reader.fd, target);
  if (target !== null && isDescriptorStream(reader, "whenReadable")) {
    return new SpliceMover(new End(reader, true), target);
  }
  return new BufferMover(reader, writer);
}

class Copy extends Operation<number> {
  #mover: Mover;

  constructor(mover: Mover) {
    super();
    this.#mover = mover;
  }

  override describe(): string {
    return this.#mover.describe();
  }

  protected override step(context: Context): number | Pending {
    try {
      return this.#mover.poll(context);
    } catch (error) {
      this.#mover.drop();
      throw error;
    }
  }

  protected override abandon(): void {
    this.#mover.drop();
  }
}

/** The future itself, or one that fails once the options' signal is aborted. */
export function abortableBy<T>(future: Future<T>, what: string, options: CopyOptions): Future<T> {
  requireNames(what, "options are", options, ["signal"]);
  const { signal } = options;
  return signal === undefined ? future : future.abortable(signal);
}

function fileOf(fd: Fd): FileStream {
  const { type } = fd.status();
  if (type === "regular") return new FileStream(fd);
  throw new TypeError(
    `cannot copy: the descriptor is a ${type}, which is waited for: give the stream that has it`,
  );
}

/**
 * Copies all that `reader` gives to `writer`, and flushes that: how many bytes there were. Nothing is read where
 * nothing can be written, beyond one buffer's worth.
 *
 * From a socket or pipe to another, or to a file, the kernel moves the bytes (splice(2)), and so it does from a
 * file (sendfile(2), copy_file_range(2)); elsewhere, and where no descriptors are left for the pipe that splice(2) goes
 * through, they go by a buffer of 32 KiB. A regular file is given by its
 * `Fd`, and read or written from where it stands.
 *
 * Dropped, or where one side fails, up to a buffer's worth that was read is lost: it was not written yet.
 *
 * @example
 * ```ts
 * import { BufReader, copy, duplex } from "@oxbow/oxbow/async_io";
 * import { Fd } from "@oxbow/oxbow/io";
 * import { run, spawn } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const [here, there] = duplex(1024);
 *   using file = Fd.open("/proc/self/limits");
 *   const copied = spawn(() => copy(file, here).andThen(() => here.shutdown()));
 *   for await (const line of new BufReader(there).lines()) {
 *     if (line.startsWith("Max open files")) console.log(line.includes("files")); // true
 *   }
 *   await copied;
 * });
 * ```
 */
export function copy(
  reader: AsyncRead | Fd,
  writer: AsyncWrite | Fd,
  options: CopyOptions = {},
): Future<number> {
  const source = Fd.isFd(reader) ? fileOf(reader) : reader;
  const target = Fd.isFd(writer) ? fileOf(writer) : writer;
  requireReader("cannot copy", source);
  requireWriter("cannot copy", target);
  return abortableBy(new Copy(new AnyMover(source, target)), "cannot copy", options);
}
