import type { NativeBuffer } from "../../ffi/native_buffer.ts";
import type { Fd } from "../io/fd.ts";
import { unwatch, watch } from "../mem/forgotten.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import "../task/runtime/attach.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { StreamIo } from "./socket/stream_io.ts";

/** What ends a descriptor that was forgotten. It must not reach the `PipeIo`, which would then never be collected. */
function letGo(fd: Fd, io: ScheduledIo): () => void {
  const { reactor } = currentRuntime();
  return () => {
    reactor.deregister(io);
    fd.close();
  };
}

/**
 * A pipe's end that is watched. A future that reads or writes has it, so that the collector closes none that is still
 * waited for.
 */
export class PipeIo extends StreamIo {
  /** `what` is its owner, for people. */
  constructor(fd: Fd, what: string) {
    super(fd);
    watch(this, what, letGo(fd, this.io));
  }

  protected override receiveNow(buffer: NativeBuffer, from: number, length: number): number {
    return this.fd.read(buffer, from, length);
  }

  protected override sendNow(buffer: NativeBuffer, from: number, length: number): number {
    return this.fd.write(buffer, from, length);
  }

  override refuse(verb: string): never {
    throw new Error(`cannot ${verb === "write" ? "write to" : verb} a pipe: ${this.io.whyDeaf}`);
  }

  /** A pipe has no other way to tell its reader that it is over. */
  override shutdown(): void {
    this.close();
  }

  /** Watches it no more: the descriptor is the caller's. */
  intoFd(): Fd {
    if (this.isClosed) throw new Error("cannot take a pipe's descriptor: the end was closed or given away");
    unwatch(this);
    return this.release("the pipe's end was closed or given away");
  }

  override close(): void {
    if (!this.isClosed) this.intoFd().close();
  }
}
