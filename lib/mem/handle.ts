/**
 * Handles of maps, for other threads: plain data that name a record, which names a descriptor. The record is a
 * sealed file in memory, whose own descriptor every thread of the process has: so it cannot be changed, is found by
 * its number, and is known by a nonce that nobody guesses. An address is never passed on.
 *
 * A record is 96 bytes, little-endian:
 *
 *      0  16  nonce
 *     16   8  "oxbowmap"
 *     24   4  version 1
 *     28   4  process
 *     32   4  descriptor of the file
 *     36   4  1 where the map writes to it
 *     40   8  device
 *     48   8  inode
 *     56   8  offset of the map's first byte in the file
 *     64   8  its length
 *     72  24  zeros
 */
import { check, libc } from "../../ffi/mod.ts";
import { mman } from "../../ffi/mman.ts";
import { shown } from "../io/arguments.ts";
import { Fd } from "../io/fd.ts";
import process from "node:process";
import { HandleError } from "./map_errors.ts";
import { createSealed, isSealed } from "./memfd.ts";

const MAGIC = new TextEncoder().encode("oxbowmap");
const VERSION = 1;
const BYTES = 96;
const F_DUPFD_CLOEXEC = 1030;

/** Names a map in this process. It may be cloned, posted to workers, kept; it is stale once the map is disposed. */
export interface MapHandle {
  readonly kind: "oxbow-map";
  readonly process: number;
  readonly descriptor: number;
  /** 128 bits, in hexadecimal digits. */
  readonly nonce: string;
}

/** What a handle stands for. */
export interface SharedMap {
  /** Its owner closes it. */
  readonly fd: Fd;
  readonly writes: boolean;
  readonly device: bigint;
  readonly inode: bigint;
  readonly offset: number;
  readonly byteLength: number;
}

/** A record, for as long as its map is shared. It takes over the descriptor. */
export class MapRecord implements Disposable {
  readonly handle: MapHandle;
  readonly writes: boolean;
  readonly byteLength: number;
  readonly #record: Fd;
  readonly #file: Fd;

  constructor(map: SharedMap) {
    const bytes = new Uint8Array(BYTES);
    const nonce = crypto.getRandomValues(bytes.subarray(0, 16));
    bytes.set(MAGIC, 16);
    const view = new DataView(bytes.buffer);
    view.setUint32(24, VERSION, true);
    view.setUint32(28, process.pid, true);
    view.setInt32(32, map.fd.number, true);
    view.setUint32(36, map.writes ? 1 : 0, true);
    view.setBigUint64(40, map.device, true);
    view.setBigUint64(48, map.inode, true);
    view.setBigUint64(56, BigInt(map.offset), true);
    view.setBigUint64(64, BigInt(map.byteLength), true);
    this.#record = createSealed("oxbow-map-record", bytes);
    this.#file = map.fd;
    this.writes = map.writes;
    this.byteLength = map.byteLength;
    this.handle = Object.freeze({
      kind: "oxbow-map",
      process: process.pid,
      descriptor: this.#record.number,
      nonce: hexadecimal(nonce),
    });
  }

  [Symbol.dispose](): void {
    this.#record.close();
    this.#file.close();
  }
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const STALE = "its map was disposed, in whichever thread shared it";

function refuse(why: string): never {
  throw new HandleError(`cannot adopt a map: ${why}`);
}

/** What it takes of a handle, whose fields may be anybody's getters, each read once. */
function read(handle: MapHandle): { descriptor: number; nonce: string } {
  if (typeof handle !== "object" || handle === null || handle.kind !== "oxbow-map") {
    refuse("what was given is no handle; share() of a map makes them");
  }
  const { descriptor, nonce, process: owner } = handle;
  if (!Number.isInteger(descriptor) || descriptor < 0 || descriptor > 0x7fffffff) {
    refuse(`its descriptor is ${shown(descriptor)}, and none`);
  }
  if (typeof nonce !== "string" || !/^[0-9a-f]{32}$/.test(nonce)) refuse("its nonce is none");
  if (owner !== process.pid) {
    refuse(
      `it is of process ${shown(owner)}, and this is ${process.pid}; ` +
        "pass the descriptor itself over a Unix socket, and map it with fromFd",
    );
  }
  return { descriptor, nonce };
}

/** What the handle names, with a descriptor of its own. Throws a `HandleError` for any other. */
export function resolve(handle: MapHandle): SharedMap & { readonly nonce: string } {
  const { descriptor, nonce } = read(handle);
  if (!isSealed(descriptor)) refuse(STALE);
  const bytes = new Uint8Array(BYTES);
  const count = check(Number(mman().pread(descriptor, bytes, BYTES, 0)), "pread");
  const isRecord = count === BYTES && MAGIC.every((byte, i) => bytes[16 + i] === byte);
  if (!isRecord || hexadecimal(bytes.subarray(0, 16)) !== nonce) refuse(STALE);
  const view = new DataView(bytes.buffer);
  if (view.getUint32(24, true) !== VERSION) refuse("it was shared by another version of this package");
  const [device, inode] = [view.getBigUint64(40, true), view.getBigUint64(48, true)];
  const number = libc().fcntl(view.getInt32(32, true), F_DUPFD_CLOEXEC, 0);
  if (number === -1) refuse(STALE);
  const fd = Fd.unsafeOwn(number);
  try {
    const status = fd.status();
    if (status.device !== device || status.inode !== inode) refuse(STALE);
  } catch (error) {
    fd.close();
    throw error;
  }
  return {
    nonce,
    fd,
    writes: view.getUint32(36, true) === 1,
    device,
    inode,
    offset: Number(view.getBigUint64(56, true)),
    byteLength: Number(view.getBigUint64(64, true)),
  };
}
