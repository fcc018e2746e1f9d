import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "oxbow-ws";
import { requireFlag, requireNames, shown } from "../../../io/arguments.ts";
import { toNodeDuplex } from "../../node_duplex.ts";
import { HttpError } from "../error.ts";
import { LateStream } from "../response/late_stream.ts";
import { type PackageWebSocket, ServerWebSocket } from "./server_websocket.ts";
import { UpgradeResponse } from "../response/special_response.ts";

/** How a WebSocket is spoken. */
export interface UpgradeWebSocketOptions {
  /** Chooses one of the subprotocols that the client offers, or none. A client that offers others gets none. */
  protocol?: string | ((offered: readonly string[]) => string | undefined);
  /** Bytes of a message, beyond which it is refused with 1009: 16 MiB where nothing is said. */
  maxPayload?: number;
  /** Whether messages are packed by permessage-deflate where the client can: `false` where nothing is said. */
  compress?: boolean;
  /**
   * After how many milliseconds the client is asked whether it is there; one of which nothing has come until the next
   * time, be it a part of a message, is cut off, unless the socket is paused. 30,000 where nothing is said; 0 for never.
   */
  pingMs?: number;
  /** How many milliseconds a client may take to answer that the socket closes: 5,000 where nothing is said. */
  closeMs?: number;
}

/** A socket, and the answer that opens it. */
export interface UpgradedWebSocket {
  readonly socket: ServerWebSocket;
  readonly response: Response;
}

/** What is used of the package's server. */
interface Upgrader {
  on(event: "headers", listener: (lines: string[]) => void): unknown;
  on(event: "wsClientError", listener: (error: Error) => void): unknown;
  handleUpgrade(
    request: { method?: string; url?: string; headers: Record<string, string | string[] | undefined> },
    stream: Duplex,
    head: Buffer,
    done: (socket: PackageWebSocket) => void,
  ): void;
}

const NAMES: readonly string[] = [
  "protocol",
  "maxPayload",
  "compress",
  "pingMs",
  "closeMs",
] satisfies (keyof UpgradeWebSocketOptions)[];
const MAX_PAYLOAD = 16 << 20;
const LONGEST_MS = 2 ** 31 - 1;
/** What a client is to ask for that did not, or not so. */
const UPGRADE = { upgrade: "websocket", "sec-websocket-version": "13" };

function requireMs(what: string, name: string, ms: number): void {
  if (ms >= 0 && ms <= LONGEST_MS) return;
  throw new RangeError(`${what}: ${name} is ${shown(ms)}, and no number of milliseconds`);
}

function includesToken(field: string | null, token: string): boolean {
  return (field ?? "").toLowerCase().split(",").some((member) => member.trim() === token);
}

/** Throws an {@linkcode HttpError} for what asks for no WebSocket, as far as the package does not look at it. */
function checkHandshake(request: Request): void {
  const { method, headers } = request;
  if (
    !includesToken(headers.get("upgrade"), "websocket") ||
    !includesToken(headers.get("connection"), "upgrade")
  ) {
    throw new HttpError(426, "this is for WebSockets: the request asks for no upgrade to one", {
      headers: UPGRADE,
    });
  }
  if (method !== "GET") throw new HttpError(400, `a WebSocket's handshake is a GET, and no ${method}`);
  if (headers.get("sec-websocket-version") !== "13") {
    throw new HttpError(426, "no version of WebSocket but 13 is spoken here", { headers: UPGRADE });
  }
}

function chosen(protocol: UpgradeWebSocketOptions["protocol"], offered: readonly string[]): string | false {
  const name = typeof protocol === "function" ? protocol(offered) : protocol;
  if (name === undefined) return false;
  if (offered.includes(name)) return name;
  if (typeof protocol !== "function") return false;
  throw new TypeError(
    `cannot open a WebSocket: protocol gave ${shown(name)}, which the client does not offer`,
  );
}

/** The package's side of the handshake: the socket, and the fields of the answer. */
function shakeHands(
  request: Request,
  stream: Duplex,
  options: UpgradeWebSocketOptions,
): { socket: PackageWebSocket; headers: Headers } {
  const { protocol, maxPayload = MAX_PAYLOAD, compress = false, closeMs = 5_000 } = options;
  const settings = {
    noServer: true,
    clientTracking: false,
    maxPayload,
    perMessageDeflate: compress,
    closeTimeout: closeMs,
    handleProtocols: (offered: Set<string>) => chosen(protocol, [...offered]),
  };
  const upgrader: Upgrader = new WebSocketServer(settings);
  const headers = new Headers();
  let failure: Error | undefined;
  let socket: PackageWebSocket | undefined;
  upgrader.on("headers", (lines) => {
    for (const line of lines.slice(1)) {
      const [name, value] = line.split(": ");
      if (name.toLowerCase() !== "connection") headers.set(name, value);
    }
  });
  upgrader.on("wsClientError", (error) => failure = error);
  const fields = Object.fromEntries(request.headers);
  const asked = { method: request.method, url: request.url, headers: { ...fields, upgrade: "websocket" } };
  upgrader.handleUpgrade(asked, stream, Buffer.alloc(0), (made) => socket = made);
  if (socket === undefined) throw new HttpError(400, failure?.message ?? "the handshake is refused");
  return { socket, headers };
}

/** Asks again and again whether the client is there, and cuts off one of which nothing comes. */
function watch(socket: PackageWebSocket, stream: Duplex, pingMs: number): void {
  if (pingMs === 0) return;
  let hasAnswered = true;
  // Not the answer alone: that waits behind a message that may take long.
  stream.on("data", () => hasAnswered = true);
  const timer = setInterval(() => {
    // Its answer is not read.
    if (socket.isPaused) hasAnswered = true;
    if (!hasAnswered) return socket.terminate();
    hasAnswered = false;
    socket.ping();
  }, pingMs);
  socket.on("close", () => clearInterval(timer));
}

/**
 * Answers a WebSocket's handshake: the handler returns `response`, after which `socket` opens. Its events come from
 * then on; when the server shuts down it closes by 1001. What a listener throws, or rejects with, is the server's
 * `onError`'s, and closes the socket by 1011. Where the request is answered otherwise, the socket closes by 1006: where
 * `request` is a copy of the server's, by the copy's signal.
 *
 * Throws an {@linkcode HttpError} for a request that is no handshake, 426 or 400, which the server answers so; a
 * `TypeError` or a `RangeError` for options that are none.
 *
 * Follows RFC 6455, and RFC 7692 where `compress` is on.
 */
export function upgradeWebSocket(request: Request, options: UpgradeWebSocketOptions = {}): UpgradedWebSocket {
  const what = "cannot open a WebSocket";
  requireNames(what, "options are", options, NAMES);
  const { protocol, maxPayload = MAX_PAYLOAD, compress, pingMs = 30_000, closeMs = 0 } = options;
  if (!(Number.isSafeInteger(maxPayload) && maxPayload > 0)) {
    throw new RangeError(`${what}: maxPayload is ${shown(maxPayload)}, and no number of bytes above 0`);
  }
  if (!["undefined", "string", "function"].includes(typeof protocol)) {
    throw new TypeError(`${what}: protocol is ${shown(protocol)}, and no name and no function`);
  }
  requireFlag(what, "compress", compress);
  requireMs(what, "pingMs", pingMs);
  requireMs(what, "closeMs", closeMs);
  checkHandshake(request);

  const late = new LateStream();
  const duplex = toNodeDuplex(late);
  // The package's socket hears of it, too; before there is one, nobody does.
  duplex.on("error", () => undefined);
  const made = shakeHands(request, duplex, options);
  const socket = new ServerWebSocket(made.socket);
  // Of a copy of the server's request it follows that of the one that it was made from, and lives as long as the socket.
  const { signal } = request;
  const gone = (): void => made.socket.terminate();
  signal.addEventListener("abort", gone, { once: true });
  made.socket.on("close", () => signal.removeEventListener("abort", gone));
  if (signal.aborted) gone();
  const response = new UpgradeResponse((stream, received, closing, failed) => {
    signal.removeEventListener("abort", gone);
    late.attach(stream, received);
    const close = (): void => socket.close(1001, "the server shuts down");
    closing.addEventListener("abort", close, { once: true });
    made.socket.on("close", () => closing.removeEventListener("abort", close));
    watch(made.socket, duplex, pingMs);
    ServerWebSocket.open(socket, failed);
    if (closing.aborted) close();
  }, made.headers);
  return { socket, response };
}
