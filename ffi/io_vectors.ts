import { fromPointer } from "./host.ts";
import { iovec, msghdr } from "./layout/linux.ts";
import { byteLengthOf } from "./native_buffer.ts";
import { pointerTo } from "./pointer.ts";

/** IOV_MAX. */
const CAPACITY = 1024;
const BASE = iovec.offsets.iov_base;
const LENGTH = iovec.offsets.iov_len;

/** A `struct msghdr` of as many parts as one call takes, for sendmsg(2) and recvmsg(2). */
export class IoVectors {
  readonly capacity: number = CAPACITY;
  readonly head: Uint8Array<ArrayBuffer> = new Uint8Array(msghdr.size);
  /** What it points to. */
  parts: readonly Uint8Array[] = [];
  #fields: ReturnType<typeof msghdr.view> = msghdr.view(this.head);
  #vectors: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(CAPACITY * iovec.size));

  constructor() {
    this.#fields.msg_iov = pointerTo(this.#vectors);
  }

  /** Points to other parts, and holds them. */
  pointTo(parts: readonly Uint8Array[]): void {
    for (let i = 0; i < parts.length; i++) {
      const at = iovec.size * i;
      this.#vectors.setBigUint64(at + LENGTH, BigInt(byteLengthOf(parts[i])), true);
      this.#vectors.setBigUint64(at + BASE, fromPointer(pointerTo(parts[i])), true);
    }
    this.parts = parts;
    this.#fields.msg_iovlen = parts.length;
  }
}
