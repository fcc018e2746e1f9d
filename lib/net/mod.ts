/**
 * Sockets on the runtime of `/task`: what would block parks its task, and the reactor unparks it.
 *
 * Every call is made first and waited for only when the kernel says that it would block. Descriptors are
 * registered once, edge-triggered, for both directions; a read that gives less than it had room for is
 * taken as all there was, which saves the call that would have found nothing.
 *
 * @example
 * ```ts
 * import { TcpListener, TcpStream } from "@oxbow/oxbow/net";
 * import { type Coroutine, run, spawn } from "@oxbow/oxbow/task";
 *
 * function* echo(stream: TcpStream): Coroutine<void> {
 *   using connection = stream;
 *   const bytes = new Uint8Array(4096);
 *   for (;;) {
 *     const count = yield* connection.read(bytes);
 *     if (count === 0) return;
 *     yield* connection.writeAll(bytes.subarray(0, count));
 *   }
 * }
 *
 * await run(async () => {
 *   using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
 *   using client = await TcpStream.connect(listener.address);
 *   const server = spawn(echo, (await listener.accept()).stream);
 *   await client.writeAll(new TextEncoder().encode("hello"));
 *   await client.shutdown();
 *   const answer = new Uint8Array(16);
 *   const count = await client.read(answer);
 *   console.log(new TextDecoder().decode(answer.subarray(0, count))); // hello
 *   await server;
 * });
 * ```
 *
 * Follows tokio's `net`, tcp(7), epoll(7).
 *
 * @module
 */
export type { ListenOptions, NetAddress } from "../io/socket.ts";
export type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";
export type { SocketStream } from "./socket_stream.ts";
export { type Accepted, TcpListener } from "./tcp_listener.ts";
export { TcpStream } from "./tcp_stream.ts";
