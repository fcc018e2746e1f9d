import { Messages } from "../../ffi/layout/messages.ts";
import { byteLengthOf } from "../../ffi/native_buffer.ts";
import { requireBytes, shown } from "./arguments.ts";
import { type NetAddress, requireObject } from "./net_address.ts";

/** UIO_MAXIOV: what one sendmmsg(2) takes. */
const LARGEST_CAPACITY = 1024;
const LARGEST_SIZE = 65536;

/** The messages of a batch: for the inside of this package. */
export let messagesOf: (batch: DatagramBatch) => Messages;

function requireCount(name: string, value: number, largest: number): void {
  if (!(Number.isInteger(value) && value >= 1 && value <= largest)) {
    throw new RangeError(
      `cannot make a batch: ${name} is ${shown(value)}, not an integer from 1 to ${largest}`,
    );
  }
}

/**
 * Datagrams with their addresses, for calls that move many of them at once: recvmmsg(2), sendmmsg(2). Its memory is
 * made once and has its addresses from then on, so that a batch may be received and sent as often as wanted with
 * nothing allocated: what was received goes back to where it came from when it is sent.
 *
 * @example
 * ```ts
 * import { DatagramBatch, DatagramSocket } from "@oxbow/oxbow/io";
 *
 * using server = DatagramSocket.bind({ hostname: "127.0.0.1", port: 0 });
 * using client = DatagramSocket.bind({ hostname: "127.0.0.1", port: 0 });
 * const batch = new DatagramBatch(8, 1500);
 * for (const word of ["one", "two"]) batch.push(new TextEncoder().encode(word), server.localAddress);
 * console.log(client.sendMany(batch)); // 2
 * console.log(server.recvMany(batch)); // 2
 * console.log(new TextDecoder().decode(batch.bytes(1))); // two
 * ```
 */
export class DatagramBatch {
  /** How many datagrams there is room for. */
  readonly capacity: number;
  /** How many bytes each may have. */
  readonly size: number;
  /** Of how many the last `sendMany` was rid before it ended, or failed. */
  sent = 0;
  #messages: Messages;
  #length = 0;
  #slots: Uint8Array<ArrayBuffer>[] = [];

  static {
    messagesOf = (batch) => {
      if (typeof batch !== "object" || batch === null || !(#messages in batch)) {
        throw new TypeError("cannot use what is no DatagramBatch as one");
      }
      return batch.#messages;
    };
  }

  /** Throws a `RangeError` for more than 1,024 datagrams, or more than 65,536 bytes each. */
  constructor(capacity: number, size: number) {
    requireCount("capacity", capacity, LARGEST_CAPACITY);
    requireCount("size", size, LARGEST_SIZE);
    this.capacity = capacity;
    this.size = size;
    this.#messages = new Messages(capacity, size);
    const { bytes } = this.#messages.buffer;
    for (let i = 0; i < capacity; i++) this.#slots.push(bytes.subarray(size * i, size * (i + 1)));
  }

  /** How many datagrams there are. */
  get length(): number {
    return this.#length;
  }

  /** Fewer forgets the last ones; more has those again that lay there, with what they had. */
  set length(length: number) {
    if (!(Number.isInteger(length) && length >= 0 && length <= this.capacity)) {
      throw new RangeError(
        `cannot set a batch's length: it is ${shown(length)}, not an integer from 0 to ${this.capacity}`,
      );
    }
    this.#length = length;
  }

  /** Forgets all datagrams. */
  clear(): void {
    this.#length = 0;
    this.sent = 0;
  }

  /** Adds a copy of a datagram, for a socket that is connected where no address is said. */
  push(bytes: Uint8Array, address?: NetAddress): void {
    const i = this.#length;
    if (i === this.capacity) throw new RangeError(`cannot add to a batch: it has all its ${i} datagrams`);
    requireBytes("cannot add to a batch", "bytes", bytes);
    const length = byteLengthOf(bytes);
    if (length > this.size) {
      throw new RangeError(`cannot add to a batch: ${length} bytes are more than the ${this.size} of each`);
    }
    this.#setAddress(i, address);
    this.#slots[i].set(bytes);
    this.#messages.setLength(i, length);
    this.#length = i + 1;
  }

  /** The `size` bytes in which a datagram lies: always the same view. `byteLength` says how many are its own. */
  slot(i: number): Uint8Array<ArrayBuffer> {
    this.#require(i, this.capacity);
    return this.#slots[i];
  }

  /** A view of a datagram's bytes, good until the batch is filled again. */
  bytes(i: number): Uint8Array<ArrayBuffer> {
    return this.slot(i).subarray(0, this.byteLength(i));
  }

  /** How many bytes a datagram has. */
  byteLength(i: number): number {
    this.#require(i, this.#length);
    return this.#messages.length(i);
  }

  /** Says how many bytes of its slot a datagram has, once they were written there. */
  setByteLength(i: number, byteLength: number): void {
    this.#require(i, this.#length);
    if (!(Number.isInteger(byteLength) && byteLength >= 0 && byteLength <= this.size)) {
      throw new RangeError(
        `cannot set a datagram's length: byteLength is ${
          shown(byteLength)
        }, not an integer from 0 to ${this.size}`,
      );
    }
    this.#messages.setLength(i, byteLength);
  }

  /** Where a datagram came from, or goes to; `undefined` where a connected socket knows. */
  address(i: number): NetAddress | undefined {
    this.#require(i, this.#length);
    const { addresses } = this.#messages;
    return addresses.length(i) === 0 ? undefined : addresses.get(i);
  }

  /** Sends a datagram elsewhere, or to whom a connected socket knows. */
  setAddress(i: number, address: NetAddress | undefined): void {
    this.#require(i, this.#length);
    this.#setAddress(i, address);
  }

  #setAddress(i: number, address: NetAddress | undefined): void {
    const { addresses } = this.#messages;
    if (address === undefined) addresses.setLength(i, 0);
    else {
      const { hostname, port } = requireObject(address);
      addresses.set(i, hostname, port);
    }
  }

  /** Whether a datagram that was received had more bytes than `size`, which are lost. */
  isTruncated(i: number): boolean {
    this.#require(i, this.#length);
    return this.#messages.isTruncated(i);
  }

  #require(i: number, length: number): void {
    if (!(Number.isInteger(i) && i >= 0 && i < length)) {
      throw new RangeError(`cannot find datagram ${shown(i)} of a batch of ${length}`);
    }
  }
}
