/**
 * Addresses of datagrams, in memory whose address is known: `struct sockaddr_in` and `sockaddr_in6`, in 32 bytes each
 * with their `socklen_t`. What is read and written again, as an address that is answered is, becomes no text twice.
 */
import { NativeBuffer } from "../native_buffer.ts";
import type { Pointer } from "../types.ts";
import { formatIpv6 } from "./ip_address.ts";
import { sockaddr_in, sockaddr_in6 } from "./linux.ts";
import { hasNamedScope, parseAddress } from "./numeric_address.ts";
import { AF_INET, AF_INET6 } from "./socket_address.ts";

const STRIDE = 32;
const WORDS = STRIDE / 4;
/** Of an address; the next four bytes are its `socklen_t`. */
const LENGTH = 28;
/** Known of an address: its first words, which no text is made of while they are the same. */
const COMPARED = LENGTH / 4;

/** A numeric address, with `%` and the number of a scope behind a link-local one, and a port. */
interface Address {
  readonly hostname: string;
  readonly port: number;
}

const UNKNOWN: Address = Object.freeze({ hostname: "", port: 0 });

/** So many addresses, each known as bytes and as text. */
export class NetAddresses {
  readonly capacity: number;
  #memory: NativeBuffer;
  #bytes: Uint8Array<ArrayBuffer>;
  #data: DataView<ArrayBuffer>;
  #words: Uint32Array<ArrayBuffer>;
  /** What `#texts` and `#given` stand for. */
  #known: Uint32Array<ArrayBuffer>;
  #texts: Address[];
  /** The host as it was given last, which need not be how it is told; `null` where it is to be looked at again. */
  #given: (string | null)[];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#memory = new NativeBuffer(STRIDE * capacity);
    this.#bytes = this.#memory.bytes;
    this.#data = new DataView(this.#bytes.buffer);
    this.#words = new Uint32Array(this.#bytes.buffer);
    this.#known = new Uint32Array(WORDS * capacity);
    this.#texts = new Array<Address>(capacity).fill(UNKNOWN);
    this.#given = new Array<string | null>(capacity).fill(null);
  }

  /** Where the address lies. */
  pointer(i: number): Pointer {
    return NativeBuffer.range(this.#memory, STRIDE * i, LENGTH);
  }

  /** Where its `socklen_t` lies. */
  lengthPointer(i: number): Pointer {
    return NativeBuffer.range(this.#memory, STRIDE * i + LENGTH, 4);
  }

  /** Its bytes, for calls that take a view. */
  bytes(i: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(STRIDE * i, STRIDE * i + LENGTH);
  }

  family(i: number): number {
    return this.#data.getUint16(STRIDE * i, true);
  }

  /** How many bytes of it the kernel is to look at, or has written: 0 where there is none. */
  length(i: number): number {
    return this.#words[WORDS * i + COMPARED];
  }

  setLength(i: number, length: number): void {
    this.#words[WORDS * i + COMPARED] = length;
  }

  /** Readies the place for the kernel to write an address to. */
  expect(i: number): void {
    this.#words[WORDS * i + COMPARED] = LENGTH;
  }

  /** The address as text: the same object as long as the address is. */
  get(i: number): Address {
    const text = this.#texts[i];
    return text !== UNKNOWN && this.#isKnown(i) ? text : this.#read(i);
  }

  /** Of IPv4 sin_zero is left out, and what is behind it. */
  #isKnown(i: number): boolean {
    const at = WORDS * i;
    const words = this.family(i) === AF_INET ? 2 : COMPARED;
    for (let word = at; word < at + words; word++) if (this.#words[word] !== this.#known[word]) return false;
    return true;
  }

  #read(i: number): Address {
    const at = STRIDE * i;
    const text = Object.freeze({ hostname: this.#hostname(at), port: this.#data.getUint16(at + 2) });
    this.#know(i, text.hostname, text);
    return text;
  }

  #know(i: number, given: string | null, text: Address): void {
    const at = WORDS * i;
    for (let word = at; word < at + COMPARED; word++) this.#known[word] = this.#words[word];
    this.#given[i] = given;
    this.#texts[i] = text;
  }

  #hostname(at: number): string {
    const bytes = this.#bytes;
    const family = this.#data.getUint16(at, true);
    if (family === AF_INET) return `${bytes[at + 4]}.${bytes[at + 5]}.${bytes[at + 6]}.${bytes[at + 7]}`;
    if (family !== AF_INET6) {
      throw new TypeError(`cannot read a datagram's address: its family is ${family}, not IPv4 or IPv6`);
    }
    const scope = this.#data.getUint32(at + 24, true);
    const text = formatIpv6(bytes.subarray(at + 8, at + 24));
    return scope === 0 ? text : `${text}%${scope}`;
  }

  /**
   * Writes an address, whose interface, where it has one, may be told by name. Throws a `TypeError` where it is no
   * numeric one, a `RangeError` for its port, and a `SystemError` where there is no such interface.
   */
  set(i: number, hostname: string, port: number): void {
    const isWritten = this.#given[i] === hostname && this.#data.getUint16(STRIDE * i + 2) === port &&
      this.#isKnown(i);
    if (!isWritten) this.#write(i, hostname, port);
    this.setLength(i, this.family(i) === AF_INET ? sockaddr_in.size : sockaddr_in6.size);
  }

  #write(i: number, hostname: string, port: number): void {
    if (typeof hostname !== "string") {
      throw new TypeError("cannot use an address whose hostname is no string");
    }
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new RangeError(
        `cannot use ${JSON.stringify(hostname)} as an address: its port is no integer from 0 to 65535`,
      );
    }
    const { bytes, scope } = parseAddress(hostname);
    const isV4 = bytes.length === 4;
    const at = STRIDE * i;
    this.#bytes.fill(0, at, at + LENGTH);
    this.#data.setUint16(at, isV4 ? AF_INET : AF_INET6, true);
    this.#data.setUint16(at + 2, port);
    this.#bytes.set(bytes, at + (isV4 ? 4 : 8));
    if (!isV4) this.#data.setUint32(at + 24, scope, true);
    // A name's number is asked for each time: the interface may be another one by then.
    this.#know(i, hasNamedScope(hostname) ? null : hostname, UNKNOWN);
  }
}
