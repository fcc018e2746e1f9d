import type { Future } from "../../task/future.ts";

/** What bytes can be read from: a connection, a pipe, a buffer over either. One read at a time. */
export interface AsyncRead {
  /** Reads up to `into.byteLength` bytes, at least one; 0 is the end. `into` is not empty. */
  read(into: Uint8Array): Future<number>;
}

/** What bytes can be written to. One write at a time; the bytes must not change until it is over. */
export interface AsyncWrite {
  /** Writes a part of the bytes: at least one, where there is one. */
  write(bytes: Uint8Array): Future<number>;
  /** Writes all of the bytes. Where it is dropped, an unknown part of them was written. */
  writeAll(bytes: Uint8Array): Future<void>;
  /** Ends what is written, once what was buffered has left: the peer reads the end. */
  shutdown(): Future<void>;
}
