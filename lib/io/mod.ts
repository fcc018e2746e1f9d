/**
 * The kernel's interfaces, thin and synchronous: descriptors, sockets, epoll. Nothing here waits but
 * `Epoll.wait`; what would block says `WouldBlock`. The runtime of `/task` stands on it, and the man page's
 * epoll program can be written with it.
 *
 * @example
 * ```ts
 * import { Epoll, EPOLLIN, Socket } from "@oxbow/oxbow/io";
 *
 * using listener = Socket.listen({ hostname: "127.0.0.1", port: 0 });
 * using client = Socket.connect(listener.localAddress);
 * using epoll = new Epoll();
 * epoll.add(listener.fd, EPOLLIN, 7);
 * console.log(epoll.wait(1000), epoll.token(0)); // 1 7
 * console.log(client.fd.isClosed); // false
 * ```
 *
 * Follows epoll(7), socket(7), tcp(7), udp(7), unix(7), open(2).
 *
 * @module
 */
export * from "./epoll.ts";
export { DatagramBatch } from "./datagram_batch.ts";
export type { DatagramOptions } from "./datagram_bind.ts";
export { DatagramSocket } from "./datagram_socket.ts";
export { EventFd, type EventFdOptions } from "./event_fd.ts";
export { Fd, type FileStatus, type OpenOptions, WouldBlock } from "./fd.ts";
export * from "./inotify.ts";
export { IpOptions, type NetInterface } from "./ip_options.ts";
export { type ExitStatus, PidFd } from "./pid_fd.ts";
export { pipe } from "./pipe.ts";
export { SignalFd, type SignalInfo } from "./signal_fd.ts";
export type { Signal, StandardSignal } from "./signals.ts";
export {
  type ConnectOptions,
  type KeepAlive,
  type ListenOptions,
  type NetAddress,
  Socket,
} from "./socket.ts";
export type { TcpOptions } from "./tcp_options.ts";
export { type TimerClock, TimerFd, type TimerSettings } from "./timer_fd.ts";
export type { UnixAddress, UnixName } from "./unix_address.ts";
export type { UnixBindOptions } from "./unix_bind.ts";
export { UnixDatagramSocket } from "./unix_datagram_socket.ts";
export { type UnixCredentials, UnixEnd, type UnixMessage } from "./unix_end.ts";
export { UnixSocket } from "./unix_socket.ts";
export { NativeBuffer } from "../../ffi/native_buffer.ts";
