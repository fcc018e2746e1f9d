import type { Fd } from "../../io/fd.ts";
import { type Context, type Future, Pending } from "../../task/future.ts";
import { coop, proceed } from "../../task/runtime/coop.ts";
import { roomOf } from "./arguments.ts";
import { Operation } from "./operation.ts";
import { WriteZeroError } from "./errors.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

class FileRead extends Operation<number> {
  #fd: Fd;
  #into: Uint8Array;

  constructor(fd: Fd, into: Uint8Array) {
    super();
    this.#fd = fd;
    this.#into = into;
  }

  protected override step(context: Context): number | Pending {
    if (!proceed(context)) return Pending;
    roomOf(this.#into);
    coop.left--;
    return this.#fd.read(this.#into);
  }
}

class FileWrite extends Operation<number> {
  #fd: Fd;
  #bytes: Uint8Array;
  #isWhole: boolean;
  #written = 0;

  constructor(fd: Fd, bytes: Uint8Array, isWhole: boolean) {
    super();
    this.#fd = fd;
    this.#bytes = bytes;
    this.#isWhole = isWhole;
  }

  protected override step(context: Context): number | Pending {
    const { byteLength } = this.#bytes;
    do {
      if (!proceed(context)) return Pending;
      coop.left--;
      const count = this.#fd.write(this.#bytes.subarray(this.#written));
      if (count <= 0 && byteLength > 0) throw new WriteZeroError();
      this.#written += count;
    } while (this.#isWhole && this.#written < byteLength);
    return this.#written;
  }
}

class Nothing extends Operation<void> {
  protected override step(): void {}
}

/** A regular file, from where it stands on: a call to it waits for the disk and never for the reactor. */
export class FileStream implements AsyncRead, AsyncWrite {
  readonly fd: Fd;

  constructor(fd: Fd) {
    this.fd = fd;
  }

  read(into: Uint8Array): Future<number> {
    return new FileRead(this.fd, into);
  }

  write(bytes: Uint8Array): Future<number> {
    return new FileWrite(this.fd, bytes, false);
  }

  writeAll(bytes: Uint8Array): Future<void> {
    return new FileWrite(this.fd, bytes, true).map(nothing);
  }

  shutdown(): Future<void> {
    return new Nothing();
  }
}

function nothing(): void {}
