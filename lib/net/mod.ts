/**
 * Sockets on the runtime of `/task`: what would block parks its task, and the reactor unparks it.
 *
 * Every call is made first and waited for only when the kernel says that it would block. Descriptors are
 * registered once, edge-triggered, for both directions; a read that gives less than it had room for is
 * taken as all there was, which saves the call that would have found nothing. `readBuffer` takes memory of a pool only
 * once there is something to read, so that who waits holds none, and `writeBuffer` sends it from there.
 *
 * @example
 * ```ts
 * import { TcpListener, TcpStream } from "@oxbow/oxbow/net";
 * import { type Coroutine, run, spawn } from "@oxbow/oxbow/task";
 *
 * function* echo(stream: TcpStream): Coroutine<void> {
 *   using connection = stream;
 *   for (;;) {
 *     using buffer = yield* connection.readBuffer();
 *     if (buffer === null) return;
 *     yield* connection.writeBuffer(buffer);
 *   }
 * }
 *
 * await run(async () => {
 *   using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
 *   using client = await TcpStream.connect(listener.address);
 *   const server = spawn(echo, (await listener.accept()).stream);
 *   await client.writeAll(new TextEncoder().encode("hello"));
 *   await client.shutdown();
 *   console.log(new TextDecoder().decode(await client.readToEnd({ limit: 100 }))); // hello
 *   await server;
 * });
 * ```
 *
 * Follows tokio's `net`, tcp(7), epoll(7).
 *
 * @module
 */
export type { ConnectOptions, KeepAlive, ListenOptions, NetAddress } from "../io/socket.ts";
export { LimitExceededError, UnexpectedEndError } from "./async_io/errors.ts";
export type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";
export { fromNodeDuplex, type NodeDuplexStream } from "./from_node_duplex.ts";
export { type NodeDuplexOptions, toNodeDuplex } from "./node_duplex.ts";
export type { PooledBuffer } from "./buffer_pool.ts";
export { ConnectError } from "./connect.ts";
export { type HostAddress, lookup, LookupError, type LookupOptions } from "./lookup.ts";
export type { ReadHalf, WriteHalf } from "./socket/halves.ts";
export type { FileBacked, SendFileOptions } from "./socket/send_file.ts";
export type { SocketStream } from "./socket_stream.ts";
export { type Accepted, TcpListener } from "./tcp_listener.ts";
export { type TcpConnectOptions, TcpStream } from "./tcp_stream.ts";
export { type Datagram, UdpSocket } from "./udp.ts";
export { UnixDatagram } from "./unix_datagram.ts";
export { type UnixAccepted, UnixListener, type UnixListenOptions } from "./unix_listener.ts";
export type { UnixPathOptions } from "./unix_path.ts";
export { UnixStream } from "./unix_stream.ts";
export { DatagramBatch } from "../io/datagram_batch.ts";
export type { DatagramOptions } from "../io/datagram_bind.ts";
export type { DatagramSocket } from "../io/datagram_socket.ts";
export type { IpOptions, NetInterface } from "../io/ip_options.ts";
export type { UnixAddress, UnixName } from "../io/unix_address.ts";
export type { UnixBindOptions } from "../io/unix_bind.ts";
export type { UnixDatagramSocket } from "../io/unix_datagram_socket.ts";
export type { UnixCredentials, UnixEnd, UnixMessage } from "../io/unix_end.ts";
export type { UnixSocket } from "../io/unix_socket.ts";
export type { HandleOptions } from "./unix_handle.ts";
