import { Fd } from "../../io/fd.ts";
import { type Context, type Future, Pending } from "../../task/future.ts";
import { FileStream } from "./file.ts";

/** A stream whose bytes are its descriptor's own, so that the kernel may move them: a socket or a pipe that is watched. */
export interface DescriptorStream {
  /** Non-blocking. */
  readonly fd: Fd;
  whenReadable(): Future<void>;
  whenWritable(): Future<void>;
  /** A read would have blocked: `whenReadable` waits for the next edge. */
  clearReadable(): void;
  /** A write would have blocked: `whenWritable` waits for the next edge. */
  clearWritable(): void;
}

const METHODS = ["whenReadable", "whenWritable", "clearReadable", "clearWritable"];

/** Whether the kernel may move its bytes. */
export function isDescriptorStream(stream: unknown): stream is DescriptorStream {
  return typeof stream === "object" && stream !== null && Fd.isFd(Reflect.get(stream, "fd")) &&
    METHODS.every((name) => typeof Reflect.get(stream, name) === "function");
}

/** One end of what the kernel moves, and the wait for it. */
export class End {
  readonly fd: Fd;
  #stream: DescriptorStream | null;
  #reads: boolean;
  #ready: Future<void> | null = null;

  /** A `FileStream` is never waited for. */
  constructor(stream: DescriptorStream | FileStream, reads: boolean) {
    this.fd = stream.fd;
    this.#stream = stream instanceof FileStream ? null : stream;
    this.#reads = reads;
  }

  /** Whether it is a file. */
  get isFile(): boolean {
    return this.#stream === null;
  }

  /** The call would have blocked: `poll` waits. */
  block(): void {
    const stream = this.#stream;
    if (stream === null) return;
    if (this.#reads) stream.clearReadable();
    else stream.clearWritable();
    this.#ready = this.#reads ? stream.whenReadable() : stream.whenWritable();
  }

  /** Waits where the last call would have blocked. */
  poll(context: Context): void | Pending {
    if (this.#ready === null) return;
    if (this.#ready.poll(context) === Pending) return Pending;
    this.#ready = null;
  }

  drop(): void {
    this.#ready?.drop();
    this.#ready = null;
  }

  describe(): string {
    return this.#ready === null ? "copy()" : `copy(), ${this.#ready.describe()}`;
  }
}
