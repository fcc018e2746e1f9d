/** Numeric addresses with the interface whose link they are of: `fe80::1%eth0` or `fe80::1%3`, RFC 4007 11.2. */
import { interfaceNumber } from "../interfaces.ts";
import { parseIpv4, parseIpv6 } from "./ip_address.ts";

/** `sin6_scope_id` is 32 bits. */
const LARGEST_SCOPE = 0xffffffff;
/** IFNAMSIZ, without the NUL. */
const LONGEST_NAME = 15;

/** An address as the kernel has it. */
export interface NumericAddress {
  /** 4, or 16. */
  readonly bytes: readonly number[];
  /** The number of its interface, 0 where none is said. */
  readonly scope: number;
}

/** What is before the `%`, and what is behind it. */
function split(text: string): [address: string, zone: string | undefined] {
  const at = text.indexOf("%");
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The address without its interface; of text that is no IPv6 address all of it. */
export function withoutScope(text: string): string {
  const [address] = split(text);
  return parseIpv6(address) === undefined ? text : address;
}

/** 4 or 6, or `undefined` for what is to be looked up. Whether there is such an interface is not asked. */
export function familyOf(text: string): 4 | 6 | undefined {
  if (parseIpv4(text) !== undefined) return 4;
  return parseIpv6(withoutScope(text)) === undefined ? undefined : 6;
}

/** Whether the interface is told by its name, whose number may be another one later. */
export function hasNamedScope(text: string): boolean {
  const [, zone] = split(text);
  return zone !== undefined && !/^\d+$/.test(zone);
}

/** What the kernel names an interface: dev_valid_name(). */
function isZone(zone: string): boolean {
  if (/^\d+$/.test(zone)) return Number(zone) <= LARGEST_SCOPE;
  const length = new TextEncoder().encode(zone).length;
  return length > 0 && length <= LONGEST_NAME && !/[\0/%\s]/.test(zone);
}

/** The address's bytes and its zone, which need not be there. Throws a `TypeError` for what is no numeric address. */
export function checkedAddress(text: string): { bytes: readonly number[]; zone: string | undefined } {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return { bytes: v4, zone: undefined };
  const [address, zone] = split(text);
  const bytes = parseIpv6(address);
  if (bytes !== undefined && (zone === undefined || isZone(zone))) return { bytes, zone };
  throw new TypeError(
    `cannot use ${JSON.stringify(text)} as an address: it is not a numeric IPv4 or IPv6 one`,
  );
}

/** Throws as `checkedAddress` does, and a `SystemError`, `ENODEV`, for an unknown interface. */
export function parseAddress(text: string): NumericAddress {
  const { bytes, zone } = checkedAddress(text);
  if (zone === undefined) return { bytes, scope: 0 };
  return { bytes, scope: /^\d+$/.test(zone) ? Number(zone) : interfaceNumber(zone) };
}
