/**
 * Maps that go to another process: a record of 40 bytes, little-endian, and with its first byte the descriptor of the
 * map's file.
 *
 *      0   8  "oxbowmap"
 *      8   4  version 1
 *     12   4  1 where the map writes to its file
 *     16   8  offset of the map's first byte in the file
 *     24   8  its length
 *     32   8  zeros
 */
import { requireNames, shown } from "../io/arguments.ts";
import type { Fd } from "../io/fd.ts";
import { resolve } from "../mem/handle.ts";
import { Mmap } from "../mem/map.ts";
import { HandleError } from "../mem/map_errors.ts";
import { consumed, type Context, Future, Pending } from "../task/future.ts";
import type { UnixMessage } from "../io/unix_end.ts";

const MAGIC = new TextEncoder().encode("oxbowmap");
const VERSION = 1;
const BYTES = 40;

/** What a stream does for it. */
interface Carrier {
  sendFds(fds: readonly Fd[], bytes: Uint8Array): Future<void>;
  receiveFds(into: Uint8Array, most: number): Future<UnixMessage>;
}

/** How a map that was sent is opened. */
export interface HandleOptions {
  /** What the sender's map may do where nothing is said: `r` or `r+`. */
  mode?: "r" | "r+" | "c";
}

/** The map's descriptor lives until it was sent. */
export class SendHandle extends Future<void> {
  readonly #carrier: Carrier;
  #map: Mmap | null;
  #fd: Fd | null = null;
  #sending: Future<void> | null = null;

  constructor(carrier: Carrier, map: Mmap) {
    super();
    if (!(map instanceof Mmap)) throw new TypeError("cannot send a map: map is no Mmap");
    this.#carrier = carrier;
    this.#map = map;
  }

  override describe(): string {
    return `sendHandle(), ${this.#sending?.describe() ?? "not begun"}`;
  }

  override poll(context: Context): void | Pending {
    const map = this.#map;
    if (map === null) throw consumed("sendHandle()");
    try {
      this.#sending ??= this.#begin(map);
      if (this.#sending.poll(context) === Pending) return Pending;
    } catch (error) {
      this.drop();
      throw error;
    }
    this.drop();
  }

  #begin(map: Mmap): Future<void> {
    const { fd, writes, offset, byteLength } = resolve(map.share());
    this.#fd = fd;
    const record = new Uint8Array(BYTES);
    record.set(MAGIC);
    const view = new DataView(record.buffer);
    view.setUint32(8, VERSION, true);
    view.setUint32(12, writes ? 1 : 0, true);
    view.setBigUint64(16, BigInt(offset), true);
    view.setBigUint64(24, BigInt(byteLength), true);
    return this.#carrier.sendFds([fd], record);
  }

  override drop(): void {
    this.#map = null;
    this.#sending?.drop();
    this.#sending = null;
    this.#fd?.close();
    this.#fd = null;
  }
}

function refuse(why: string): never {
  throw new HandleError(`cannot receive a map: ${why}`);
}

/** Reads the record, and has its descriptor from the first bytes on. */
export class ReceiveHandle extends Future<Mmap> {
  readonly #carrier: Carrier;
  readonly #mode: "r" | "r+" | "c" | undefined;
  readonly #record: Uint8Array<ArrayBuffer> = new Uint8Array(BYTES);
  #read = 0;
  #fd: Fd | null = null;
  #receiving: Future<UnixMessage> | null = null;
  #isOver = false;

  constructor(carrier: Carrier, options: HandleOptions) {
    super();
    requireNames("cannot receive a map", "options are", options, ["mode"]);
    const { mode } = options;
    if (mode !== undefined && mode !== "r" && mode !== "r+" && mode !== "c") {
      throw new TypeError(`cannot receive a map: mode is ${shown(mode)}, and none of r, r+, c`);
    }
    this.#carrier = carrier;
    this.#mode = mode;
  }

  override describe(): string {
    return `receiveHandle(), ${this.#receiving?.describe() ?? "not begun"}`;
  }

  override poll(context: Context): Mmap | Pending {
    if (this.#isOver) throw consumed("receiveHandle()");
    try {
      while (this.#read < BYTES) {
        this.#receiving ??= this.#carrier.receiveFds(this.#record.subarray(this.#read), 1);
        const message = this.#receiving.poll(context);
        if (message === Pending) return Pending;
        this.#receiving = null;
        this.#take(message);
      }
      return this.#open();
    } catch (error) {
      this.#isOver = true;
      throw error;
    } finally {
      if (this.#isOver) this.drop();
    }
  }

  #take({ length, fds, fdsTruncated }: UnixMessage): void {
    const [fd] = fds;
    if (fd !== undefined && this.#fd !== null) fd.close();
    else if (fd !== undefined) this.#fd = fd;
    if (fdsTruncated) refuse("more descriptors than its own came with it, or this process may have no more");
    if (length === 0) refuse("the peer has ended the connection before it sent one");
    this.#read += length;
    if (this.#fd === null) refuse("the peer sent bytes without a descriptor; sendHandle sends maps");
  }

  #open(): Mmap {
    this.#isOver = true;
    const fd = this.#fd;
    const record = this.#record;
    if (fd === null || !MAGIC.every((byte, i) => byte === record[i])) refuse("the peer sent something else");
    const view = new DataView(record.buffer);
    if (view.getUint32(8, true) !== VERSION) refuse("it was sent by another version of this package");
    const writes = view.getUint32(12, true) === 1;
    const mode = this.#mode ?? (writes ? "r+" : "r");
    if (mode === "r+" && !writes) refuse("mode r+ writes to a map that its sender only reads");
    const offset = Number(view.getBigUint64(16, true));
    const length = Number(view.getBigUint64(24, true));
    try {
      return Mmap.fromFd(fd, { mode, offset, length });
    } catch (cause) {
      throw new HandleError(`cannot receive a map: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    }
  }

  override drop(): void {
    this.#isOver = true;
    this.#receiving?.drop();
    this.#receiving = null;
    this.#fd?.close();
    this.#fd = null;
  }
}
