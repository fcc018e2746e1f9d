/**
 * Sends every byte back: a task for each connection, which reads like one that blocks.
 *
 *     deno run -A examples/net/echo.ts [PORT]
 *     bun examples/net/echo.ts [PORT]
 *     node examples/net/echo.ts [PORT]
 *
 * A client that has sent its last byte gets the rest before the connection closes. SIGINT and SIGTERM close what is
 * open, and the program ends by itself.
 */
import process from "node:process";
import { SystemError } from "../../ffi/mod.ts";
import { TcpListener, type TcpStream } from "../../lib/net/mod.ts";
import { type Coroutine, race, run, Scope, shutdownSignal } from "../../lib/task/mod.ts";

const BUFFER_BYTES = 16 * 1024;

function* echo(stream: TcpStream): Coroutine<void> {
  // Closed however this ends: at the client's end, by an error, or because the task is dropped where it waits.
  using connection = stream;
  const bytes = new Uint8Array(BUFFER_BYTES);
  try {
    for (;;) {
      const count = yield* connection.read(bytes);
      if (count === 0) return;
      // A client that does not read is not read from: what is kept for it is this one buffer.
      yield* connection.writeAll(bytes.subarray(0, count));
    }
  } catch (error) {
    // It has gone in the middle of a message, which ends nobody else's.
    if (!(error instanceof SystemError)) throw error;
    console.error(error.message);
  }
}

function* accept(listener: TcpListener, clients: Scope): Coroutine<never> {
  console.log(`echoing on 127.0.0.1:${listener.address.port}`);
  for (;;) {
    const { stream } = yield* listener.accept();
    clients.spawn(echo, stream);
  }
}

await run(function* (): Coroutine<void> {
  using clients = new Scope();
  using listener = TcpListener.bind({ hostname: "127.0.0.1", port: Number(process.argv[2] ?? 0) });
  yield* race<unknown>([shutdownSignal(), accept(listener, clients)]);
});
