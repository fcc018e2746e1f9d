/**
 * TLS for streams of ours, by the host's own `node:tls`.
 *
 * A server is best off with TLS terminated in front of it: nginx, HAProxy or a load balancer speaks it, and ours reads
 * plain bytes from 127.0.0.1 or a Unix socket at the runtime's own cost. Where that is not to be had, `acceptTls` and
 * `connectTls` run the host's `node:tls` over any stream of ours, through `toNodeDuplex`: every byte passes two
 * `Duplex`es and the host's loop, which costs several times what a plain stream does. There is no TLS of our own.
 *
 * @example
 * ```ts
 * import { connectTls } from "@oxbow/oxbow/tls";
 * import { TcpStream } from "@oxbow/oxbow/net";
 *
 * async function head(hostname: string): Promise<string> {
 *   using stream = await connectTls(await TcpStream.connect({ hostname, port: 443 }), { servername: hostname });
 *   await stream.writeAll(new TextEncoder().encode(`HEAD / HTTP/1.0\r\nHost: ${hostname}\r\n\r\n`));
 *   const into = new Uint8Array(4096);
 *   return new TextDecoder().decode(into.subarray(0, await stream.read(into)));
 * }
 *
 * console.log(typeof head); // function
 * ```
 *
 * Follows Node's `tls.connect` and `tls.TLSSocket`, and RFC 8446.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { connect, createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { hostName } from "../../ffi/mod.ts";
import { requireFlag, requireNames, shown } from "../io/arguments.ts";
import type { Future } from "../task/future.ts";
import "../task/runtime/attach.ts";
import { failed, lazy } from "../task/futures/ready.ts";
import { fromPromise } from "../task/promise.ts";
import type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";
import { NodeDuplexStream } from "./from_node_duplex.ts";
import { requireStream, toNodeDuplex } from "./node_duplex.ts";

/** Of the host's loop. */
const QUIET_TURNS = 10;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A key or a certificate: PEM, as text or bytes. */
export type Pem = string | Uint8Array;

/** How `connectTls` greets a server. */
export interface ConnectTlsOptions {
  /** Whom the certificate must be for, and which of its sites the server is asked for (SNI). No address. */
  servername: string;
  /** Who may have signed the certificate: the host's own list where nothing is said. */
  ca?: Pem | readonly Pem[];
  /** The protocols that may be spoken, the best first: `["h2", "http/1.1"]`. RFC 7301. */
  alpn?: readonly string[];
  /** Whether a certificate that cannot be trusted ends the connection: `true` where nothing is said. */
  rejectUnauthorized?: boolean;
  /** Our own, for a server that asks for one. */
  key?: Pem;
  cert?: Pem;
}

/** How `acceptTls` answers a client. */
export interface AcceptTlsOptions {
  key: Pem;
  /** The certificate, and after it those that lead to who is trusted. */
  cert: Pem;
  /** The protocols that are spoken here, the best first. */
  alpn?: readonly string[];
}

/**
 * A stream through TLS, which owns the one below. One task reads and one writes at a time. The directions end each for
 * itself, but with Bun; a peer that cuts the connection without TLS's own goodbye ends it like one that
 * says it, as with `node:tls`.
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

/** What was made of a key and a certificate: parsed once for each object of options. */
const contexts = new WeakMap<AcceptTlsOptions, SecureContext>();

function contextOf(options: AcceptTlsOptions): SecureContext {
  let context = contexts.get(options);
  if (context === undefined) {
    context = createSecureContext({ key: pemOf(options.key), cert: pemOf(options.cert) });
    contexts.set(options, context);
  }
  return context;
}

function pemOf(pem: Pem): string | Buffer {
  return typeof pem === "string" ? pem : Buffer.from(pem);
}

function requirePem(what: string, name: string, pem: unknown): void {
  if (typeof pem !== "string" && !(pem instanceof Uint8Array)) {
    throw new TypeError(`${what}: ${name} is ${shown(pem)}, neither text nor bytes`);
  }
  // What is wrong inside, some hosts tell only in the handshake.
  if (!pemOf(pem).includes("-----BEGIN ")) throw new TypeError(`${what}: ${name} is no PEM`);
}

function requireAlpn(what: string, alpn: readonly string[] | undefined): void {
  if (alpn === undefined) return;
  const isList = Array.isArray(alpn) && alpn.length > 0;
  if (!isList || !alpn.every((name) => typeof name === "string" && name.length > 0 && name.length < 256)) {
    throw new TypeError(`${what}: alpn is ${shown(alpn)}, and no list of protocols' names`);
  }
}

/**
 * Speaks TLS with a server over the stream, which it takes over: it is disposed of where this fails or is dropped. Fails
 * with what the host's `node:tls` says, which differs between hosts for a certificate that is refused.
 */
export function connectTls(
  stream: AsyncRead & AsyncWrite,
  options: ConnectTlsOptions,
): Future<TlsStream> {
  const what = "cannot connect by TLS";
  requireNames(what, "options are", options, [
    "servername",
    "ca",
    "alpn",
    "rejectUnauthorized",
    "key",
    "cert",
  ]);
  const { servername, ca, alpn, rejectUnauthorized = true, key, cert } = options;
  if (typeof servername !== "string" || servername === "") {
    throw new TypeError(`${what}: servername is ${shown(servername)}, and no name`);
  }
  const authorities = ca === undefined
    ? undefined
    : typeof ca === "string" || ca instanceof Uint8Array
    ? [ca]
    : ca;
  if (authorities !== undefined && !Array.isArray(authorities)) {
    throw new TypeError(`${what}: ca is ${shown(ca)}, neither PEM nor a list of it`);
  }
  for (const authority of authorities ?? []) requirePem(what, "ca", authority);
  requireAlpn(what, alpn);
  requireFlag(what, "rejectUnauthorized", rejectUnauthorized);
  if ((key === undefined) !== (cert === undefined)) throw new TypeError(`${what}: key and cert go together`);
  if (key !== undefined) requirePem(what, "key", key);
  if (cert !== undefined) requirePem(what, "cert", cert);
  return shaken(what, stream, "secureConnect", (socket) =>
    connect({
      socket,
      servername,
      rejectUnauthorized,
      ...(authorities && { ca: authorities.map(pemOf) }),
      ...(alpn && { ALPNProtocols: [...alpn] }),
      ...(key !== undefined && cert !== undefined && { key: pemOf(key), cert: pemOf(cert) }),
    }));
}

/**
 * Speaks TLS with a client that has connected: as `connectTls`. Key and certificate are parsed once for each object of
 * options, so that a server keeps one. Clients are asked for no certificate.
 */
export function acceptTls(stream: AsyncRead & AsyncWrite, options: AcceptTlsOptions): Future<TlsStream> {
  const what = "cannot accept by TLS";
  requireNames(what, "options are", options, ["key", "cert", "alpn"]);
  const { key, cert, alpn } = options;
  requirePem(what, "key", key);
  requirePem(what, "cert", cert);
  requireAlpn(what, alpn);
  const secureContext = contextOf(options);
  return shaken(what, stream, "secure", (duplex) =>
    new TLSSocket(duplex, {
      isServer: true,
      secureContext,
      ...(alpn && { ALPNProtocols: [...alpn] }),
    }));
}

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

/** Shakes hands. */
function shaken(
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
