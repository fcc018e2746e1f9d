/**
 * Our echo server: prints its port, and ends when its stdin does.
 *
 *     echo_server.ts [--lean | --future]
 *
 * Each connection is a coroutine that reads into bytes of its own; with `--lean` all read into buffers of a pool and send
 * from there, so that one that waits has none. With `--future` a connection is a future of one object, polled by hand, as
 * a program in C is written.
 */
import process from "node:process";
import { SystemError } from "../../ffi/mod.ts";
import { NativeBuffer } from "../../lib/io/mod.ts";
import { TcpListener, type TcpStream } from "../../lib/net/mod.ts";
import { type Context, type Coroutine, Future, Pending, run, spawn } from "../../lib/task/mod.ts";

const BUFFER_BYTES = 16 * 1024;

function* echo(stream: TcpStream): Coroutine<void> {
  const bytes = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const count = yield* stream.read(bytes);
    if (count === 0) return;
    yield* stream.writeAll(bytes.subarray(0, count));
  }
}

function* leanEcho(stream: TcpStream): Coroutine<void> {
  for (;;) {
    const buffer = yield* stream.readBuffer();
    if (buffer === null) return;
    yield* stream.writeBuffer(buffer);
    // Not by `using`, which costs V8 200 ns each time: where the write fails the collector has the buffer.
    buffer.release();
  }
}

/** Where all of them read: what could not be sent is kept by who read it. */
const shared = new NativeBuffer(65536);

class Echo extends Future<void> {
  readonly #stream: TcpStream;
  #unsent: NativeBuffer | null = null;
  #sent = 0;

  constructor(stream: TcpStream) {
    super();
    this.#stream = stream;
  }

  override poll(context: Context): void | Pending {
    try {
      for (;;) {
        if (this.#unsent !== null && this.#flush(context, this.#unsent) === Pending) return Pending;
        const count = this.#stream.pollRead(context, shared);
        if (count === Pending) return Pending;
        if (count === 0) return this.#stream.close();
        const sent = this.#stream.pollWrite(context, shared, 0, count);
        if (sent !== count) this.#keep(sent === Pending ? 0 : sent, count);
      }
    } catch (error) {
      this.#stream.close();
      if (!(error instanceof SystemError)) throw error;
    }
  }

  #flush(context: Context, unsent: NativeBuffer): Pending | void {
    while (this.#sent < unsent.bytes.byteLength) {
      const count = this.#stream.pollWrite(context, unsent, this.#sent);
      if (count === Pending) return Pending;
      this.#sent += count;
    }
    this.#unsent = null;
  }

  #keep(from: number, to: number): void {
    this.#unsent = new NativeBuffer(to - from);
    this.#unsent.bytes.set(shared.bytes.subarray(from, to));
    this.#sent = 0;
  }

  override drop(): void {
    this.#stream.close();
  }
}

function* converse(stream: TcpStream): Coroutine<void> {
  try {
    yield* way === "--lean" ? leanEcho(stream) : echo(stream);
  } catch (error) {
    // A client that goes away in the middle of a message is its own affair.
    if (!(error instanceof SystemError)) throw error;
  } finally {
    stream.close();
  }
}

function future(stream: TcpStream): Echo {
  return new Echo(stream);
}

const way = process.argv[2];

process.stdin.on("end", () => process.exit()).resume();
await run(function* (): Coroutine<void> {
  using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 }, { noDelay: true, backlog: 4096 });
  console.log(listener.address.port);
  for (;;) {
    const { stream } = yield* listener.accept();
    if (way === "--future") spawn(future, stream);
    else spawn(converse, stream);
  }
}, { slowPoll: false });
