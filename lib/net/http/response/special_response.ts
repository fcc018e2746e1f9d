import { hostName } from "../../../../ffi/mod.ts";
import type { Fd } from "../../../io/fd.ts";
import type { TcpStream } from "../../tcp_stream.ts";
import { streamOf } from "../files/file_stream.ts";
import { bodyInside, setBodyInside } from "./deno_response.ts";

/** A part of a file that is a response's body. */
export interface FilePart {
  /** Open to be read, and left open: `released` says when. */
  readonly fd: Fd;
  /** Where it begins, in bytes: 0 where nothing is said. */
  readonly offset?: number;
  /** How many bytes of it there are. */
  readonly length: number;
  /** Called once, when the server has no more use for the descriptor: sent, cut off, or never asked for. */
  readonly released?: () => void;
}

/** Statuses of which a `Response` may have no body. */
const BODILESS: readonly number[] = [204, 205, 304];
/** What a `Response` has of its body. */
const BODY_MEMBERS = [
  "body",
  "bodyUsed",
  "arrayBuffer",
  "blob",
  "bytes",
  "clone",
  "formData",
  "json",
  "text",
  "textStream",
] as const;

/** The host's own, whatever the global is made to be. */
const HostResponse = Response;

/**
 * A `Response` whose body is a part of a file, which the kernel sends by sendfile(2): no byte of it is copied here, as
 * long as it reaches the server as it is. Middleware may ask for its body, and make another `Response` of it, and another
 * server may be given it, such as the host's: then it is a stream that is read piece by piece. A file that is shorter than
 * that when it is sent cuts the connection.
 */
export class FileResponse extends HostResponse {
  readonly #file: FilePart;
  /** What stands in the place of this once somebody has asked for the body. */
  #real: Response | undefined;

  /** Throws a `RangeError` where `offset` or `length` is no number of bytes. */
  constructor(file: FilePart, init: ResponseInit = {}) {
    // Bun's server looks at what its class was given, and makes nothing of a stream before it is read.
    super(hostName === "bun" ? streamOfPart(file, init.status) : null, init);
    const { offset = 0, length } = file;
    for (const [name, value] of [["offset", offset], ["length", length]] as const) {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new RangeError(
          `cannot answer with a file: ${name} is ${String(value)}, and no number of bytes`,
        );
      }
    }
    this.headers.set("content-length", String(length));
    this.#file = file;
    setBodyInside(this, () => bodyInside(this.#real ??= this.#makeReal()));
  }

  /** What is to be sent: the file, or the host's response where one was made in the place of this. */
  static source(response: FileResponse): FilePart | Response {
    return response.#real ?? response.#file;
  }

  #makeReal(): Response {
    const { status, statusText, headers } = this;
    const body = streamOfPart(this.#file, status);
    if (body === null) this.#file.released?.();
    return new HostResponse(body, { status, statusText, headers });
  }

  static {
    for (const name of BODY_MEMBERS) {
      Object.defineProperty(this.prototype, name, {
        get(this: FileResponse): unknown {
          const real = this.#real ??= this.#makeReal();
          const value: unknown = Reflect.get(real, name);
          return typeof value === "function" ? value.bind(real) : value;
        },
      });
    }
  }
}

function streamOfPart(
  file: FilePart,
  status: number | undefined,
): ReadableStream<Uint8Array<ArrayBuffer>> | null {
  if (status !== undefined && BODILESS.includes(status)) return null;
  const { fd, offset = 0, length, released } = file;
  return streamOf(fd, [{ start: offset, end: offset + length }], () => released?.());
}

/**
 * Takes over a connection: `received` is what the client has sent beyond its request, already read. `closing` is
 * aborted when the server begins to shut down. What it throws, or rejects with while the stream is open, is `onError`'s,
 * and closes it; `failed` tells `onError` of anything else.
 */
export type OnUpgrade = (
  stream: TcpStream,
  received: Uint8Array<ArrayBuffer>,
  closing: AbortSignal,
  failed: (error: unknown) => void,
) => void | PromiseLike<void>;

/**
 * Answers `101 Switching Protocols` with `headers`, `upgrade` among them, and hands the connection over: the server
 * neither reads nor writes it after that, sets it no timeouts, and closes it no more, but at the deadline of its
 * `shutdown`. `connection: upgrade` is added. A client that has asked for no upgrade is answered 426, with what there is to
 * ask for; one of HTTP/1.0, or with a body, 400.
 */
export class UpgradeResponse extends Response {
  #onUpgrade: OnUpgrade;

  /** What `onUpgrade` throws is `onError`'s, and closes the connection. */
  constructor(onUpgrade: OnUpgrade, headers: ConstructorParameters<typeof Headers>[0]) {
    super(null, { headers: new Headers(headers) });
    this.#onUpgrade = onUpgrade;
    // No host makes a `Response` of this status.
    Object.defineProperties(this, { status: { value: 101 }, ok: { value: false } });
  }

  /** Who takes the connection over. */
  static onUpgrade(response: UpgradeResponse): OnUpgrade {
    return response.#onUpgrade;
  }
}
