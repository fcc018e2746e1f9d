import type { Future } from "../../task/future.ts";
import { type BufferOptions, BufReader } from "./buf_reader.ts";
import { BufWriter } from "./buf_writer.ts";
import type { Flushable } from "./output.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

/** A `BufReader` and a `BufWriter` of the same stream. Each direction is for one task at a time. */
export class BufStream extends BufReader implements Flushable {
  #writer: BufWriter;

  constructor(stream: AsyncRead & AsyncWrite, options: BufferOptions = {}) {
    super(stream, options);
    this.#writer = new BufWriter(stream, options);
  }

  /** {@linkcode BufWriter.write} */
  write(bytes: Uint8Array): Future<number> {
    return this.#writer.write(bytes);
  }

  /** {@linkcode BufWriter.writeAll} */
  writeAll(bytes: Uint8Array): Future<void> {
    return this.#writer.writeAll(bytes);
  }

  /** {@linkcode BufWriter.flush} */
  flush(): Future<void> {
    return this.#writer.flush();
  }

  /** {@linkcode BufWriter.shutdown} */
  shutdown(): Future<void> {
    return this.#writer.shutdown();
  }
}
