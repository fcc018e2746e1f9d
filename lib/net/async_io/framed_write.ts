import { requireNames, shown } from "../../io/arguments.ts";
import { type Context, type Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { requireCount, requireWriter } from "./arguments.ts";
import { flush, shutdown } from "./buf_writer.ts";
import type { Encoder } from "./codec.ts";
import { Operation } from "./operation.ts";
import { isFlushable, Output } from "./output.ts";
import type { AsyncWrite } from "./traits.ts";

/** How much is gathered before it is written. */
export interface FramedWriteOptions {
  /** From so many bytes on, a frame waits for those before it to be written: 8 KiB where nothing is said. */
  backpressure?: number;
}

const BACKPRESSURE = 8192;

class Send<T> extends Operation<void> {
  #output: Output;
  #writer: FramedWrite<T>;
  #frame: T;
  #boundary: number;
  #isDraining = false;
  #isEncoded = false;
  #flushes: boolean;
  #flush: Future<void> | null = null;

  constructor(output: Output, writer: FramedWrite<T>, frame: T, boundary: number, flushes: boolean) {
    super();
    this.#output = output;
    this.#writer = writer;
    this.#frame = frame;
    this.#boundary = boundary;
    this.#flushes = flushes;
  }

  override describe(): string {
    return this.#output.describe("send()");
  }

  protected override step(context: Context): void | Pending {
    const output = this.#output;
    if (!this.#isEncoded) {
      if (!proceed(context)) return Pending;
      output.requireFree(this);
      this.#isDraining ||= output.bytes.length >= this.#boundary;
      if (this.#isDraining && output.pollDrain(context, this) === Pending) return Pending;
      this.#encode();
      coop.left--;
    }
    if (!this.#flushes) return;
    if (this.#flush === null) {
      if (output.pollDrain(context, this) === Pending) return Pending;
      if (!isFlushable(output.writer)) return;
      this.#flush = output.writer.flush();
    }
    return output.poll(context, this, this.#flush);
  }

  #encode(): void {
    const { bytes } = this.#output;
    const { length } = bytes;
    try {
      this.#writer.encoder.encode(this.#frame, bytes);
    } catch (error) {
      bytes.truncate(length);
      throw error;
    }
    this.#isEncoded = true;
  }

  protected override abandon(): void {
    this.#output.drop(this);
  }
}

/**
 * A writer of frames. One at a time. A `send` that is dropped has either taken its frame, which then leaves whole with the
 * next `send` or `flush`, or not: no frame is torn and none is sent twice.
 */
export class FramedWrite<T> {
  /** May be changed between two frames. */
  encoder: Encoder<T>;
  #output: Output;
  #boundary: number;

  constructor(writer: AsyncWrite, encoder: Encoder<T>, options: FramedWriteOptions = {}) {
    const what = "cannot write frames";
    requireWriter(what, writer);
    if (typeof encoder !== "object" || encoder === null || typeof encoder.encode !== "function") {
      throw new TypeError(`${what}: the codec is ${shown(encoder)}, and has no encode()`);
    }
    requireNames(what, "options are", options, ["backpressure"]);
    const { backpressure = BACKPRESSURE } = options;
    requireCount(what, "backpressure", backpressure, 1);
    this.encoder = encoder;
    this.#boundary = backpressure;
    this.#output = new Output(writer, BACKPRESSURE);
  }

  /** The frames' bytes that have not left yet, as they lie there. */
  get writeBuffered(): Uint8Array {
    return this.#output.bytes.view();
  }

  /** Writes the frame and all before it. Fails with what the codec throws, and then nothing of it was written. */
  send(frame: T): Future<void> {
    return new Send(this.#output, this, frame, this.#boundary, true);
  }

  /** Takes the frame, to be written with others: waits where there is much to be written. */
  feed(frame: T): Future<void> {
    return new Send(this.#output, this, frame, this.#boundary, false);
  }

  /** Writes all frames that were fed. */
  flush(): Future<void> {
    return flush(this.#output);
  }

  /** Writes all frames, then ends what is written. */
  shutdown(): Future<void> {
    return shutdown(this.#output);
  }
}
