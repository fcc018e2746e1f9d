import { fromPointer, toPointer } from "../host.ts";
import { NativeBuffer } from "../native_buffer.ts";
import { pointerTo } from "../pointer.ts";
import type { Pointer } from "../types.ts";
import { iovec, mmsghdr, msghdr } from "./linux.ts";
import { NetAddresses } from "./net_addresses.ts";

const WORDS = mmsghdr.size / 4;
const NAME_LENGTH = (mmsghdr.offsets.msg_hdr + msghdr.offsets.msg_namelen) / 4;
const FLAGS = (mmsghdr.offsets.msg_hdr + msghdr.offsets.msg_flags) / 4;
const LENGTH = mmsghdr.offsets.msg_len / 4;
const VECTOR_WORDS = iovec.size / 4;
/** The lower half of it: no part is 4 GiB long. */
const VECTOR_LENGTH = iovec.offsets.iov_len / 4;
const MSG_TRUNC = 0x20;
const ROOM = 28;

/**
 * An array of `struct mmsghdr`, each with an address and bytes of its own: made once, and in words, since a call
 * reads and writes some of each message.
 */
export class Messages {
  readonly capacity: number;
  readonly size: number;
  readonly buffer: NativeBuffer;
  readonly addresses: NetAddresses;
  #heads: Uint32Array<ArrayBuffer>;
  #vectors: Uint32Array<ArrayBuffer>;
  #start: Pointer;

  /** `capacity` messages of up to `size` bytes. */
  constructor(capacity: number, size: number) {
    this.capacity = capacity;
    this.size = size;
    this.buffer = new NativeBuffer(capacity * size);
    this.addresses = new NetAddresses(capacity);
    this.#heads = new Uint32Array(WORDS * capacity);
    this.#vectors = new Uint32Array(VECTOR_WORDS * capacity);
    const vectors = fromPointer(pointerTo(this.#vectors));
    for (let i = 0; i < capacity; i++) {
      const part = NativeBuffer.range(this.buffer, size * i, size);
      const vector = iovec.view(this.#vectors, iovec.size * i);
      vector.iov_base = part;
      vector.iov_len = size;
      const head = mmsghdr.view(this.#heads, mmsghdr.size * i).msg_hdr;
      head.msg_name = this.addresses.pointer(i);
      head.msg_iov = toPointer(vectors + BigInt(iovec.size * i));
      head.msg_iovlen = 1;
    }
    this.#start = pointerTo(this.#heads);
  }

  /** The message from which a call begins. Throws a `TypeError` where the bytes were transferred away. */
  pointer(from: number): Pointer {
    NativeBuffer.range(this.buffer, 0, this.capacity * this.size);
    return from === 0 ? this.#start : toPointer(fromPointer(this.#start) + BigInt(mmsghdr.size * from));
  }

  /** Readies the first `count` to be received into. */
  expect(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#heads[WORDS * i + NAME_LENGTH] = ROOM;
      this.#vectors[VECTOR_WORDS * i + VECTOR_LENGTH] = this.size;
    }
  }

  /** Takes over what was received as what `length` and the addresses tell, and a call would send. */
  received(count: number): void {
    for (let i = 0; i < count; i++) {
      const at = WORDS * i;
      this.addresses.setLength(i, this.#heads[at + NAME_LENGTH]);
      this.#vectors[VECTOR_WORDS * i + VECTOR_LENGTH] = this.#heads[at + LENGTH];
    }
  }

  /** How many bytes the message has. */
  length(i: number): number {
    return this.#vectors[VECTOR_WORDS * i + VECTOR_LENGTH];
  }

  setLength(i: number, length: number): void {
    this.#vectors[VECTOR_WORDS * i + VECTOR_LENGTH] = length;
    this.#heads[WORDS * i + FLAGS] = 0;
  }

  /** Whether more was sent than there was room for. */
  isTruncated(i: number): boolean {
    return (this.#heads[WORDS * i + FLAGS] & MSG_TRUNC) !== 0;
  }

  /** Readies the messages to be sent to their addresses. */
  prepare(from: number, to: number): void {
    for (let i = from; i < to; i++) this.#heads[WORDS * i + NAME_LENGTH] = this.addresses.length(i);
  }
}
