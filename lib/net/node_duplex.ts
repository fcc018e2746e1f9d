/**
 * A stream of bytes as a `node:stream` `Duplex`, for packages that are written for one, and such a `Duplex` as a
 * stream of ours. Both ways what is slow slows the other side down, the two directions end each for itself, and no
 * byte is lost: a `Duplex` that has enough asks for no more, and nothing is read ahead of it but one piece.
 *
 * @example
 * ```ts
 * import { once } from "node:events";
 * import { TcpListener, TcpStream, toNodeDuplex } from "@oxbow/oxbow/net";
 *
 * using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
 * const client = toNodeDuplex(await TcpStream.connect(listener.address));
 * const { stream } = await listener.accept();
 * const server = toNodeDuplex(stream);
 * server.pipe(server);
 * client.end("hello");
 * console.log(String((await once(client, "data"))[0])); // hello
 * ```
 *
 * Follows Node's `stream.Duplex`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { requireNames, shown } from "../io/arguments.ts";
import type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";

/** What is read at once, and what small writes are gathered to. */
const PIECE_BYTES = 65536;

/** How `toNodeDuplex` makes one. */
export interface NodeDuplexOptions {
  /** Bytes that were read of the stream already: read first. */
  head?: Uint8Array;
  /** Whether what is written may go on once the peer's end was read: `true` where nothing is said. */
  allowHalfOpen?: boolean;
}

type Callback = (error?: Error | null) => void;

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(`the stream failed with ${shown(reason)}`);
}

class StreamDuplex extends Duplex {
  #stream: AsyncRead & AsyncWrite;
  #abandoned = new AbortController();
  /** Copied out of at once: one for the stream, made at its first read. */
  #into: Uint8Array<ArrayBuffer> | null = null;

  constructor(stream: AsyncRead & AsyncWrite, head: Uint8Array | undefined, allowHalfOpen: boolean) {
    super({ allowHalfOpen });
    this.#stream = stream;
    if (head !== undefined && head.byteLength > 0) this.push(Buffer.from(head));
  }

  /** Asked for again only once what was pushed is wanted. */
  override _read(): void {
    const into = this.#into ??= new Uint8Array(PIECE_BYTES);
    this.#stream.read(into).abortable(this.#abandoned.signal).then(
      (count) => {
        this.push(count === 0 ? null : Buffer.from(into.subarray(0, count)));
      },
      (error) => {
        this.destroy(errorOf(error));
      },
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: Callback): void {
    this.#stream.writeAll(chunk).abortable(this.#abandoned.signal).then(
      () => callback(),
      (error) => callback(errorOf(error)),
    );
  }

  /** What has gathered while a write was under way goes as few. */
  override _writev(chunks: { chunk: Uint8Array }[], callback: Callback): void {
    const pieces: Uint8Array[] = [];
    let gathered: Uint8Array[] = [];
    let size = 0;
    for (const { chunk } of chunks) {
      if (size > 0 && size + chunk.byteLength > PIECE_BYTES) {
        pieces.push(Buffer.concat(gathered));
        gathered = [];
        size = 0;
      }
      gathered.push(chunk);
      size += chunk.byteLength;
    }
    pieces.push(gathered.length === 1 ? gathered[0] : Buffer.concat(gathered));
    this.#writeFrom(pieces, 0, callback);
  }

  #writeFrom(pieces: readonly Uint8Array[], index: number, callback: Callback): void {
    this._write(pieces[index], "", (error) => {
      if (error || index + 1 === pieces.length) callback(error);
      else this.#writeFrom(pieces, index + 1, callback);
    });
  }

  override _final(callback: Callback): void {
    this.#stream.shutdown().abortable(this.#abandoned.signal).then(
      () => callback(),
      (error) => callback(errorOf(error)),
    );
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#abandoned.abort();
    const failure = closed(this.#stream);
    callback(error ?? failure);
  }
}

function isDisposable(stream: object): stream is Disposable {
  return Symbol.dispose in stream && typeof stream[Symbol.dispose] === "function";
}

/** What closing has failed with, where it can be closed. */
function closed(stream: object): Error | null {
  try {
    if (isDisposable(stream)) stream[Symbol.dispose]();
    return null;
  } catch (error) {
    return errorOf(error);
  }
}

function isStream(stream: unknown): stream is AsyncRead & AsyncWrite {
  if (typeof stream !== "object" || stream === null) return false;
  return ["read", "writeAll", "shutdown"].every((name) => typeof Reflect.get(stream, name) === "function");
}

/** Throws a `TypeError` for what does not read and write. */
export function requireStream(what: string, stream: unknown): void {
  if (!isStream(stream)) throw new TypeError(`${what}: stream does not read and write`);
}

/**
 * The stream as a `Duplex`, which owns it: nobody else reads or writes it, and where the `Duplex` is destroyed (by
 * itself at the end of both directions, too) the stream is disposed of. Works inside `run` and in the host's own loop.
 * Takes 64 KiB for what is read, and a copy of each piece.
 *
 * `end()` is the stream's `shutdown()`; an error of the stream's is the `Duplex`'s `"error"`.
 */
export function toNodeDuplex(stream: AsyncRead & AsyncWrite, options: NodeDuplexOptions = {}): Duplex {
  const what = "cannot make a Duplex";
  requireStream(what, stream);
  requireNames(what, "options are", options, ["head", "allowHalfOpen"]);
  const { head, allowHalfOpen = true } = options;
  if (head !== undefined && !(head instanceof Uint8Array)) {
    throw new TypeError(`${what}: head is ${shown(head)}, and no Uint8Array`);
  }
  if (typeof allowHalfOpen !== "boolean") {
    throw new TypeError(`${what}: allowHalfOpen is ${shown(allowHalfOpen)}, and no boolean`);
  }
  return new StreamDuplex(stream, head, allowHalfOpen);
}
