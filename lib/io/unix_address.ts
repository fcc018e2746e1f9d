import { requireAbstract, requireUnix } from "../../ffi/permissions.ts";
import { shown } from "./arguments.ts";

const AF_UNIX = 1;
/** sun_path, but for the NUL at a path's end or at the beginning of an abstract name. */
const LONGEST = 107;
/** sa_family. */
const FAMILY = 2;

/**
 * Where a socket of this machine is found: by a path, which is a file, or by an abstract name, which is none, has no
 * owner and goes with its socket. A name may have any bytes.
 */
export type UnixAddress = { readonly path: string } | { readonly abstract: string | Uint8Array };

/** What the kernel tells of a socket's address: neither path nor name where it has none. */
export interface UnixName {
  readonly path?: string;
  /** Bytes where it is no UTF-8. */
  readonly abstract?: string | Uint8Array<ArrayBuffer>;
}

const UNNAMED: UnixName = Object.freeze({});

/** As errors show an address: `@` and the name where it is abstract. */
export function unixText(address: UnixAddress): string {
  if ("path" in address) return address.path;
  const { abstract } = address;
  return `@${typeof abstract === "string" ? abstract : decode(abstract)}`;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/**
 * A copy, bytes and all: its getters are asked once, so that what Deno was asked for is what is used. Throws a
 * `TypeError` for what is neither a path nor a name.
 */
export function unixCopyOf(address: UnixAddress, what: string): UnixAddress {
  if (typeof address !== "object" || address === null || "path" in address === "abstract" in address) {
    throw new TypeError(`${what} ${shown(address)}: it is neither { path } nor { abstract }`);
  }
  if ("path" in address) return Object.freeze({ path: address.path });
  const { abstract } = address;
  return Object.freeze({ abstract: abstract instanceof Uint8Array ? new Uint8Array(abstract) : abstract });
}

/** `struct sockaddr_un`. Throws a `TypeError` or `RangeError` for what is no address, and Deno's `NotCapable`. */
export function unixBytes(address: UnixAddress, what: string): Uint8Array<ArrayBuffer> {
  const own = unixCopyOf(address, what);
  const bytes = bytesOf(own, what);
  if ("path" in own) requireUnix(own.path);
  else requireAbstract(unixText(own));
  return bytes;
}

/** As `unixBytes`, without Deno's permissions: whether it is an address at all. */
export function checkedBytes(address: UnixAddress, what: string): Uint8Array<ArrayBuffer> {
  return bytesOf(unixCopyOf(address, what), what);
}

function bytesOf(address: UnixAddress, what: string): Uint8Array<ArrayBuffer> {
  return "path" in address ? pathBytes(address.path, what) : abstractBytes(address.abstract, what);
}

function pathBytes(path: string, what: string): Uint8Array<ArrayBuffer> {
  if (typeof path !== "string") throw new TypeError(`${what} ${shown(path)}: path is no string`);
  const text = new TextEncoder().encode(path);
  if (text.length < 1 || text.length > LONGEST || text.includes(0)) {
    throw new RangeError(`${what} ${path}: path is no text of 1 to ${LONGEST} bytes without a NUL`);
  }
  return placed(text, 0, 1);
}

function abstractBytes(name: string | Uint8Array, what: string): Uint8Array<ArrayBuffer> {
  if (typeof name !== "string" && !(name instanceof Uint8Array)) {
    throw new TypeError(`${what} ${shown(name)}: abstract is no string and no Uint8Array`);
  }
  const text = typeof name === "string" ? new TextEncoder().encode(name) : name;
  if (text.length < 1 || text.length > LONGEST) {
    throw new RangeError(`${what} @${decode(text)}: its name is no text of 1 to ${LONGEST} bytes`);
  }
  return placed(text, 1, 0);
}

/** The text with so many NULs before and after it. */
function placed(text: Uint8Array, before: number, after: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FAMILY + before + text.length + after);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(text, FAMILY + before);
  return bytes;
}

/** What a `struct sockaddr_un` of that many bytes names. */
export function unixNameOf(bytes: Uint8Array): UnixName {
  if (bytes.length <= FAMILY) return UNNAMED;
  if (bytes[FAMILY] === 0) {
    const name = bytes.slice(FAMILY + 1);
    const text = decode(name);
    const encoded = new TextEncoder().encode(text);
    const isText = encoded.length === name.length && encoded.every((byte, i) => byte === name[i]);
    return Object.freeze({ abstract: isText ? text : name });
  }
  const end = bytes.indexOf(0, FAMILY);
  return Object.freeze({ path: decode(bytes.subarray(FAMILY, end === -1 ? bytes.length : end)) });
}
