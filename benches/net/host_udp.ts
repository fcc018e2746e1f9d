/** An echo server of UDP of the host's own: prints its port, and ends when its stdin does. */
import { createSocket } from "node:dgram";
import process from "node:process";

interface BunUdp {
  udpSocket(options: {
    hostname: string;
    port: number;
    socket: {
      data(socket: BunUdpSocket, bytes: Uint8Array, port: number, hostname: string): void;
    };
  }): Promise<BunUdpSocket>;
}

interface BunUdpSocket {
  readonly port: number;
  send(bytes: Uint8Array, port: number, hostname: string): boolean;
}

declare const Bun: BunUdp;

const hostname = "127.0.0.1";

async function listenOnBun(): Promise<void> {
  const { port } = await Bun.udpSocket({
    hostname,
    port: 0,
    socket: {
      data(socket, bytes, port, from) {
        socket.send(bytes, port, from);
      },
    },
  });
  console.log(port);
}

async function listenOnDeno(): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  if (socket.addr.transport === "udp") console.log(socket.addr.port);
  const bytes = new Uint8Array(2048);
  for (;;) {
    const [received, from] = await socket.receive(bytes);
    await socket.send(received, from);
  }
}

function listenOnNode(): void {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address));
  socket.bind(0, hostname, () => console.log(socket.address().port));
}

process.stdin.on("end", () => process.exit()).resume();
switch (process.argv[2]) {
  case "Bun.udpSocket":
    await listenOnBun();
    break;
  case "Deno.listenDatagram":
    await listenOnDeno();
    break;
  case "node:dgram":
    listenOnNode();
}
