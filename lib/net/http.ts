/**
 * An HTTP/1.1 server on the runtime of `/task`, in the web's own `Request` and `Response`, as `Deno.serve`
 * reads. A connection is one task: it parses what its socket has, calls the handler, and answers with one
 * system call, parking only where the kernel says that it would block. A `Request` is lazy, so that a
 * handler pays for what it looks at.
 *
 * It is strict where two readings of a request could differ, and it bounds what a client may send and how
 * long it may take; a client that is too slow is told so with 408.
 *
 * @example
 * ```ts
 * import { run } from "@oxbow/oxbow/task";
 * import { serve } from "@oxbow/oxbow/http";
 *
 * await run(async () => {
 *   await using server = serve((request) => new Response(`hello, ${new URL(request.url).pathname}`), { port: 0 });
 *   console.log(server.address.hostname); // 127.0.0.1
 * });
 * ```
 *
 * Follows RFC 9110 and RFC 9112.
 *
 * @module
 */
import { SystemError } from "../../ffi/mod.ts";
import { type Coroutine, type JoinHandle, sleep, spawn } from "../task/mod.ts";
import { adoptLazyRequests } from "./http/adopt.ts";
import { Buffers, Connection, type Phase } from "./http/connection.ts";
import { serveConnection, type Service } from "./http/exchange.ts";
import { HttpError } from "./http/error.ts";
import { type HttpLimits, resolveLimits } from "./http/limits.ts";
import { ResponseWriter } from "./http/response_writer.ts";
import { type NetAddress, TcpListener, type TcpStream } from "./mod.ts";

export { HttpError } from "./http/error.ts";
export { type FilePart, FileResponse, type OnUpgrade, UpgradeResponse } from "./http/special_response.ts";
export {
  eventStream,
  type EventStreamOptions,
  formatEvent,
  type ServerSentEvent,
} from "./http/event_stream.ts";
export { type FileHandler, serveFiles, type ServeFilesOptions } from "./http/static_files.ts";
export { StaticResponse, type StaticResponseInit } from "./http/static_response.ts";
export type { HttpLimits } from "./http/limits.ts";

/** Answers a request. What it throws, or rejects with, is `onError`'s. */
export type Handler = (request: Request) => Response | PromiseLike<Response>;

/** How long a client may take, in milliseconds. */
export interface HttpTimeouts {
  /** Between two requests: 60,000 where nothing is said. */
  idle?: number;
  /** From a request's first byte to the end of its head: 10,000. */
  head?: number;
  /** Without a byte of a body: 30,000. */
  body?: number;
  /** Without room for 64 KiB more of a response: 30,000. */
  write?: number;
}

/** How a server listens and what it bears. */
export interface ServeOptions {
  /** A numeric address: 127.0.0.1 where nothing is said. */
  hostname?: string;
  /** 8000 where nothing is said; 0 has the kernel choose one. */
  port?: number;
  /** Shuts the server down, as `shutdown()` does. */
  signal?: AbortSignal;
  /** Several servers may listen on the port. */
  reusePort?: boolean;
  /** Connections at once: 10,000 where nothing is said; one more is told 503. */
  maxConnections?: number;
  limits?: HttpLimits;
  timeouts?: HttpTimeouts;
  onListen?: (address: NetAddress) => void;
  /** Answers in the place of a handler that threw: 500 and a line on stderr where nothing is said. */
  onError?: (error: unknown) => Response | PromiseLike<Response>;
}

/** A server that runs. */
export interface HttpServer extends AsyncDisposable {
  readonly address: NetAddress;
  /** Settled once the server has stopped and its last connection has closed. */
  readonly finished: Promise<void>;
  /**
   * Stops listening, closes the connections that are idle, lets the others finish the response that they are
   * at, and cuts them after `deadline` milliseconds, 10,000 where nothing is said.
   */
  shutdown(options?: { deadline?: number }): Promise<void>;
}

const SHUTDOWN_MS = 10_000;
/** A client that was told that the connection ends has this long to hear it. */
const CLOSING_MS = 2_000;
const LONGEST_TICK_MS = 500;

function defaultOnError(error: unknown): Response {
  console.error(error);
  return new Response("Internal Server Error\n", { status: 500 });
}

/** What answers for a handler that threw must answer whatever happens. */
function safely(onError: NonNullable<ServeOptions["onError"]>): (error: unknown) => Promise<Response> {
  return async (error) => {
    try {
      const response: unknown = await onError(error);
      if (response instanceof Response) return response;
      throw new TypeError(`onError gave ${String(response)}, which is no Response`);
    } catch (failure) {
      return defaultOnError(failure);
    }
  };
}

/** A positive number of milliseconds or of things. Throws a `RangeError` that names it. */
function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`cannot serve: ${name} is ${value}, not a number above 0`);
}

class Server implements HttpServer, Service {
  readonly buffers: Buffers = new Buffers();
  readonly handler: Handler;
  readonly onError: (error: unknown) => Promise<Response>;
  readonly origin: string;
  readonly address: NetAddress;
  readonly finished: Promise<void>;
  isClosing = false;
  #listener: TcpListener;
  #connections = new Map<Connection, JoinHandle<void>>();
  /** Connections that speak another protocol, until they are closed. */
  #upgraded = new Set<TcpStream>();
  #closing = new AbortController();
  #limits: HttpLimits | undefined;
  #maxConnections: number;
  #tickMs: number;
  /** How many turns of the sweeper each phase may last. */
  #turns: Record<Phase, number>;
  #finish: () => void;
  #tasks: JoinHandle<void>[];

  constructor(handler: Handler, options: ServeOptions) {
    const { hostname = "127.0.0.1", port = 8000, reusePort, timeouts = {}, maxConnections = 10_000 } =
      options;
    this.handler = handler;
    this.onError = safely(options.onError ?? defaultOnError);
    this.#limits = options.limits;
    this.#maxConnections = positive("maxConnections", maxConnections);
    const idle = positive("timeouts.idle", timeouts.idle ?? 60_000);
    const head = positive("timeouts.head", timeouts.head ?? 10_000);
    const body = positive("timeouts.body", timeouts.body ?? 30_000);
    const write = positive("timeouts.write", timeouts.write ?? 30_000);
    resolveLimits(options.limits);
    this.#tickMs = Math.max(1, Math.min(LONGEST_TICK_MS, Math.min(idle, head, body, write) / 4));
    const turns = (ms: number): number => Math.ceil(ms / this.#tickMs);
    this.#turns = {
      idle: turns(idle),
      head: turns(head),
      body: turns(body),
      handler: Infinity,
      writing: turns(write),
      closing: turns(CLOSING_MS),
    };
    this.#listener = TcpListener.bind({ hostname, port }, { reusePort, noDelay: true });
    this.address = this.#listener.address;
    this.origin = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${this.address.port}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    this.#tasks = [spawn(acceptAll, this, this.#listener), spawn(sweepAll, this, this.#tickMs)];
  }

  /** The acceptor's: a connection becomes a task, or is turned away. */
  accept(stream: TcpStream): void {
    const connection = new Connection(stream, this.buffers, this.#limits);
    if (this.#connections.size + this.#upgraded.size >= this.#maxConnections) {
      this.#say(connection, new HttpError(503, "too many connections; try again later"));
      stream.close();
      return;
    }
    this.#connections.set(connection, spawn(oneConnection, connection, this));
  }

  /** Says it to a client that may have gone. */
  #say(connection: Connection, error: HttpError): void {
    new ResponseWriter(this.buffers.output).fail(error);
    try {
      connection.send();
    } catch (failure) {
      if (!(failure instanceof SystemError)) throw failure;
    }
  }

  /** A connection's: it has closed. */
  closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#finishIfOver();
  }

  /** A connection's: somebody else has it. */
  upgraded(connection: Connection): AbortSignal {
    connection.isUpgraded = true;
    this.#upgraded.add(connection.stream);
    return this.#closing.signal;
  }

  /** The sweeper's turn: cuts whoever has taken too long. */
  sweep(): void {
    for (const stream of this.#upgraded) if (stream.isClosed) this.#upgraded.delete(stream);
    this.#finishIfOver();
    for (const connection of this.#connections.keys()) {
      if (++connection.age <= this.#turns[connection.phase]) continue;
      const isLate = connection.phase === "head" || connection.phase === "body";
      if (isLate && !connection.isAnswering) {
        this.#say(connection, new HttpError(408, "the request did not come in time"));
      }
      this.#cut(connection);
    }
  }

  #cut(connection: Connection): void {
    const task = this.#connections.get(connection);
    this.#connections.delete(connection);
    task?.abort();
    // A task that never had its turn has no `finally` to close it.
    if (!connection.isUpgraded) connection.stream.close();
    this.#finishIfOver();
  }

  shutdown({ deadline = SHUTDOWN_MS }: { deadline?: number } = {}): Promise<void> {
    if (!(deadline >= 0)) throw new RangeError(`cannot shut down: deadline is ${deadline}, not milliseconds`);
    if (!this.isClosing) {
      this.isClosing = true;
      for (const task of this.#tasks) task.abort();
      this.#listener.close();
      for (const connection of this.#connections.keys()) {
        if (connection.phase === "idle") this.#cut(connection);
      }
      this.#closing.abort(new DOMException("the server shuts down", "AbortError"));
      if (this.#connections.size + this.#upgraded.size > 0) {
        this.#tasks = [spawn(sweepAll, this, this.#tickMs), spawn(cutAll, this, deadline)];
      }
      this.#finishIfOver();
    }
    return this.finished;
  }

  /** The deadline's. */
  cutRest(): void {
    for (const connection of this.#connections.keys()) this.#cut(connection);
    for (const stream of this.#upgraded) stream.close();
    this.#upgraded.clear();
    this.#finishIfOver();
  }

  #finishIfOver(): void {
    if (!this.isClosing || this.#connections.size + this.#upgraded.size > 0) return;
    for (const task of this.#tasks) task.abort();
    this.#finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

function* acceptAll(server: Server, listener: TcpListener): Coroutine<void> {
  using _ = listener;
  for (;;) server.accept((yield* listener.accept()).stream);
}

function* sweepAll(server: Server, ms: number): Coroutine<void> {
  for (;;) {
    yield* sleep(ms);
    server.sweep();
  }
}

function* cutAll(server: Server, deadline: number): Coroutine<void> {
  yield* sleep(deadline);
  server.cutRest();
}

function* oneConnection(connection: Connection, server: Server): Coroutine<void> {
  try {
    yield* serveConnection(connection, server);
  } finally {
    server.closed(connection);
  }
}

/**
 * Serves HTTP/1.1 on the running runtime until it is shut down. Throws where no runtime runs, a `SystemError`
 * with `EADDRINUSE` where the port is taken, and Deno's `NotCapable` where listening is not permitted. On Bun
 * and Node it wraps the globals `fetch` and `Request` once, so that they take the requests of this server.
 */
export function serve(handler: Handler, options: ServeOptions = {}): HttpServer {
  adoptLazyRequests();
  const server = new Server(handler, options);
  options.signal?.addEventListener("abort", () => server.shutdown(), { once: true });
  if (options.signal?.aborted) server.shutdown();
  else options.onListen?.(server.address);
  return server;
}
