import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { hostName } from "../../../ffi/mod.ts";
import type { Future } from "../../task/future.ts";
import { fromPromise } from "../../task/promise.ts";
import type { AsyncRead, AsyncWrite } from "../async_io/traits.ts";
import { requireStream, toNodeDuplex } from "../node_duplex.ts";
import { TlsStream } from "./stream.ts";
import { QUIET_TURNS, turn } from "./turns.ts";

/**
 * A stream whose first read comes a turn later. Deno's socket begins in a tick of its own: with an error before that,
 * which a peer's first bytes can be, it throws where nobody catches it. For the same reason none is destroyed sooner.
 */
class Begun implements AsyncRead, AsyncWrite, Disposable {
  #stream: AsyncRead & AsyncWrite & Partial<Disposable>;
  #hasBegun = false;

  constructor(stream: AsyncRead & AsyncWrite) {
    this.#stream = stream;
  }

  read(into: Uint8Array): Future<number> {
    if (this.#hasBegun) return this.#stream.read(into);
    this.#hasBegun = true;
    return fromPromise(turn).andThen(() => this.#stream.read(into));
  }

  write(bytes: Uint8Array): Future<number> {
    return this.#stream.write(bytes);
  }

  writeAll(bytes: Uint8Array): Future<void> {
    return this.#stream.writeAll(bytes);
  }

  shutdown(): Future<void> {
    return this.#stream.shutdown();
  }

  [Symbol.dispose](): void {
    this.#stream[Symbol.dispose]?.();
  }
}

/** The host's socket. What it refuses, such as a key that it cannot read, costs the stream. */
function opened(below: Duplex, open: (below: Duplex) => TLSSocket): TLSSocket {
  try {
    return open(below);
  } catch (error) {
    below.destroy();
    throw error;
  }
}

/** Shakes hands over the stream, which is its own from then on. */
export function shaken(
  what: string,
  stream: AsyncRead & AsyncWrite,
  event: "secure" | "secureConnect",
  open: (below: Duplex) => TLSSocket,
): Future<TlsStream> {
  requireStream(what, stream);
  return fromPromise((signal) => {
    const below = toNodeDuplex(hostName === "deno" ? new Begun(stream) : stream);
    return new Promise((resolve, reject) => {
      let isSecure = false;
      const socket = opened(below, open);
      // Bun and Deno have it end by itself otherwise.
      socket.allowHalfOpen = true;
      const fail = (error: Error): void => {
        reject(error);
        below.destroy();
        if (hostName === "deno") turn().then(() => socket.destroy());
        else socket.destroy();
      };
      const closed = (): void =>
        fail(new Error(`${what}: the peer has closed the connection in the handshake`));
      below.once("error", fail);
      below.once("close", closed);
      // The last word of the handshake may have come with it.
      const ended = async (): Promise<void> => {
        for (let turns = 0; turns < QUIET_TURNS; turns++) await turn();
        if (!isSecure) closed();
      };
      below.once("end", ended);
      socket.on("error", fail);
      socket.once("close", closed);
      signal.addEventListener("abort", () => fail(signal.reason), { once: true });
      socket.once(event, () => {
        isSecure = true;
        below.off("close", closed);
        socket.off("close", closed);
        resolve(new TlsStream(socket, below));
      });
    });
  });
}
