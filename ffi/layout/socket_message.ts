import { NativeBuffer } from "../native_buffer.ts";
import { NULL, pointerTo } from "../pointer.ts";
import type { Pointer } from "../types.ts";
import { cmsghdr, iovec, msghdr, sockaddr_un, ucred } from "./linux.ts";

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const MSG_CTRUNC = 8;
const FD = 4;
const CREDENTIALS = cmsghdr.size + ucred.size;

/** SCM_MAX_FD: more descriptors no message carries. */
export const MOST_DESCRIPTORS = 253;

/** CMSG_ALIGN. */
function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** Who sends: `struct ucred`. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * A `struct msghdr` with one part, room for a name, and a control message of descriptors and credentials: sendmsg(2),
 * cmsg(3). One serves all calls, which are over when they are back.
 */
export class SocketMessage {
  readonly head: Uint8Array<ArrayBuffer> = new Uint8Array(msghdr.size);
  #fields: ReturnType<typeof msghdr.view> = msghdr.view(this.head);
  #vector: Uint8Array<ArrayBuffer> = new Uint8Array(iovec.size);
  #part: ReturnType<typeof iovec.view> = iovec.view(this.#vector);
  #name: Uint8Array<ArrayBuffer> = new Uint8Array(aligned(sockaddr_un.size));
  #nameAt: Pointer = pointerTo(this.#name);
  #control: DataView<ArrayBuffer> = new DataView(
    new ArrayBuffer(aligned(CREDENTIALS) + cmsghdr.size + FD * MOST_DESCRIPTORS),
  );
  #controlAt: Pointer = pointerTo(this.#control);
  #held: unknown = null;

  constructor() {
    this.#fields.msg_iov = pointerTo(this.#vector);
    this.#fields.msg_iovlen = 1;
  }

  /** Points to the first `length` bytes of a buffer. */
  pointTo(bytes: NativeBuffer, length: number): void {
    this.#part.iov_base = NativeBuffer.range(bytes, 0, length);
    this.#part.iov_len = length;
    this.#held = bytes;
  }

  /** Points to bytes that are asked for their address now. */
  pointToView(bytes: Uint8Array): void {
    this.#part.iov_base = pointerTo(bytes);
    this.#part.iov_len = bytes.byteLength;
    this.#held = bytes;
  }

  /** Holds no caller's bytes any more. */
  release(): void {
    this.#held = null;
  }

  /** Readies it to be sent, to `name` where there is one, with descriptors. */
  prepare(name: Uint8Array | undefined, descriptors: readonly number[]): void {
    this.#fields.msg_name = name === undefined ? null : this.#nameAt;
    this.#fields.msg_namelen = name?.length ?? 0;
    if (name !== undefined) this.#name.set(name);
    const length = descriptors.length === 0 ? 0 : cmsghdr.size + FD * descriptors.length;
    this.#fields.msg_control = length === 0 ? null : this.#controlAt;
    this.#fields.msg_controllen = length;
    if (length === 0) return;
    this.#control.setBigUint64(0, BigInt(length), true);
    this.#control.setInt32(8, SOL_SOCKET, true);
    this.#control.setInt32(12, SCM_RIGHTS, true);
    descriptors.forEach((number, i) => this.#control.setInt32(cmsghdr.size + FD * i, number, true));
  }

  /**
   * Readies it to be received into, with room for a name, credentials, and exactly so many descriptors: those that
   * have none are closed by the kernel.
   */
  expect(descriptors: number, hasCredentials: boolean): void {
    this.#fields.msg_name = this.#nameAt;
    this.#fields.msg_namelen = this.#name.length;
    this.#name.fill(0, 0, 2);
    const rights = descriptors === 0 ? 0 : cmsghdr.size + FD * descriptors;
    const length = (hasCredentials ? aligned(CREDENTIALS) : 0) + rights;
    this.#fields.msg_control = length === 0 ? NULL : this.#controlAt;
    this.#fields.msg_controllen = length;
    this.#fields.msg_flags = 0;
  }

  /** The name that came: a view, good until the next call. */
  get name(): Uint8Array<ArrayBuffer> {
    return this.#name.subarray(0, Math.min(this.#fields.msg_namelen, this.#name.length));
  }

  /** Whether there was no room, or no descriptor left, for all that came beside the bytes. */
  get isControlTruncated(): boolean {
    return (this.#fields.msg_flags & MSG_CTRUNC) !== 0;
  }

  /** The descriptors that came, which are this process's from now on. */
  get descriptors(): number[] {
    const numbers: number[] = [];
    const at = this.#find(SCM_RIGHTS);
    if (at === undefined) return numbers;
    const end = at + Number(this.#control.getBigUint64(at, true));
    for (let i = at + cmsghdr.size; i + FD <= end; i += FD) numbers.push(this.#control.getInt32(i, true));
    return numbers;
  }

  /** Who has sent it, where the socket asks for that. */
  get credentials(): Credentials | undefined {
    const at = this.#find(SCM_CREDENTIALS);
    if (at === undefined) return undefined;
    const { pid, uid, gid } = ucred.view(this.#control, at + cmsghdr.size);
    return { pid, uid, gid };
  }

  /** Where the control message of that type begins. */
  #find(type: number): number | undefined {
    const { msg_controllen: end } = this.#fields;
    for (let at = 0; at + cmsghdr.size <= end;) {
      const length = Number(this.#control.getBigUint64(at, true));
      const isOurs = this.#control.getInt32(at + 8, true) === SOL_SOCKET;
      if (isOurs && this.#control.getInt32(at + 12, true) === type) return at;
      at += Math.max(aligned(length), cmsghdr.size);
    }
    return undefined;
  }
}
