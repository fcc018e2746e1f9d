import type { Future } from "../../task/future.ts";
import type { Decoder, Encoder } from "./codec.ts";
import { FramedRead } from "./framed_read.ts";
import { FramedWrite } from "./framed_write.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

/**
 * A stream of bytes as frames, both ways: a `Stream` of those that come, and `send` for those that go. Dropping the stream
 * ends reading alone.
 *
 * @example
 * ```ts
 * import { duplex, Framed, LinesCodec } from "@oxbow/oxbow/async_io";
 * import { run } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const [here, there] = duplex(1024);
 *   const client = new Framed(here, new LinesCodec({ maxLength: 100 }));
 *   const server = new Framed(there, new LinesCodec({ maxLength: 100 }));
 *   await client.send("ping");
 *   console.log(await server.next()); // ping
 *   await server.send("pong");
 *   console.log(await client.next()); // pong
 * });
 * ```
 */
export class Framed<In, Out = In> extends FramedRead<In> {
  #writer: FramedWrite<Out>;

  constructor(stream: AsyncRead & AsyncWrite, codec: Decoder<In> & Encoder<Out>) {
    super(stream, codec);
    this.#writer = new FramedWrite(stream, codec);
  }

  /** May be changed between two frames. */
  get encoder(): Encoder<Out> {
    return this.#writer.encoder;
  }

  set encoder(encoder: Encoder<Out>) {
    this.#writer.encoder = encoder;
  }

  /** {@linkcode FramedWrite.writeBuffered} */
  get writeBuffered(): Uint8Array {
    return this.#writer.writeBuffered;
  }

  /** {@linkcode FramedWrite.send} */
  send(frame: Out): Future<void> {
    return this.#writer.send(frame);
  }

  /** {@linkcode FramedWrite.feed} */
  feed(frame: Out): Future<void> {
    return this.#writer.feed(frame);
  }

  /** {@linkcode FramedWrite.flush} */
  flush(): Future<void> {
    return this.#writer.flush();
  }

  /** {@linkcode FramedWrite.shutdown} */
  shutdown(): Future<void> {
    return this.#writer.shutdown();
  }
}
