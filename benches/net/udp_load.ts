/**
 * Loads an echo server of UDP: sends so many datagrams at once, waits for all of them to come back, and looks at each.
 *
 *     udp_load.ts PORT PID WINDOW SECONDS
 *
 * prints datagrams a second and the server's CPU for one, in microseconds.
 */
import process from "node:process";
import { cpuOf } from "../../examples/load/usage.ts";
import { DatagramBatch, UdpSocket } from "../../lib/net/mod.ts";
import { type Coroutine, run, timeout } from "../../lib/task/mod.ts";

const BYTES = 64;
const PATIENCE_MS = 5_000;

const [port, pid, window, seconds] = process.argv.slice(2).map(Number);

/** One window of datagrams, there and back. Throws where one is lost, comes twice or is another. */
function* round(
  socket: UdpSocket,
  sent: DatagramBatch,
  received: DatagramBatch,
  first: number,
): Coroutine<void> {
  for (let i = 0; i < window; i++) {
    const bytes = sent.slot(i);
    for (let byte = 0; byte < 4; byte++) bytes[byte] = (first + i) >>> (24 - 8 * byte);
  }
  yield* socket.sendMany(sent);
  for (let came = 0; came < window; came += received.length) {
    yield* timeout(PATIENCE_MS, socket.recvMany(received));
    for (let i = 0; i < received.length; i++) {
      const bytes = received.slot(i);
      const number = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
      if (received.byteLength(i) !== BYTES || number !== first + came + i || bytes[BYTES - 1] !== 7) {
        throw new Error(
          `datagram ${first + came + i} came back as ${number} of ${received.byteLength(i)} bytes`,
        );
      }
    }
  }
}

function* load(socket: UdpSocket, ms: number): Coroutine<number> {
  const sent = new DatagramBatch(window, BYTES);
  const received = new DatagramBatch(window, BYTES);
  for (let i = 0; i < window; i++) sent.push(new Uint8Array(BYTES).fill(7));
  let count = 0;
  for (const end = performance.now() + ms; performance.now() < end; count += window) {
    yield* round(socket, sent, received, count);
  }
  return count;
}

await run(function* (): Coroutine<void> {
  using socket = UdpSocket.bind({ hostname: "127.0.0.1", port: 0 });
  socket.connect({ hostname: "127.0.0.1", port });
  yield* load(socket, 250 * seconds);
  const before = cpuOf(pid);
  const start = performance.now();
  const count = yield* load(socket, 1000 * seconds);
  const elapsed = performance.now() - start;
  const after = cpuOf(pid);
  const used = after.userSeconds + after.systemSeconds - before.userSeconds - before.systemSeconds;
  console.log(JSON.stringify({ perSecond: 1000 * count / elapsed, cpu: 1e6 * used / count }));
}, { slowPoll: false });
