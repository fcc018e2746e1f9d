import { requireBytes, shown } from "../io/arguments.ts";
import { unwatch, watch } from "../mem/forgotten.ts";
import type { Future } from "../task/future.ts";
import { toFuture } from "../task/futures/to_future.ts";
import { abortable, type AbortOptions, requireSignal } from "./abortable.ts";
import type { Handle } from "./handle.ts";
import { type Metadata, metadataOf } from "./metadata.ts";
import { openHandle } from "./open.ts";
import { type FileOptions, openingOf } from "./open_options.ts";
import { type FilePath, pathFrom } from "./path.ts";
import { nothing, systemCall } from "./system_call.ts";
import { Content, CURRENT, readFully, readSome, writeFully } from "./transfer.ts";

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("File");

function requirePosition(what: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`${what}: ${name} is ${shown(value)}, not a count of bytes`);
}

/**
 * An open file, whose calls are made on other threads: tokio's `fs::File`. What is read or written goes by a copy, so
 * that a buffer is never C's: one that a dropped read was for stays as it is. A buffer is in use until the future has
 * ended or was dropped: bytes that change under a write may be written as they are then, and a write whose buffer is
 * transferred or shrunk before all was copied fails with a `TypeError`.
 *
 * Each future is begun when it is awaited or polled, and fails with a `SystemError` that names the path. Calls of one file
 * run side by side where they are not waited for: those that say a position do not mind.
 *
 * @example
 * ```ts
 * import { File, remove } from "@oxbow/oxbow/fs";
 *
 * await using file = await File.open("/tmp/oxbow-file", { read: true, write: true, create: true, truncate: true });
 * await file.writeAt(new TextEncoder().encode("there and back"), 0);
 * await file.sync();
 * const bytes = new Uint8Array(4);
 * console.log(await file.readAt(bytes, 10), new TextDecoder().decode(bytes)); // 4 "back"
 * await remove("/tmp/oxbow-file");
 * ```
 */
export class File implements AsyncDisposable {
  readonly #handle: Handle;

  private constructor(key: symbol, handle: Handle) {
    if (key !== KEY) throw new TypeError("cannot make a File: call File.open");
    this.#handle = handle;
    watch(this, `a File of ${handle.path}`, () => handle.closeNow());
  }

  /**
   * open(2), never inherited by a child. A pipe waits for its other end. A file that was opened though nobody waits any
   * more is closed.
   *
   * @throws {TypeError | RangeError} for a path that is none, and options that contradict each other.
   */
  static open(path: FilePath, options: FileOptions = {}): Future<File> {
    const name = pathFrom(path, "open");
    const opening = openingOf(`cannot open ${name.text}`, options);
    const { signal } = options;
    requireSignal(`cannot open ${name.text}`, signal);
    const opened = openHandle(name, opening).map((handle) => new File(KEY, handle));
    return signal === undefined ? opened : opened.abortable(signal);
  }

  /** As it was opened; what is no UTF-8 as U+FFFD. */
  get path(): string {
    return this.#handle.path;
  }

  get isClosed(): boolean {
    return this.#handle.isClosed;
  }

  /**
   * pread(2) from `position` until the buffer is full or the file at its end: how many bytes there were. The file's own
   * position stays. Bytes go into the buffer when their call has ended: one that is dropped writes none.
   */
  readAt(buffer: Uint8Array, position: number, options: AbortOptions = {}): Future<number> {
    const what = `cannot read ${this.path}`;
    requireBytes(what, "buffer", buffer);
    requirePosition(what, "position", position);
    return abortable(what, options, () => toFuture(readFully(this.#handle, buffer, position)));
  }

  /** pwrite(2) of all bytes at `position`. Where it fails or is dropped, some may have been written. */
  writeAt(bytes: Uint8Array, position: number, options: AbortOptions = {}): Future<void> {
    const what = `cannot write ${this.path}`;
    const content = new Content(what, bytes);
    requirePosition(what, "position", position);
    return abortable(what, options, () => toFuture(writeFully(this.#handle, content, position)));
  }

  /**
   * read(2), once, of up to 256 KiB at the file's own position, which moves on: how many bytes there were, 0 at the end.
   * For pipes, devices, and files from their begin to their end. Bytes of a call that was dropped in the middle are lost.
   */
  read(buffer: Uint8Array, options: AbortOptions = {}): Future<number> {
    const what = `cannot read ${this.path}`;
    requireBytes(what, "buffer", buffer);
    return abortable(what, options, () => readSome(this.#handle, buffer, 0, CURRENT));
  }

  /** write(2) of all bytes at the file's own position, which moves on. */
  write(bytes: Uint8Array, options: AbortOptions = {}): Future<void> {
    const what = `cannot write ${this.path}`;
    const content = new Content(what, bytes);
    return abortable(what, options, () => toFuture(writeFully(this.#handle, content, CURRENT)));
  }

  /** fsync(2): returns once all that was written is on the disk, with what statx(2) says of the file. */
  sync(options: AbortOptions = {}): Future<void> {
    return this.#simply("fsync", [], options);
  }

  /** fdatasync(2): as `sync`, but for what nobody needs to read the bytes. */
  dataSync(options: AbortOptions = {}): Future<void> {
    return this.#simply("fdatasync", [], options);
  }

  /** ftruncate(2): cuts the file to `size` bytes, or lengthens it by zeros. */
  truncate(size: number, options: AbortOptions = {}): Future<void> {
    requirePosition(`cannot truncate ${this.path}`, "size", size);
    return this.#simply("ftruncate", [size], options);
  }

  #simply(
    name: "fsync" | "fdatasync" | "ftruncate",
    args: readonly number[],
    options: AbortOptions,
  ): Future<void> {
    const handle = this.#handle;
    const { path } = handle;
    return abortable(`cannot ${name} ${path}`, options, () =>
      systemCall({
        name,
        arguments: [handle.number, ...args],
        context: { path },
        value: nothing,
        used: handle,
      }));
  }

  /** What statx(2) says of it. */
  metadata(options: AbortOptions = {}): Future<Metadata> {
    return abortable(`cannot look at ${this.path}`, options, () => metadataOf(this.#handle));
  }

  /**
   * close(2), once, whether it is awaited or not. Calls that are under way are not waited for: the descriptor goes with
   * the last of them. Fails where the file system tells so late of what could not be written; it is closed all the same.
   */
  close(): Future<void> {
    unwatch(this);
    return this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
