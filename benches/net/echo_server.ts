/** Our echo server: prints its port, and ends when its stdin does. */
import process from "node:process";
import { TcpListener, type TcpStream } from "../../lib/net/mod.ts";
import { type Coroutine, run, spawn } from "../../lib/task/mod.ts";

const BUFFER_BYTES = 16 * 1024;

function* echo(stream: TcpStream): Coroutine<void> {
  using connection = stream;
  const bytes = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const count = yield* connection.read(bytes);
    if (count === 0) return;
    yield* connection.writeAll(bytes.subarray(0, count));
  }
}

process.stdin.on("end", () => process.exit()).resume();
await run(function* (): Coroutine<void> {
  using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 }, { noDelay: true, backlog: 4096 });
  console.log(listener.address.port);
  for (;;) {
    const { stream } = yield* listener.accept();
    spawn(echo, stream);
  }
}, { slowPoll: false });
