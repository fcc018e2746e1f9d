import { AF_INET, AF_INET6, type SocketAddress } from "../../ffi/layout/socket_address.ts";
import { shown } from "./arguments.ts";

/** A numeric address and a port. One of a link has `%` and its interface behind it: `fe80::1%eth0`, or its number. */
export interface NetAddress {
  readonly hostname: string;
  readonly port: number;
}

/** The address itself. Throws a `TypeError` where it is no object. */
export function requireObject(address: NetAddress): NetAddress {
  if (typeof address === "object" && address !== null) return address;
  throw new TypeError("cannot use what is no object as an address");
}

/**
 * A copy of what was checked: its getters are asked once, so that what Deno was asked for is what is used. Throws a
 * `TypeError` or a `RangeError` where it is no text with a port; `verb` is what the error says was tried.
 */
export function copyOf(address: NetAddress, verb: string): NetAddress {
  const what = `cannot ${verb}`;
  if (typeof address !== "object" || address === null) {
    throw new TypeError(`${what} ${shown(address)}: address is no object`);
  }
  const { hostname, port } = address;
  if (typeof hostname !== "string") throw new TypeError(`${what} ${shown(hostname)}: hostname is no string`);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`${what} ${hostname}: port is ${shown(port)}, not an integer from 0 to 65535`);
  }
  return { hostname, port };
}

/** As errors show it. */
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
