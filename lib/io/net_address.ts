import { AF_INET, AF_INET6, SocketAddress } from "../../ffi/layout/socket_address.ts";
import { shown } from "./arguments.ts";

/** A numeric address and a port. */
export interface NetAddress {
  readonly hostname: string;
  readonly port: number;
}

/** Throws a `TypeError` or a `RangeError` where it is no numeric address; `what` is what the error says was tried. */
export function checkedAddress(address: NetAddress, what: string): SocketAddress {
  if (typeof address !== "object" || address === null) {
    throw new TypeError(`cannot ${what} ${shown(address)}: address is no object`);
  }
  const { hostname, port } = address;
  if (typeof hostname !== "string") {
    throw new TypeError(`cannot ${what} ${shown(hostname)}: hostname is no string`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(
      `cannot ${what} ${hostname}: port is ${port}, not an integer from 0 to 65535`,
    );
  }
  return SocketAddress.of(hostname, port);
}

/** As it is written. */
export function textOf({ hostname, port }: NetAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** What the kernel has told. Throws a `TypeError` where it is no address of IP. */
export function addressOf(raw: SocketAddress): NetAddress {
  if (raw.family !== AF_INET && raw.family !== AF_INET6) {
    throw new TypeError(`cannot read a socket's address: its family is ${raw.family}, not IPv4 or IPv6`);
  }
  return { hostname: raw.hostname, port: raw.port };
}
