import type { NativeBuffer } from "../../../ffi/native_buffer.ts";
import { type Fd, WouldBlock } from "../../io/fd.ts";
import { receive, send } from "../../io/socket_calls.ts";
import type { Future } from "../../task/future.ts";
import type { Reactor } from "../../task/reactor/reactor.ts";
import type { ScheduledIo } from "../../task/reactor/scheduled_io.ts";
import { currentRuntime } from "../../task/runtime/current.ts";

/** A connected socket that is watched: what a stream and its halves share. */
export class StreamIo {
  readonly fd: Fd;
  readonly io: ScheduledIo;
  readonly #reactor: Reactor;
  #closed = false;
  /** Who reads, where it has begun and is not over. */
  reader: Future<unknown> | null = null;
  /** Who writes. */
  writer: Future<unknown> | null = null;

  /** Watches the socket, where it is not watched already. */
  constructor(fd: Fd, io?: ScheduledIo) {
    this.fd = fd;
    this.#reactor = currentRuntime().reactor;
    this.io = io ?? this.#reactor.register(fd);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** recv(2), where it is worth the call: a count of bytes, 0 at the end, or `WouldBlock`. */
  receive(buffer: NativeBuffer, from: number, length: number): number {
    const { io } = this;
    if (!io.isReadable) return WouldBlock;
    if (io.isDeaf) this.refuse("read");
    const count = receive(this.fd, buffer, from, length);
    if (count === WouldBlock) io.clearReadable();
    else if (count < length && count > 0) io.drained();
    return count;
  }

  /** send(2), where it is worth the call: a count of bytes, or `WouldBlock`. */
  send(buffer: NativeBuffer, from: number, length: number): number {
    const { io } = this;
    if (!io.isWritable) return WouldBlock;
    if (io.isDeaf) this.refuse("write");
    const count = send(this.fd, buffer, from, length);
    if (count === WouldBlock) io.clearWritable();
    return count;
  }

  /** Throws why nothing is read or written any more. */
  refuse(verb: string): never {
    throw new Error(
      this.#closed
        ? `cannot ${verb}: the stream was closed`
        : `cannot ${verb}: the runtime that watched the descriptor has ended`,
    );
  }

  /** Closes the socket at once; who waits for it is told. Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.io.willEnd("the stream was closed");
    this.#reactor.deregister(this.io);
    this.fd.close();
  }
}
