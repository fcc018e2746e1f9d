import { Fd, WouldBlock } from "../../io/fd.ts";
import { type Context, type Future, Pending } from "../../task/future.ts";
import { FileStream } from "./file.ts";

/**
 * A stream whose bytes are its descriptor's own, so that the kernel may move them: a socket or a pipe that is watched.
 * One that is read has `whenReadable`, and one that is written `whenWritable`.
 */
export interface DescriptorStream {
  /** Non-blocking. */
  readonly fd: Fd;
  /** Makes the call where it is worth it, and has the next wait for an edge where that says `WouldBlock`. */
  tryIo(interest: "read" | "write", call: () => typeof WouldBlock): typeof WouldBlock;
  whenReadable?(): Future<void>;
  whenWritable?(): Future<void>;
}

/** Whether the kernel may move its bytes. */
export function isDescriptorStream(
  stream: unknown,
  when: "whenReadable" | "whenWritable",
): stream is DescriptorStream {
  return typeof stream === "object" && stream !== null && Fd.isFd(Reflect.get(stream, "fd")) &&
    ["tryIo", when].every((name) => typeof Reflect.get(stream, name) === "function");
}

function wouldBlock(): typeof WouldBlock {
  return WouldBlock;
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
    stream.tryIo(this.#reads ? "read" : "write", wouldBlock);
    this.#ready = (this.#reads ? stream.whenReadable?.() : stream.whenWritable?.()) ?? null;
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
