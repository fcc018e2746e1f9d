/**
 * Our echo server: prints its port, and ends when its stdin does.
 *
 *     echo_server.ts [--lean]
 *
 * Each connection reads into bytes of its own; with `--lean` all read into one buffer and send from there, so that one
 * that waits has none.
 */
import process from "node:process";
import { SystemError } from "../../ffi/mod.ts";
import { NativeBuffer, WouldBlock } from "../../lib/io/mod.ts";
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

const shared = new NativeBuffer(4 * BUFFER_BYTES);

function* leanEcho(stream: TcpStream): Coroutine<void> {
  for (;;) {
    const count = stream.tryRead(shared);
    if (count === 0) return;
    if (count === WouldBlock) {
      yield* stream.whenReadable();
      continue;
    }
    const sent = Math.max(0, stream.tryWrite(shared, 0, count));
    // Others use the buffer while this one waits.
    if (sent < count) yield* stream.writeAll(shared.bytes.slice(sent, count));
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
