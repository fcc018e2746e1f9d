import type { NativeBuffer } from "../../ffi/native_buffer.ts";
import { requireBytes, shown } from "../io/arguments.ts";
import type { Fd, WouldBlock } from "../io/fd.ts";
import type { Context, Future, Pending } from "../task/future.ts";
import { attempt, called, Ready, requireCall } from "../task/reactor/readiness.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";
import type { PooledBuffer } from "./buffer_pool.ts";
import { requireLimit, requireParts, requireRoom } from "./socket/checks.ts";
import { ReadHalf, WriteHalf } from "./socket/halves.ts";
import { Peek, Read, ReadBuffer, ReadExact, ReadToEnd, ReadVectored } from "./socket/reads.ts";
import { type FileBacked, SendFile, type SendFileOptions } from "./socket/send_file.ts";
import { StreamIo } from "./socket/stream_io.ts";
import { readableOf, writableOf } from "./socket/web_streams.ts";
import { Shutdown, Write, WriteAll, WriteBuffer, WriteVectored } from "./socket/writes.ts";

/** What the reactor knows of a stream: for the inside of this package. */
export let ioOf: (stream: SocketStream) => ScheduledIo;

/**
 * A connected stream of bytes, whatever its family: what `TcpStream` and `UnixStream` share. One task reads and one
 * writes at a time: a second read, or write, that begins before the first is over fails. Whatever waits is safe to
 * drop: nothing was read then, and of what is written by `writeAll` an unknown part. No collector closes one that is
 * forgotten: `using` does.
 */
export abstract class SocketStream implements AsyncRead, AsyncWrite, Disposable, AsyncDisposable {
  /** The socket's descriptor, which the stream owns. */
  readonly fd: Fd;
  #stream: StreamIo;
  #isSplit = false;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | null = null;
  #writable: WritableStream<Uint8Array> | null = null;

  static {
    ioOf = (stream) => stream.#stream.io;
  }

  /** Takes over a connected socket, and registers it with the running runtime. `io` is where it is watched already. */
  constructor(fd: Fd, io?: ScheduledIo) {
    this.fd = fd;
    this.#stream = new StreamIo(fd, io);
  }

  /** Reads up to `length` bytes into the buffer at `from`; 0 is the end, `WouldBlock` nothing yet. */
  tryRead(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    return this.#stream.receive(buffer, from, length);
  }

  /** Writes `length` bytes of the buffer from `from`, or the first of them; `WouldBlock` where none fit. */
  tryWrite(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    return this.#stream.send(buffer, from, length);
  }

  /**
   * As `tryRead`, for a future of your own, which is the cheapest way to write a server: where nothing has come, the
   * task is polled again once something has. The last one that asked is woken.
   *
   * @example
   * ```ts
   * import { NativeBuffer } from "@oxbow/oxbow/io";
   * import { TcpListener, TcpStream } from "@oxbow/oxbow/net";
   * import { type Context, Future, Pending, run, spawn } from "@oxbow/oxbow/task";
   *
   * const buffer = new NativeBuffer(16384);
   *
   * class Count extends Future<number> {
   *   #stream: TcpStream;
   *   #count = 0;
   *
   *   constructor(stream: TcpStream) {
   *     super();
   *     this.#stream = stream;
   *   }
   *
   *   override poll(context: Context): number | Pending {
   *     for (;;) {
   *       const count = this.#stream.pollRead(context, buffer);
   *       if (count === Pending) return Pending;
   *       if (count === 0) return this.#count;
   *       this.#count += count;
   *     }
   *   }
   *
   *   override drop(): void {
   *     this.#stream.close();
   *   }
   * }
   *
   * await run(async () => {
   *   using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
   *   using client = await TcpStream.connect(listener.address);
   *   const { stream } = await listener.accept();
   *   const count = spawn(() => new Count(stream));
   *   await client.writeAll(new Uint8Array(100_000));
   *   await client.shutdown();
   *   console.log(await count); // 100000
   * });
   * ```
   */
  pollRead(
    context: Context,
    buffer: NativeBuffer,
    from = 0,
    length: number = buffer.bytes.byteLength - from,
  ): number | Pending {
    return this.#stream.pollReceive(context, buffer, from, length);
  }

  /** As `tryWrite`, for a future of your own: see `pollRead`. */
  pollWrite(
    context: Context,
    buffer: NativeBuffer,
    from = 0,
    length: number = buffer.bytes.byteLength - from,
  ): number | Pending {
    return this.#stream.pollSend(context, buffer, from, length);
  }

  /** Waits until a read is worth its call. Any number of tasks may. */
  whenReadable(): Future<void> {
    return new Ready(this.#stream.io, "read");
  }

  /** Waits until a write is worth its call. Any number of tasks may. */
  whenWritable(): Future<void> {
    return new Ready(this.#stream.io, "write");
  }

  /** Makes a call of your own that reads or writes the descriptor, where it is worth it: tokio's `try_io`. Never waits. */
  tryIo<T>(interest: "read" | "write", call: () => T | typeof WouldBlock): T | typeof WouldBlock {
    requireCall(interest, call);
    return attempt(this.#stream.io, interest, call);
  }

  /** Makes a call of your own until it would not block, waiting in between: tokio's `async_io`. */
  asyncIo<T>(interest: "read" | "write", call: () => T | typeof WouldBlock): Future<T> {
    requireCall(interest, call);
    return called(this.#stream.io, interest, call);
  }

  /** Reads up to `into.byteLength` bytes; 0 is the end of what the peer sends. */
  read(into: Uint8Array): Future<number> {
    requireRoom(into);
    return new Read(this.#owned(), into);
  }

  /** As `read`, and what was read is there still for the next one. */
  peek(into: Uint8Array): Future<number> {
    requireRoom(into);
    return new Peek(this.#owned(), into);
  }

  /** Fills all of `into`. Fails with an `UnexpectedEndError`, and part of it filled, where the end comes before. */
  readExact(into: Uint8Array): Future<void> {
    requireBytes("cannot read", "into", into);
    return new ReadExact(this.#owned(), into);
  }

  /** Everything up to the end. Fails with a `LimitExceededError` where that is more than `limit` bytes: say one to a stranger. */
  readToEnd(options: { limit?: number } = {}): Future<Uint8Array<ArrayBuffer>> {
    return new ReadToEnd(this.#owned(), requireLimit(options));
  }

  /** Fills the parts in their order, as one `read`: recvmsg(2). Throws a `RangeError` for more than 1,024 of them. */
  readVectored(parts: readonly Uint8Array[]): Future<number> {
    return new ReadVectored(this.#owned(), requireParts("read", parts));
  }

  /**
   * What is there, up to 64 KiB, in memory of the thread's pool; `null` at the end. The memory is taken only once there
   * is something to read, so that who waits holds none, and nothing is copied or allocated for it. To be released.
   */
  readBuffer(): Future<PooledBuffer | null> {
    return new ReadBuffer(this.#owned());
  }

  /** Writes the first of the bytes, as many as the kernel takes: at least one, where there is one. */
  write(bytes: Uint8Array): Future<number> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this.#owned(), bytes);
  }

  /** Writes all of the bytes, which must not change meanwhile. */
  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("cannot write", "bytes", bytes);
    return new WriteAll(this.#owned(), bytes);
  }

  /** Writes the parts in their order, as one `write`: sendmsg(2). Throws a `RangeError` for more than 1,024 of them. */
  writeVectored(parts: readonly Uint8Array[]): Future<number> {
    return new WriteVectored(this.#owned(), requireParts("write", parts));
  }

  /** Writes all of what `readBuffer` gave, which is not to be released meanwhile. */
  writeBuffer(buffer: PooledBuffer): Future<void> {
    return new WriteBuffer(this.#owned(), buffer);
  }

  /**
   * Sends a part of a file, or of the file that a map keeps, without a copy: sendfile(2). Gives how many bytes. Fails
   * with a `RangeError` where the file is shorter than `length`, once what there is was sent.
   */
  sendFile(source: Fd | FileBacked, options: SendFileOptions = {}): Future<number> {
    return new SendFile(this.#owned(), source, options);
  }

  /** shutdown(2): ends what is written, so that the peer reads its end, or what is read, or both. */
  shutdown(how: "read" | "write" | "both" = "write"): Future<void> {
    if (how !== "read" && how !== "write" && how !== "both") {
      throw new TypeError(`cannot shut a stream down: how is ${shown(how)}, none of read, write and both`);
    }
    return new Shutdown(this.#owned(), how);
  }

  /** What is read, as a WHATWG stream of bytes. Nothing is read before it is asked for. The same one each time. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this.#owned());
  }

  /** What is written, as a WHATWG stream. To close it sends the end; to abort it closes the connection. The same one each time. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this.#owned());
  }

  /** Both sides of the stream, for two tasks. The stream stays its owner's. */
  split(): [reader: ReadHalf, writer: WriteHalf] {
    const split = { stream: this.#owned(), owns: false, open: 2 };
    return [new ReadHalf(split), new WriteHalf(split)];
  }

  /**
   * Both sides of the stream, for two tasks that own them from now on: the stream itself is used no more, the writer's
   * `close` sends the end, and the second half that is closed closes the connection.
   */
  intoSplit(): [reader: ReadHalf, writer: WriteHalf] {
    const split = { stream: this.#owned(), owns: true, open: 2 };
    this.#isSplit = true;
    return [new ReadHalf(split), new WriteHalf(split)];
  }

  /** Takes back both halves, none of them closed, of an `intoSplit` of this stream. Throws where they are not that. */
  reunite(reader: ReadHalf, writer: WriteHalf): this {
    const split = ReadHalf.splitOf(reader);
    const isOurs = split === WriteHalf.splitOf(writer) && split.stream === this.#stream && split.owns;
    if (!isOurs || !this.#isSplit || split.open !== 2) {
      throw new Error("cannot reunite the halves: they are not both the open halves of this stream");
    }
    // Closing them does nothing from now on.
    split.owns = false;
    this.#isSplit = false;
    return this;
  }

  get isClosed(): boolean {
    return this.#stream.isClosed;
  }

  /** Closes the connection at once; a task that waits for it fails. Does nothing the second time. */
  close(): void {
    if (this.#isSplit) return;
    this.#stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Sends the end, then closes the connection. What was not read is lost, and may reset it. */
  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isSplit && !this.isClosed) {
      try {
        this.#stream.shutdown("write");
      } finally {
        this.close();
      }
    }
    return Promise.resolve();
  }

  /** The stream, where it was not given to its halves. */
  #owned(): StreamIo {
    if (this.#isSplit) throw new Error("cannot use a stream that was split: use its halves, or reunite them");
    return this.#stream;
  }
}
