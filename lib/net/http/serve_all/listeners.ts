import { Socket } from "../../../io/socket.ts";
import { setOption } from "../../../io/tcp_options.ts";
import type { NetAddress } from "../../mod.ts";

const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;

/**
 * So many sockets that listen on the same port, where port 0 has the kernel choose it. The first one takes it for itself
 * alone, so that a port that somebody else listens on is told; it shares it with the others only then, at which Linux
 * makes a group of them. Throws a `SystemError`: `EADDRINUSE`.
 */
export function openListeners({ hostname, port }: NetAddress, count: number): Socket[] {
  using opened = new DisposableStack();
  const first = opened.use(Socket.listen({ hostname, port }, { noDelay: true }));
  const sockets = [first];
  if (count > 1) setOption(first.fd, SOL_SOCKET, SO_REUSEPORT, 1);
  const at = { hostname, port: first.localAddress.port };
  while (sockets.length < count) {
    sockets.push(opened.use(Socket.listen(at, { noDelay: true, reusePort: true })));
  }
  opened.move();
  return sockets;
}
