import { check, libc } from "../../ffi/mod.ts";
import { NetAddresses } from "../../ffi/layout/net_addresses.ts";
import { AF_INET6 } from "../../ffi/layout/socket_address.ts";
import type { refuseDeniedNet } from "../../ffi/permissions.ts";
import { requireFlag, requireNames } from "./arguments.ts";
import { Fd, numberOf } from "./fd.ts";
import { type NetAddress, requireObject, textOf } from "./net_address.ts";

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BROADCAST = 6;
const SO_REUSEPORT = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** How `DatagramSocket.bind` opens its port: socket(7), ipv6(7). */
export interface DatagramOptions {
  /** Others that say the same may have the port, too: for a group's members. The last of them gets what is sent to one. */
  reuseAddress?: boolean;
  /** Others of the same user that say the same may have the port, too: the kernel shares the senders out. */
  reusePort?: boolean;
  /** Datagrams to broadcast addresses may be sent. */
  broadcast?: boolean;
  /** Shuts IPv4 out of a socket of IPv6, which otherwise has it as `::ffff:127.0.0.1`. */
  ipv6Only?: boolean;
}

const NAMES: readonly string[] = [
  "reuseAddress",
  "reusePort",
  "broadcast",
  "ipv6Only",
] satisfies (keyof DatagramOptions)[];

/** A socket of UDP that is bound, non-blocking; `ask` is what Deno is asked by. */
export function bindDatagram(
  address: NetAddress,
  options: DatagramOptions,
  ask: typeof refuseDeniedNet,
): { fd: Fd; family: number } {
  requireNames("cannot bind", "options are", options, NAMES);
  const { reuseAddress = false, reusePort = false, broadcast = false, ipv6Only } = options;
  for (const [name, value] of Object.entries({ reuseAddress, reusePort, broadcast, ipv6Only })) {
    requireFlag("cannot bind", name, value);
  }
  const { hostname, port } = requireObject(address);
  const path = textOf({ hostname, port });
  const addresses = new NetAddresses(1);
  addresses.set(0, hostname, port);
  ask(hostname, port);
  const family = addresses.family(0);
  if (ipv6Only !== undefined && family !== AF_INET6) {
    throw new TypeError(`cannot bind to ${path}: ipv6Only goes with an IPv6 address`);
  }
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = Fd.unsafeOwn(check(libc().socket(family, type, 0), "socket"));
  try {
    if (reuseAddress) setFlag(fd, SOL_SOCKET, SO_REUSEADDR, true);
    if (reusePort) setFlag(fd, SOL_SOCKET, SO_REUSEPORT, true);
    if (ipv6Only !== undefined) setFlag(fd, IPPROTO_IPV6, IPV6_V6ONLY, ipv6Only);
    if (broadcast) setFlag(fd, SOL_SOCKET, SO_BROADCAST, true);
    check(libc().bind(numberOf(fd), addresses.bytes(0), addresses.length(0)), "bind", { path });
    return { fd, family };
  } catch (error) {
    fd.close();
    throw error;
  }
}

function setFlag(fd: Fd, level: number, name: number, on: boolean): void {
  check(libc().setsockopt(numberOf(fd), level, name, Int32Array.of(on ? 1 : 0), 4), "setsockopt");
}
