/**
 * The C structs that Oxbow reads and writes, byte by byte, on Linux x86-64 with glibc. Each is a small
 * object over one buffer whose address is known, so that no call converts anything.
 */
import { pointerTo } from "./pointer.ts";
import type { Pointer } from "./types.ts";

/** `struct stat`, as far as it is read: sys/stat.h. */
export class Stat {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(144);
  #data: DataView = new DataView(this.bytes.buffer);

  get device(): bigint {
    return this.#data.getBigUint64(0, true);
  }

  get inode(): bigint {
    return this.#data.getBigUint64(8, true);
  }

  /** The file's type: `S_IFMT` of `st_mode`. */
  get type(): number {
    return this.#data.getUint32(24, true) & 0o170000;
  }

  get size(): number {
    return Number(this.#data.getBigInt64(48, true));
  }
}

/** `S_IFMT`'s values: inode(7). */
export const FileType = {
  socket: 0o140000,
  symlink: 0o120000,
  regular: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
} as const;

/** An array of `struct epoll_event`, packed on x86-64: 4 bytes of events, 8 of data. */
export class EpollEvents {
  readonly capacity: number;
  readonly pointer: Pointer;
  /** Three to an event: the events, and the data's two halves. */
  #words: Int32Array<ArrayBuffer>;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#words = new Int32Array(3 * capacity);
    this.pointer = pointerTo(this.#words);
  }

  events(i: number): number {
    return this.#words[3 * i];
  }

  /** The data as an integer of 53 bits. */
  token(i: number): number {
    return (this.#words[3 * i + 1] >>> 0) + this.#words[3 * i + 2] * 0x1_0000_0000;
  }

  set(i: number, events: number, token: number): void {
    this.#words[3 * i] = events;
    this.#words[3 * i + 1] = token | 0;
    this.#words[3 * i + 2] = Math.floor(token / 0x1_0000_0000);
  }
}

/** sys/socket.h. */
export const AF_INET = 2;
/** sys/socket.h. */
export const AF_INET6 = 10;

/** `struct sockaddr_storage`: `sockaddr_in` or `sockaddr_in6` in 128 bytes, and its `socklen_t`. */
export class SocketAddress {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(128);
  readonly length: Uint32Array<ArrayBuffer> = new Uint32Array([128]);
  #data: DataView = new DataView(this.bytes.buffer);

  /** `hostname` is a numeric address. Throws a `TypeError` where it is none. */
  static of(hostname: string, port: number): SocketAddress {
    const address = new SocketAddress();
    const v4 = parseIpv4(hostname);
    const bytes = v4 ?? parseIpv6(hostname);
    if (bytes === undefined) {
      throw new TypeError(
        `cannot use ${JSON.stringify(hostname)} as an address: it is not a numeric IPv4 or IPv6 one`,
      );
    }
    address.#data.setUint16(0, v4 === undefined ? AF_INET6 : AF_INET, true);
    address.#data.setUint16(2, port);
    address.bytes.set(bytes, v4 === undefined ? 8 : 4);
    address.length[0] = v4 === undefined ? 28 : 16;
    return address;
  }

  get family(): number {
    return this.#data.getUint16(0, true);
  }

  get port(): number {
    return this.#data.getUint16(2);
  }

  get hostname(): string {
    if (this.family === AF_INET) return this.bytes.subarray(4, 8).join(".");
    return formatIpv6(this.bytes.subarray(8, 24));
  }
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** `last` where the address ends with these groups, and may do so with an IPv4 one. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const v4 = last && i === groups.length - 1 ? parseIpv4(group) : undefined;
    if (v4 !== undefined) {
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return bytes;
}

function parseIpv6(text: string): number[] | undefined {
  const [before, after, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const head = parseGroups(before, after === undefined);
  if (head === undefined) return undefined;
  if (after === undefined) return head.length === 16 ? head : undefined;
  const tail = parseGroups(after, true);
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

/** RFC 5952: the longest run of zero groups is left out, and a mapped IPv4 address is told as one. */
function formatIpv6(bytes: Uint8Array): string {
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 &&
    bytes[11] === 255;
  if (isMapped) return `::ffff:${bytes.subarray(12, 16).join(".")}`;
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] << 8) | bytes[i + 1]).toString(16));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === "0") end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  if (start === -1) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}
