import { requireNames, shown } from "../../io/arguments.ts";
import { Fd, WouldBlock } from "../../io/fd.ts";
import { sendFile } from "../../io/socket_calls.ts";
import { type Context, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import type { StreamIo } from "./stream_io.ts";
import { Transfer } from "./transfer.ts";

/** What has a descriptor of its own file: an `Mmap`. */
export interface FileBacked {
  /** A descriptor for its caller to close. */
  dupFd(): Fd;
}

/** Which part of a file is sent. */
export interface SendFileOptions {
  /** Where it begins, in bytes of the file: 0 where nothing is said. */
  offset?: number;
  /** How many bytes: up to the file's end where nothing is said. */
  length?: number;
}

function requireCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`cannot send a file: ${name} is ${shown(value)}, and no count of bytes`);
}

function isFileBacked(source: unknown): source is FileBacked {
  return typeof source === "object" && source !== null && "dupFd" in source &&
    typeof source.dupFd === "function";
}

function descriptorOf(source: Fd | FileBacked): Fd {
  if (Fd.isFd(source)) return source;
  const fd = source.dupFd();
  if (!Fd.isFd(fd)) throw new TypeError("cannot send a file: what source's dupFd() gives is no Fd");
  return fd;
}

/** From the file to the socket in the kernel: sendfile(2). */
export class SendFile extends Transfer<number> {
  readonly #source: Fd | FileBacked;
  #file: Fd | null = null;
  #at: number;
  #left: number;
  readonly #hasLength: boolean;
  #sent = 0;

  constructor(stream: StreamIo, source: Fd | FileBacked, options: SendFileOptions) {
    super(stream, false);
    requireNames("cannot send a file", "options are", options, ["offset", "length"]);
    const { offset = 0, length } = options;
    if (!Fd.isFd(source) && !isFileBacked(source)) {
      throw new TypeError("cannot send a file: source is no Fd, and has no dupFd()");
    }
    requireCount("offset", offset);
    if (length !== undefined) requireCount("length", length);
    this.#source = source;
    this.#at = offset;
    this.#left = length ?? Infinity;
    this.#hasLength = length !== undefined;
  }

  protected override get title(): string {
    return "sendFile()";
  }

  protected override attempt(stream: StreamIo, context: Context): number | Pending {
    const { io } = stream;
    const file = this.#file ??= descriptorOf(this.#source);
    while (this.#left > 0) {
      if (!proceed(context)) return Pending;
      if (!io.isWritable) return Pending;
      if (io.isDeaf) stream.refuse("send a file");
      const count = sendFile(stream.fd, file, this.#at, this.#left);
      if (count === WouldBlock) {
        io.clearWritable();
        return Pending;
      }
      coop.left--;
      if (count === 0) this.#ended();
      this.#at += count;
      this.#left -= count;
      this.#sent += count;
    }
    this.#release();
    return this.#sent;
  }

  #ended(): void {
    if (this.#hasLength) {
      throw new RangeError(
        `cannot send a file: it ended ${this.#left} bytes before the length that was asked`,
      );
    }
    this.#left = 0;
  }

  #release(): void {
    const file = this.#file;
    this.#file = null;
    if (file !== this.#source) file?.close();
  }

  override drop(): void {
    super.drop();
    this.#release();
  }
}
