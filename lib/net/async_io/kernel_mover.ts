import { errno, libc, NULL, SystemError, word } from "../../../ffi/mod.ts";
import { moving } from "../../../ffi/splice.ts";
import type { Fd } from "../../io/fd.ts";
import { pipe } from "../../io/pipe.ts";
import { type Context, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import type { End } from "./descriptor.ts";
import type { Mover } from "./mover.ts";

const EINTR = 4;
const EAGAIN = 11;
const EXDEV = 18;
const EINVAL = 22;
const ENOSYS = 38;
const EOPNOTSUPP = 95;
const F_SETPIPE_SZ = 1031;
const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;

/** What one call asks for at most, so that others have their turns. */
const CHUNK = 1 << 20;
/** The pipe that sockets are spliced through: four times the kernel's own size, which it may refuse. */
const PIPE_BYTES = 1 << 18;

/** Such descriptors are not for this call: the bytes have to go through a buffer, these first. */
export class NotMovable extends Error {
  readonly left: Uint8Array;
  readonly total: number;

  constructor(left: Uint8Array, total: number) {
    super("the kernel cannot move these bytes");
    this.left = left;
    this.total = total;
  }
}

/** The kernel takes its time for many bytes: each 16 KiB of them counts as one read. */
function spend(count: number): void {
  coop.left -= 1 + (count >> 14);
}

/** Whether a call that failed says that it is not for such descriptors. */
function isUnfit(failure: number): boolean {
  return failure === EINVAL || failure === ENOSYS || failure === EOPNOTSUPP || failure === EXDEV;
}

/** From a file: by sendfile(2) to a socket, by copy_file_range(2) to another file. */
export class FileMover implements Mover {
  #source: Fd;
  #target: End;
  #total = 0;

  constructor(source: Fd, target: End) {
    this.#source = source;
    this.#target = target;
  }

  poll(context: Context): number | Pending {
    const target = this.#target;
    for (;;) {
      if (!proceed(context) || target.poll(context) === Pending) return Pending;
      const [from, to] = [this.#source.number, target.fd.number];
      const count = target.isFile
        ? moving().copy_file_range(from, NULL, to, NULL, word(CHUNK), 0)
        : moving().sendfile(to, from, NULL, word(CHUNK));
      if (count === 0) {
        // Of a file that the kernel makes up when it is read, it may say so instead of all there is.
        if (this.#total === 0) throw new NotMovable(new Uint8Array(0), 0);
        return this.#total;
      }
      if (count > 0) {
        spend(count);
        this.#total += count;
        continue;
      }
      const failure = errno();
      if (failure === EAGAIN) target.block();
      else if (isUnfit(failure)) throw new NotMovable(new Uint8Array(0), this.#total);
      else if (failure !== EINTR) {
        throw new SystemError(failure, target.isFile ? "copy_file_range" : "sendfile");
      }
    }
  }

  drop(): void {
    this.#target.drop();
  }

  describe(): string {
    return this.#target.describe();
  }
}

/** From a socket or a pipe, through a pipe of its own: splice(2). The bytes are never in this process. */
export class SpliceMover implements Mover {
  #source: End;
  #target: End;
  #pipe: readonly [reader: Fd, writer: Fd] | null = null;
  /** Bytes in the pipe. */
  #held = 0;
  #total = 0;

  constructor(source: End, target: End) {
    this.#source = source;
    this.#target = target;
  }

  poll(context: Context): number | Pending {
    try {
      const total = this.#poll(context);
      if (total !== Pending) this.drop();
      return total;
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  #poll(context: Context): number | Pending {
    const [reader, writer] = this.#pipe ??= openPipe();
    for (;;) {
      const fills = this.#held === 0;
      const end = fills ? this.#source : this.#target;
      if (!proceed(context) || end.poll(context) === Pending) return Pending;
      const count = fills
        ? splice(end.fd.number, writer.number, CHUNK)
        : splice(reader.number, end.fd.number, this.#held);
      if (count === 0) return this.#total;
      if (count > 0) {
        spend(count);
        this.#held += fills ? count : -count;
        if (!fills) this.#total += count;
        continue;
      }
      const failure = errno();
      if (failure === EAGAIN) end.block();
      else if (isUnfit(failure)) throw new NotMovable(this.#rest(reader), this.#total);
      else if (failure !== EINTR) throw new SystemError(failure, "splice");
    }
  }

  /** What is in the pipe, taken out of it. */
  #rest(reader: Fd): Uint8Array {
    const left = new Uint8Array(this.#held);
    for (let length = 0; length < left.byteLength;) length += reader.read(left.subarray(length));
    return left;
  }

  drop(): void {
    this.#source.drop();
    this.#target.drop();
    this.#pipe?.forEach((fd) => fd.close());
    this.#pipe = null;
  }

  describe(): string {
    return (this.#held === 0 ? this.#source : this.#target).describe();
  }
}

function splice(from: number, to: number, length: number): number {
  return moving().splice(from, NULL, to, NULL, word(length), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

/** Where there is no descriptor left for one, a buffer needs none. */
function openPipe(): readonly [reader: Fd, writer: Fd] {
  let ends: readonly [reader: Fd, writer: Fd];
  try {
    ends = pipe();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new NotMovable(new Uint8Array(0), 0);
  }
  const [, writer] = ends;
  // Refused where this user's pipes have as much as they may: the kernel's own size does, too.
  libc().fcntl(writer.number, F_SETPIPE_SZ, PIPE_BYTES);
  return ends;
}
