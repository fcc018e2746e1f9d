import { SystemError } from "../../../ffi/mod.ts";
import type { NativeBuffer } from "../../../ffi/native_buffer.ts";
import { type Fd, WouldBlock } from "../../io/fd.ts";
import { receive, send, shutdown } from "../../io/socket_calls.ts";
import { type Context, type Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import type { Reactor } from "../../task/reactor/reactor.ts";
import type { ScheduledIo } from "../../task/reactor/scheduled_io.ts";
import { currentRuntime } from "../../task/runtime/current.ts";

/** A connected socket that is watched: what a stream and its halves share. A pipe is one with calls of its own. */
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

  /** recv(2), or a pipe's read(2), where it is worth the call: a count of bytes, 0 at the end, or `WouldBlock`. */
  receive(buffer: NativeBuffer, from: number, length: number): number {
    const { io } = this;
    if (!io.isReadable) return WouldBlock;
    if (io.isDeaf) this.refuse("read");
    const count = this.receiveNow(buffer, from, length);
    if (count === WouldBlock) io.clearReadable();
    else if (count < length && count > 0) io.drained();
    return count;
  }

  /** send(2), or a pipe's write(2), where it is worth the call: a count of bytes, or `WouldBlock`. */
  send(buffer: NativeBuffer, from: number, length: number): number {
    const { io } = this;
    if (!io.isWritable) return WouldBlock;
    if (io.isDeaf) this.refuse("write");
    const count = this.sendNow(buffer, from, length);
    if (count === WouldBlock) io.clearWritable();
    return count;
  }

  /** The call itself. */
  protected receiveNow(buffer: NativeBuffer, from: number, length: number): number {
    return receive(this.fd, buffer, from, length);
  }

  protected sendNow(buffer: NativeBuffer, from: number, length: number): number {
    return send(this.fd, buffer, from, length);
  }

  /** As `receive`: parks the context's task where nothing has come. */
  pollReceive(context: Context, buffer: NativeBuffer, from: number, length: number): number | Pending {
    if (!proceed(context)) return Pending;
    if (this.reader !== null) this.refuseSecond("read");
    const count = this.receive(buffer, from, length);
    if (count === WouldBlock) {
      this.io.takeReader(context.waker);
      return Pending;
    }
    coop.left--;
    return count;
  }

  /** As `send`: parks the context's task where there is no room. */
  pollSend(context: Context, buffer: NativeBuffer, from: number, length: number): number | Pending {
    if (!proceed(context)) return Pending;
    if (this.writer !== null) this.refuseSecond("write");
    const count = this.send(buffer, from, length);
    if (count === WouldBlock) {
      this.io.takeWriter(context.waker);
      return Pending;
    }
    coop.left--;
    return count;
  }

  /** Throws for who comes while another one is not over. */
  refuseSecond(verb: "read" | "write"): never {
    if (this.io.isDeaf) this.refuse(verb);
    throw new Error(
      `cannot ${verb}: another ${verb} of the same stream is not over; wait for it, or drop it, first`,
    );
  }

  /** Throws why nothing is read or written any more. */
  refuse(verb: string): never {
    throw new Error(
      this.#closed
        ? `cannot ${verb}: the stream was closed`
        : `cannot ${verb}: the runtime that watched the descriptor has ended`,
    );
  }

  /** shutdown(2). A peer that has reset the connection has nothing to be told. */
  shutdown(how: "read" | "write" | "both"): void {
    if (this.#closed) this.refuse("shut down");
    try {
      shutdown(this.fd, how);
    } catch (error) {
      if (!(error instanceof SystemError && error.code === "ENOTCONN")) throw error;
    }
  }

  /** Closes the socket at once; who waits for it is told. Does nothing the second time. */
  close(): void {
    if (!this.#closed) this.release("the stream was closed").close();
  }

  /** Watches the descriptor no more, and leaves it open; who waits for it is told why. */
  protected release(why: string): Fd {
    this.#closed = true;
    this.io.willEnd(why);
    this.#reactor.deregister(this.io);
    return this.fd;
  }
}
