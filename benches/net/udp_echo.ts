/**
 * Our echo server of UDP: prints its port, and ends when its stdin does.
 *
 *     udp_echo.ts [--batch]
 *
 * takes one datagram a call, or as many as there are.
 */
import process from "node:process";
import { DatagramBatch, UdpSocket } from "../../lib/net/mod.ts";
import { type Coroutine, run } from "../../lib/task/mod.ts";

const SIZE = 2048;

function* echo(socket: UdpSocket): Coroutine<void> {
  const bytes = new Uint8Array(SIZE);
  for (;;) {
    const { length, address } = yield* socket.recvFrom(bytes);
    yield* socket.sendTo(bytes.subarray(0, length), address);
  }
}

function* echoBatches(socket: UdpSocket): Coroutine<void> {
  const batch = new DatagramBatch(64, SIZE);
  for (;;) {
    yield* socket.recvMany(batch);
    yield* socket.sendMany(batch);
  }
}

process.stdin.on("end", () => process.exit()).resume();
await run(function* (): Coroutine<void> {
  using socket = UdpSocket.bind({ hostname: "127.0.0.1", port: 0 });
  console.log(socket.localAddress.port);
  yield* process.argv[2] === "--batch" ? echoBatches(socket) : echo(socket);
}, { slowPoll: false });
