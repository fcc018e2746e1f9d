import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { hostName } from "../../../ffi/mod.ts";
import type { Future } from "../../task/future.ts";
import { failed, lazy } from "../../task/futures/ready.ts";
import { fromPromise } from "../../task/promise.ts";
import { NodeDuplexStream } from "../from_node_duplex.ts";
import { QUIET_TURNS, turn } from "./turns.ts";

/**
 * A stream through TLS, which owns the one below. One task reads and one writes at a time. The directions end each for
 * itself, but with Bun; a peer that ends the connection without TLS's own goodbye ends it like one that
 * says it, as with `node:tls`, and one that resets it fails what reads (`ECONNRESET`).
 */
export class TlsStream extends NodeDuplexStream {
  /** The host's own: certificates, sessions, whatever else it tells. Its bytes are this stream's. */
  readonly socket: TLSSocket;
  #below: Duplex;
  #isShut = false;

  /** `connectTls`'s and `acceptTls`'s own. */
  constructor(socket: TLSSocket, below: Duplex) {
    // Bun's socket takes whatever it is given.
    super(socket, below);
    this.socket = socket;
    this.#below = below;
    if (hostName === "deno") below.once("end", () => void this.#endAfterBelow());
  }

  /**
   * Deno's socket forgets its end where the one below has ended after much was under way. All that was read below has
   * passed the socket once that has nothing left for some turns.
   */
  async #endAfterBelow(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS && !this.socket.readableEnded; quiet++) {
      if (this.socket.readableLength > 0) quiet = 0;
      await turn();
    }
    this.ended();
  }

  /** {@linkcode NodeDuplexStream.read} */
  override read(into: Uint8Array): Future<number> {
    if (hostName !== "bun" || !this.#isShut) return super.read(into);
    return failed(
      new Error(
        "cannot read after shutdown(): Bun's node:tls ends both directions at once, read to the end before",
      ),
    );
  }

  /**
   * Ends what is written, once it has left. With Bun that ends what is read, too, and a read after it fails; nor can
   * anything be written there once the peer has ended.
   */
  override shutdown(): Future<void> {
    return lazy(() => {
      this.#isShut = true;
    }).andThen(() => super.shutdown()).andThen(() => fromPromise(() => this.#endBelow()));
  }

  /** Deno's socket forgets to end the one below where much was under way. */
  async #endBelow(): Promise<void> {
    if (hostName !== "deno") return;
    for (let turns = 0; turns < QUIET_TURNS && !this.#below.writableEnded; turns++) await turn();
    this.#below.end();
  }

  /** The protocol that both speak, or `undefined` where none was agreed on. */
  get alpn(): string | undefined {
    const { alpnProtocol } = this.socket;
    return typeof alpnProtocol === "string" && alpnProtocol !== "" ? alpnProtocol : undefined;
  }

  /** `"TLSv1.3"` or `"TLSv1.2"`. */
  get version(): string {
    return this.socket.getProtocol() ?? "";
  }

  /** Closes it at once: what has not left is lost, and the peer is told no goodbye; `shutdown` is the orderly end. */
  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.#below.destroy();
  }
}
