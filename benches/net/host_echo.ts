/** An echo server of the host's own: prints its port, and ends when its stdin does. */
import { createServer } from "node:net";
import process from "node:process";

interface BunSocket {
  data: Unsent;
  write(bytes: Uint8Array): number;
  end(): void;
}

interface Unsent {
  bytes: Uint8Array;
  /** The client has sent its last byte. */
  hasEnded: boolean;
}

interface BunListen {
  listen(options: {
    hostname: string;
    port: number;
    allowHalfOpen: boolean;
    socket: Record<"open" | "drain" | "end", (socket: BunSocket) => void> & {
      data(socket: BunSocket, bytes: Uint8Array): void;
    };
  }): { port: number };
}

declare const Bun: BunListen;

const hostname = "127.0.0.1";
const BUFFER_BYTES = 16 * 1024;
const NOTHING = new Uint8Array();

function send(socket: BunSocket, bytes: Uint8Array): void {
  const sent = bytes.length === 0 ? 0 : Math.max(0, socket.write(bytes));
  // Bun uses the bytes again once the callback has returned.
  socket.data.bytes = sent < bytes.length ? bytes.slice(sent) : NOTHING;
  if (socket.data.hasEnded && socket.data.bytes.length === 0) socket.end();
}

function listenOnBun(): number {
  return Bun.listen({
    hostname,
    port: 0,
    allowHalfOpen: true,
    socket: {
      open(socket) {
        socket.data = { bytes: NOTHING, hasEnded: false };
      },
      data(socket, bytes) {
        const { bytes: unsent } = socket.data;
        send(socket, unsent.length === 0 ? bytes : Uint8Array.of(...unsent, ...bytes));
      },
      drain(socket) {
        send(socket, socket.data.bytes);
      },
      end(socket) {
        socket.data.hasEnded = true;
        send(socket, socket.data.bytes);
      },
    },
  }).port;
}

async function echoOnDeno(connection: Deno.TcpConn): Promise<void> {
  using stream = connection;
  stream.setNoDelay(true);
  const bytes = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const count = await stream.read(bytes);
    if (count === null) return;
    for (let sent = 0; sent < count;) sent += await stream.write(bytes.subarray(sent, count));
  }
}

async function listenOnDeno(): Promise<void> {
  const listener = Deno.listen({ hostname, port: 0 });
  console.log(listener.addr.port);
  // A client that goes away in the middle of a message is its own affair.
  for await (const connection of listener) echoOnDeno(connection).catch(() => {});
}

function listenOnNode(): void {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen({ host: hostname, port: 0, backlog: 4096 }, () => {
    const address = server.address();
    if (typeof address === "object") console.log(address?.port);
  });
}

process.stdin.on("end", () => process.exit()).resume();
switch (process.argv[2]) {
  case "Bun.listen":
    console.log(listenOnBun());
    break;
  case "Deno.listen":
    await listenOnDeno();
    break;
  case "node:net":
    listenOnNode();
}
