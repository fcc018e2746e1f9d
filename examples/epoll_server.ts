/**
 * The program of epoll(7), which echoes: one thread, any number of connections, edge-triggered. What the manual page
 * asks for is here by itself or in a line of its own: the listener and the connections do not block, a connection is
 * read and written until it says `WouldBlock`, ten events are taken at a time.
 *
 *     deno run -A examples/epoll_server.ts [PORT]
 *     bun examples/epoll_server.ts [PORT]
 *     node examples/epoll_server.ts [PORT]
 */
import process from "node:process";
import { Epoll, EPOLLET, EPOLLIN, EPOLLOUT, NativeBuffer, Socket, WouldBlock } from "../lib/io/mod.ts";

const MAX_EVENTS = 10;
const LISTENER = 0;

/** One peer, and what it has sent and not got back yet. */
class Connection {
  readonly socket: Socket;
  #buffer: NativeBuffer = new NativeBuffer(4096);
  #start = 0;
  #end = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Echoes until it would block, either way; `false` at the end of what the peer sends. */
  use(): boolean {
    for (;;) {
      while (this.#start < this.#end) {
        const count = this.socket.write(this.#buffer, this.#start, this.#end - this.#start);
        if (count === WouldBlock) return true;
        this.#start += count;
      }
      const count = this.socket.read(this.#buffer);
      if (count === WouldBlock) return true;
      if (count === 0) return false;
      this.#start = 0;
      this.#end = count;
    }
  }
}

/** `use`, where a peer that has gone is the end, too. */
function useUntilGone(connection: Connection): boolean {
  try {
    return connection.use();
  } catch (error) {
    console.error(String(error));
    return false;
  }
}

using listener = Socket.listen({ hostname: "127.0.0.1", port: Number(process.argv[2] ?? 0) });
using epoll = new Epoll({ maxEvents: MAX_EVENTS });
const connections = new Map<number, Connection>();
let lastToken = LISTENER;

epoll.add(listener.fd, EPOLLIN, LISTENER);
console.log(`echoing on 127.0.0.1:${listener.localAddress.port}`);

for (;;) {
  const count = epoll.wait();
  for (let n = 0; n < count; n++) {
    const token = epoll.token(n);
    if (token === LISTENER) {
      const socket = listener.accept();
      // It may be gone again: then there is nobody to wait for here.
      if (socket === WouldBlock) continue;
      // Never the number of a connection that was, whose event might be on its way.
      connections.set(++lastToken, new Connection(socket));
      epoll.add(socket.fd, EPOLLIN | EPOLLOUT | EPOLLET, lastToken);
      continue;
    }
    const connection = connections.get(token);
    if (connection === undefined || useUntilGone(connection)) continue;
    connections.delete(token);
    connection.socket.fd.close();
  }
}
