import type { Duplex } from "node:stream";
import { requireBytes } from "../io/arguments.ts";
import type { Future } from "../task/future.ts";
import "../task/runtime/attach.ts";
import type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";
import { Read } from "./from_node_duplex/read.ts";
import { Shutdown } from "./from_node_duplex/shutdown.ts";
import { Told } from "./from_node_duplex/told.ts";
import { PIECE_BYTES, Write } from "./from_node_duplex/write.ts";

/** A `Duplex` as a stream. One task reads and one writes at a time. */
export class NodeDuplexStream implements AsyncRead, AsyncWrite, Disposable {
  /** What it reads and writes. */
  readonly duplex: Duplex;
  #told: Told;

  /**
   * {@linkcode fromNodeDuplex}. `below` is another one that it writes to without heed of how much that has taken: it is
   * heeded here.
   */
  constructor(duplex: Duplex, below: Duplex | null = null) {
    this.duplex = duplex;
    this.#told = new Told(duplex, below);
  }

  /** Reads up to `into.byteLength` bytes; 0 is the end. Safe to drop: nothing is read then. */
  read(into: Uint8Array): Future<number> {
    requireBytes("cannot read", "into", into);
    if (into.byteLength === 0) throw new RangeError("cannot read into 0 bytes: 0 would look like the end");
    return new Read(this.#told, into);
  }

  /** Writes up to 64 KiB of the bytes; ends once the `Duplex` is rid of them. Dropped after it has begun, they go still. */
  write(bytes: Uint8Array): Future<number> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this.#told, bytes.subarray(0, PIECE_BYTES));
  }

  /** Writes all of the bytes, which must not change meanwhile; ends once the `Duplex` is rid of them. */
  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this.#told, bytes).map(ignored);
  }

  /** `end()`: over once all that was written has left, and the peer was told. */
  shutdown(): Future<void> {
    return new Shutdown(this.#told);
  }

  /** For a `Duplex` that forgets to tell its end. */
  protected ended(): void {
    this.#told.end();
  }

  /** Destroys the `Duplex`: what it has not sent yet is lost. */
  [Symbol.dispose](): void {
    this.duplex.destroy();
  }
}

function ignored(): void {}

/**
 * The `Duplex` as a stream, which is its only reader from now on. It must carry bytes: one of objects, or with an
 * encoding set, is refused. Must be called in the turn in which the `Duplex` was had, before it has begun to flow.
 */
export function fromNodeDuplex(duplex: Duplex): NodeDuplexStream {
  const what = "cannot make a stream of a Duplex";
  if (typeof duplex?.read !== "function" || typeof duplex.write !== "function") {
    throw new TypeError(`${what}: duplex does not read and write`);
  }
  if (duplex.readableObjectMode || duplex.writableObjectMode) {
    throw new TypeError(`${what}: it carries objects, and no bytes`);
  }
  if (duplex.readableEncoding !== null) throw new TypeError(`${what}: it gives text, for an encoding is set`);
  return new NodeDuplexStream(duplex);
}
