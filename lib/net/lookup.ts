import { lookup as lookupByHost } from "node:dns/promises";
import { familyOf } from "../../ffi/layout/numeric_address.ts";
import { requireNet } from "../../ffi/permissions.ts";
import { requireNames, shown } from "../io/arguments.ts";
import type { Future } from "../task/future.ts";
import { failed, ready } from "../task/futures/ready.ts";
import { fromPromise } from "../task/promise.ts";

/** One of the addresses that a name has. */
export interface HostAddress {
  /** Numeric. */
  readonly hostname: string;
  readonly family: 4 | 6;
}

/** How a name is looked up. */
export interface LookupOptions {
  /** IPv4 or IPv6 addresses alone. */
  family?: 4 | 6;
  /** The wait ends where it is aborted. */
  signal?: AbortSignal;
}

/** A name that has no address, or that nobody could tell it of. */
export class LookupError extends Error {
  override readonly name = "LookupError";
  readonly hostname: string;
  /** What getaddrinfo(3) has said: `"ENOTFOUND"`, `"EAI_AGAIN"`. */
  readonly code: string;

  constructor(hostname: string, cause: unknown) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "ENOTFOUND";
    super(`cannot look up ${shown(hostname)}: ${code}`, { cause });
    this.hostname = hostname;
    this.code = code;
  }
}

/**
 * The addresses of a name, as the host's resolver has them, in its order: a thread of the host's asks, and no other
 * task waits for that. A numeric address is its own, and `localhost` is 127.0.0.1 and ::1, which no resolver is asked. On
 * Deno a name asks for the permission of all its ports. Fails with a `LookupError`, and with Deno's `NotCapable`.
 *
 * @example
 * ```ts
 * import { lookup } from "@oxbow/oxbow/net";
 *
 * const [first] = await lookup("127.0.0.1");
 * console.log(first.hostname, first.family); // 127.0.0.1 4
 * ```
 */
export function lookup(hostname: string, options: LookupOptions = {}): Future<readonly HostAddress[]> {
  const what = `cannot look up ${shown(hostname)}`;
  if (typeof hostname !== "string") throw new TypeError(`${what}: hostname is no string`);
  if (hostname === "") throw new TypeError(`${what}: hostname is empty`);
  requireNames(what, "options are", options, ["family", "signal"]);
  const { family, signal } = options;
  if (family !== undefined && family !== 4 && family !== 6) {
    throw new RangeError(`${what}: family is ${shown(family)}, neither 4 nor 6`);
  }
  const known = knownOf(hostname);
  let found: Future<readonly HostAddress[]>;
  if (known === undefined) found = fromPromise(() => ask(hostname, family));
  else {
    const wanted = known.filter((address) => family === undefined || address.family === family);
    found = wanted.length > 0 ? ready(wanted) : failed(new LookupError(hostname, undefined));
  }
  return signal === undefined ? found : found.abortable(signal);
}

/** What nobody has to be asked: an address itself, and this machine, RFC 6761 6.3. */
function knownOf(hostname: string): HostAddress[] | undefined {
  if (hostname.toLowerCase() === "localhost") {
    return [{ hostname: "127.0.0.1", family: 4 }, { hostname: "::1", family: 6 }];
  }
  const family = familyOf(hostname);
  return family === undefined ? undefined : [{ hostname, family }];
}

async function ask(hostname: string, family: 4 | 6 | undefined): Promise<readonly HostAddress[]> {
  requireNet(hostname);
  const options = { all: true as const, family: family ?? 0 };
  let found;
  try {
    found = await lookupByHost(hostname, options);
  } catch (cause) {
    throw new LookupError(hostname, cause);
  }
  const addresses = found.map(({ address, family }): HostAddress => ({
    hostname: address,
    family: family === 6 ? 6 : 4,
  }));
  if (addresses.length === 0) throw new LookupError(hostname, undefined);
  return addresses;
}
