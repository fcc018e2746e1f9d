/** Two sockets that are connected, for tests of what goes between them. */
import { Epoll, EPOLLIN, EPOLLOUT, type NativeBuffer, Socket, WouldBlock } from "../../lib/io/mod.ts";

/** Waits until one of the events has come, or throws. */
export function ready(socket: Socket, events: number): number {
  using epoll = new Epoll({ maxEvents: 1 });
  epoll.add(socket.fd, events, 0);
  if (epoll.wait(10_000) !== 1) throw new Error("nothing was ready within 10 s");
  return epoll.events(0);
}

/** The connection that a listener has in its queue, or soon. */
export function accepted(listener: Socket): Socket {
  ready(listener, EPOLLIN);
  const socket = listener.accept();
  if (socket === WouldBlock) throw new Error("a listener was ready and had no connection");
  return socket;
}

export interface Pair extends Disposable {
  readonly client: Socket;
  readonly server: Socket;
}

/** A client and a server's end of one connection. */
export function pair(): Pair {
  using listener = Socket.listen({ hostname: "127.0.0.1", port: 0 });
  const client = Socket.connect(listener.localAddress);
  const server = accepted(listener);
  ready(client, EPOLLOUT);
  return {
    client,
    server,
    [Symbol.dispose]() {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}

/** Reads until `length` bytes are there, or the end. */
export function readAll(socket: Socket, buffer: NativeBuffer, length: number): Uint8Array {
  let count = 0;
  while (count < length) {
    ready(socket, EPOLLIN);
    const got = socket.read(buffer, count, length - count);
    if (got === 0) break;
    if (got !== WouldBlock) count += got;
  }
  return buffer.bytes.slice(0, count);
}
