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
import { connect, createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { requireFlag, requireNames, shown } from "../io/arguments.ts";
import type { Future } from "../task/future.ts";
import "../task/runtime/attach.ts";
import type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";
import { shaken } from "./tls/handshake.ts";
import { type Pem, pemOf, requirePem } from "./tls/pem.ts";
import type { TlsStream } from "./tls/stream.ts";

export type { Pem } from "./tls/pem.ts";
export { TlsStream } from "./tls/stream.ts";

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
