/**
 * Our echo server: prints its port, and ends when its stdin does.
 *
 *     echo_server.ts [--lean]
 *
 * Each connection reads into bytes of its own; with `--lean` all read into buffers of a pool and send from there, so that
 * one that waits has none.
 */
import process from "node:process";
import { SystemError } from "../../ffi/mod.ts";
import { TcpListener, type TcpStream } from "../../lib/net/mod.ts";
import { type Coroutine, run, spawn } from "../../lib/task/mod.ts";

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
    using buffer = yield* stream.readBuffer();
    if (buffer === null) return;
    yield* stream.writeBuffer(buffer);
  }
}

const converse = process.argv[2] === "--lean" ? leanEcho : echo;

function* serve(stream: TcpStream): Coroutine<void> {
  using connection = stream;
  try {
    yield* converse(connection);
  } catch (error) {
    // A client that goes away in the middle of a message is its own affair.
    if (!(error instanceof SystemError)) throw error;
  }
}

process.stdin.on("end", () => process.exit()).resume();
await run(function* (): Coroutine<void> {
  using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 }, { noDelay: true, backlog: 4096 });
  console.log(listener.address.port);
  for (;;) {
    const { stream } = yield* listener.accept();
    spawn(serve, stream);
  }
}, { slowPoll: false });
