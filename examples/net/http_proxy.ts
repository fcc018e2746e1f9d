/**
 * An HTTP proxy: tunnels for CONNECT, and requests for http handed on, RFC 9110 and RFC 9112.
 *
 *     deno run -A examples/net/http_proxy.ts [PORT]
 *     curl -x http://127.0.0.1:PORT https://example.org/
 *
 * A tunnel knows nothing of its bytes. A request is read up to the end of its head, which is written anew: without the
 * fields that are meant for the proxy alone, and with `Connection: close`, so that one connection is one request and
 * its body and the response need not be understood. Everybody may connect: listen on loopback alone.
 */
import process from "node:process";
import { BufReader, copyBidirectional } from "../../lib/net/async_io.ts";
import { type NetAddress, TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { type Coroutine, race, run, Scope, shutdownSignal, timeout } from "../../lib/task/mod.ts";

const HEAD_MS = 10_000;
const CONNECT_MS = 10_000;
const LINE_BYTES = 8192;
const MOST_FIELDS = 100;
/** Of one connection and not of the message: RFC 9110, 7.6.1. */
const HOP_BY_HOP = ["connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "upgrade"];

const encoder = new TextEncoder();

/** What the client is told instead of an answer. */
class Refused extends Error {
  override name = "Refused";
  readonly status: string;

  constructor(status: string, message: string) {
    super(message);
    this.status = status;
  }
}

interface Head {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Reads up to the blank line; `null` where the client says nothing. */
function* readHead(reader: BufReader): Coroutine<Head | null> {
  const line = yield* reader.readLine({ limit: LINE_BYTES });
  if (line === null) return null;
  const [, method, target] = /^([!#-'*+.^-z|~\w-]+) (\S+) HTTP\/1\.[01]$/.exec(line) ?? [];
  if (method === undefined) throw new Refused("400 Bad Request", "no request line");
  const fields: [string, string][] = [];
  for (;;) {
    const line = yield* reader.readLine({ limit: LINE_BYTES });
    if (line === "") return { method, target, fields };
    const [, name, value] = /^([!#-'*+.^-z|~\w-]+):[ \t]*([^\0\r]*?)[ \t]*$/.exec(line ?? "") ?? [];
    if (name === undefined) throw new Refused("400 Bad Request", "a line of the head is no field");
    if (fields.push([name, value]) > MOST_FIELDS) {
      throw new Refused("431 Request Header Fields Too Large", "too many fields");
    }
  }
}

function addressOf(url: URL): NetAddress {
  return { hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(url.port || 80) };
}

/** The head for the server: its own part of the target, and what is meant for it. */
function rewritten({ method, fields }: Head, url: URL): string {
  const listed = fields.filter(([name]) => name.toLowerCase() === "connection").map(([, value]) => value);
  const dropped = new Set([...HOP_BY_HOP, "host", ...listed.join().toLowerCase().split(/[ ,\t]+/)]);
  const kept = fields.filter(([name]) => !dropped.has(name.toLowerCase()));
  const lines = [["Host", url.host], ...kept, ["Via", "1.1 oxbow"], ["Connection", "close"]];
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n` +
    `${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

function* connect(address: NetAddress): Coroutine<TcpStream> {
  try {
    return yield* timeout(CONNECT_MS, TcpStream.connect(address));
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    throw new Refused(isLate ? "504 Gateway Timeout" : "502 Bad Gateway", String(error));
  }
}

/** Connects to where the head says and hands it on, where it is not for the proxy alone. */
function* begin(client: TcpStream, head: Head): Coroutine<TcpStream> {
  const isTunnel = head.method === "CONNECT";
  const target = isTunnel ? `http://${head.target}/` : head.target;
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url?.protocol !== "http:" || url.username !== "") {
    throw new Refused("400 Bad Request", `${head.target} is no address that is connected to here`);
  }
  const server = yield* connect(addressOf(url));
  const first = isTunnel
    ? client.writeAll(encoder.encode("HTTP/1.1 200 Connection established\r\n\r\n"))
    : server.writeAll(encoder.encode(rewritten(head, url)));
  try {
    yield* first;
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}

function* handOn(client: TcpStream): Coroutine<void> {
  const reader = new BufReader(client);
  try {
    const head = yield* timeout(HEAD_MS, readHead(reader));
    if (head === null) return;
    using server = yield* begin(client, head);
    // What came with the head: the beginning of a body, or of what is tunnelled.
    yield* server.writeAll(reader.buffered.slice());
    yield* copyBidirectional(client, server);
  } catch (error) {
    if (error instanceof Refused) {
      yield* client.writeAll(
        encoder.encode(`HTTP/1.1 ${error.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
      );
    }
    throw error;
  }
}

function* proxy(stream: TcpStream): Coroutine<void> {
  using client = stream;
  try {
    yield* handOn(client);
  } catch (error) {
    // Also where it has gone before it was told: it ends nobody else's connection.
    console.error(String(error));
  }
}

function* accept(listener: TcpListener, clients: Scope): Coroutine<never> {
  console.log(`HTTP proxy on 127.0.0.1:${listener.address.port}`);
  for (;;) {
    const { stream } = yield* listener.accept();
    clients.spawn(proxy, stream);
  }
}

await run(function* (): Coroutine<void> {
  using clients = new Scope();
  using listener = TcpListener.bind({ hostname: "127.0.0.1", port: Number(process.argv[2] ?? 0) });
  yield* race<unknown>([shutdownSignal(), accept(listener, clients)]);
});
