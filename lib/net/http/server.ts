import { withoutScope } from "../../../ffi/layout/numeric_address.ts";
import { type Coroutine, type JoinHandle, sleep, spawn } from "../../task/mod.ts";
import { currentRuntime } from "../../task/runtime/current.ts";
import type { Runtime } from "../../task/runtime/runtime.ts";
import { type NetAddress, TcpListener, type TcpStream } from "../mod.ts";
import { Buffers } from "./buffers.ts";
import type { Connection } from "./connection.ts";
import { Deadlines, IDLE } from "./deadlines.ts";
import { HttpError } from "./error.ts";
import { type Feed, ListenerFeed } from "./feed.ts";
import type { HttpLimits } from "./limits.ts";
import { ResponseWriter } from "./response/response_writer.ts";
import type { Service } from "./service.ts";
import { ACCEPTED, type Tally, TALLY_NUMBERS } from "./tally.ts";
import { type HttpTimeouts, positive, resolveTimeouts } from "./timeouts.ts";

/** How a server listens and what it bears. */
export interface ListenerOptions {
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
}

/** A server that runs. */
export interface HttpServer extends AsyncDisposable {
  readonly address: NetAddress;
  /** Settled once the server has stopped and its last connection has closed. */
  readonly finished: Promise<void>;
  /**
   * Stops listening, closes the connections that are idle, lets the others finish the response that they are
   * at, and cuts them after `deadline` milliseconds, 10,000 where nothing is said. Where it is called again the
   * earlier deadline counts.
   */
  shutdown(options?: { deadline?: number }): Promise<void>;
}

const SHUTDOWN_MS = 10_000;
/** A client that was told that the connection ends has this long to hear it. */
const CLOSING_MS = 2_000;
const LONGEST_TICK_MS = 500;
/** How long a server that shuts down may wait in vain for one that speaks another protocol, and has closed. */
const CLOSING_TICK_MS = 5;
/** Clients beyond `maxConnections` that are told so at once: one more is closed without a word. */
const TURNED_AWAY = 256;
/** Connections that speak another protocol, of which so many are asked in a turn whether they are closed. */
const ASKED = 64;
/** And so many where one more comes: those that are closed never outnumber those that are open for long. */
const ASKED_FOR_ONE = 2;

/** What listens, accepts, and ends what takes too long: everything but how a request is answered. */
export abstract class Server implements HttpServer, Service {
  readonly runtime: Runtime;
  readonly buffers: Buffers;
  readonly deadlines: Deadlines;
  readonly writer: ResponseWriter;
  /** `http://127.0.0.1:8000`, for clients that name no host. */
  readonly origin: string;
  readonly address: NetAddress;
  readonly finished: Promise<void>;
  readonly tally: Tally;
  isClosing = false;
  isLast = false;
  #feed: Feed;
  /** Streams that somebody else has, until they are closed. */
  #upgraded = new Set<TcpStream>();
  #closing = new AbortController();
  #maxConnections: number;
  #tickMs: number;
  #finish: () => void;
  /** Called where `finished` is settled: who waits by it in a coroutine has the runtime look after no promise. */
  onFinished: () => void = () => {};
  #tasks: JoinHandle<void>[];

  /** Listens, where no `feed` is given; `tally` is where its numbers go, where somebody else reads them. */
  constructor(options: ListenerOptions, feed?: Feed, tally: Tally = new Float64Array(TALLY_NUMBERS)) {
    const { hostname = "127.0.0.1", port = 8000, reusePort, timeouts, maxConnections = 10_000 } = options;
    this.#maxConnections = positive("maxConnections", maxConnections);
    const { idle, head, body, handler, write } = resolveTimeouts(timeouts);
    this.buffers = new Buffers(options.limits);
    this.writer = new ResponseWriter(this.buffers.output);
    this.#tickMs = Math.max(1, Math.min(LONGEST_TICK_MS, Math.min(idle, head, body, handler, write) / 4));
    const limits = [idle, head, body, handler, write, CLOSING_MS];
    this.deadlines = new Deadlines(limits.map((ms) => Math.ceil(ms / this.#tickMs)));
    this.runtime = currentRuntime();
    this.tally = tally;
    this.#feed = feed ??
      new ListenerFeed(TcpListener.bind({ hostname, port }, { reusePort, noDelay: true }));
    this.address = this.#feed.address;
    // No URL has the interface of a link.
    const host = withoutScope(hostname);
    this.origin = `http://${host.includes(":") ? `[${host}]` : host}:${this.address.port}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    this.#tasks = [spawn(acceptAll, this, this.#feed), spawn(sweepAll, this, this.#tickMs)];
  }

  /** A connection of the kind that this server has. */
  protected abstract connect(stream: TcpStream): Connection;

  abstract failed(error: unknown): void;

  /** Tells who asked for it that the server begins to listen, or ends it, where its signal was aborted. */
  start({ signal, onListen }: ListenerOptions): void {
    const stop = (): void => {
      this.shutdown();
    };
    signal?.addEventListener("abort", stop, { once: true });
    this.finished.then(() => signal?.removeEventListener("abort", stop));
    if (signal?.aborted) return stop();
    try {
      onListen?.(this.address);
    } catch (error) {
      stop();
      throw error;
    }
  }

  /** The acceptor's: a connection becomes a task, or is turned away. */
  accept(stream: TcpStream): void {
    if (this.deadlines.size + this.#upgraded.size >= this.#maxConnections) this.#askUpgraded(ASKED);
    const busy = this.deadlines.size + this.#upgraded.size;
    if (busy >= this.#maxConnections + TURNED_AWAY) {
      stream.close();
      return;
    }
    this.tally[ACCEPTED]++;
    const connection = this.connect(stream);
    if (busy >= this.#maxConnections) {
      connection.turnAway(new HttpError(503, "too many connections; try again later"));
    }
    connection.task = spawn(poll, connection);
  }

  /** A connection's: it has closed. */
  closed(): void {
    this.#finishIfOver();
  }

  /** A connection's: somebody else has its stream. */
  upgraded(stream: TcpStream): AbortSignal {
    this.#askUpgraded(ASKED_FOR_ONE);
    this.#upgraded.add(stream);
    return this.#closing.signal;
  }

  /** The sweeper's turn: cuts whoever has taken too long. */
  sweep(): void {
    this.deadlines.sweep();
    if (this.isLast) this.askAll();
    else this.#askUpgraded(ASKED);
  }

  /** Forgets those whose streams are somebody else's and closed. */
  askAll(): void {
    this.#askUpgraded(this.#upgraded.size);
    this.#finishIfOver();
  }

  /** Forgets those that are closed of the `count` that were asked longest ago. */
  #askUpgraded(count: number): void {
    let left = Math.min(count, this.#upgraded.size);
    for (const stream of this.#upgraded) {
      if (left-- === 0) break;
      this.#upgraded.delete(stream);
      // At the end of the queue: the others are asked next.
      if (!stream.isClosed) this.#upgraded.add(stream);
    }
  }

  shutdown({ deadline = SHUTDOWN_MS }: { deadline?: number } = {}): Promise<void> {
    if (!(deadline >= 0)) throw new RangeError(`cannot shut down: deadline is ${deadline}, not milliseconds`);
    if (!this.isClosing) {
      this.isClosing = true;
      this.#stop();
      for (const connection of this.deadlines.in(IDLE)) connection.cutIdle();
      this.#finishIfOver();
    }
    return this.#cutAfter(deadline);
  }

  /**
   * As `shutdown`, but that who is connected may ask once more: each connection ends with its next answer, which says
   * so, and none between two requests, where a client may have sent one already.
   */
  drain({ deadline = SHUTDOWN_MS }: { deadline?: number } = {}): Promise<void> {
    if (!this.isLast) {
      this.#stop();
      this.#finishIfOver();
    }
    return this.#cutAfter(deadline);
  }

  /** Takes no connection any more. */
  #stop(): void {
    if (this.isLast) return;
    this.isLast = true;
    for (const task of this.#tasks) task.abort();
    this.#feed.close();
    this.#closing.abort(new DOMException("the server shuts down", "AbortError"));
    this.#tasks = [spawn(sweepAll, this, this.#tickMs)];
    if (this.#upgraded.size > 0) this.#tasks.push(spawn(askOften, this));
  }

  #cutAfter(deadline: number): Promise<void> {
    // Who asks again may have less patience.
    if (this.deadlines.size + this.#upgraded.size > 0) this.#tasks.push(spawn(cutAll, this, deadline));
    return this.finished;
  }

  /** The acceptor's: it has ended, and where nobody has asked for it, its runtime has, or nothing can be accepted. */
  acceptsNoMore(): void {
    if (this.isLast) return;
    this.isClosing = this.isLast = true;
    this.#feed.close();
    this.#closing.abort(new DOMException("the server has ended", "AbortError"));
    this.cutRest();
  }

  /** The deadline's. */
  cutRest(): void {
    for (const connection of this.deadlines.all()) connection.cut();
    for (const stream of this.#upgraded) stream.close();
    this.#upgraded.clear();
    this.#finishIfOver();
  }

  #finishIfOver(): void {
    if (!this.isLast || this.deadlines.size + this.#upgraded.size > 0) return;
    for (const task of this.#tasks) task.abort();
    this.#finish();
    this.onFinished();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

function poll(connection: Connection): Connection {
  return connection;
}

function* acceptAll(server: Server, feed: Feed): Coroutine<void> {
  if (feed.run === undefined) return;
  try {
    yield* feed.run(server);
  } catch (error) {
    server.failed(error);
  } finally {
    server.acceptsNoMore();
  }
}

function* sweepAll(server: Server, ms: number): Coroutine<void> {
  for (;;) {
    yield* sleep(ms);
    server.sweep();
  }
}

/** Nobody says of those whose stream is somebody else's that they have closed, and who shuts down waits for them. */
function* askOften(server: Server): Coroutine<void> {
  for (;;) {
    server.askAll();
    yield* sleep(CLOSING_TICK_MS);
  }
}

function* cutAll(server: Server, deadline: number): Coroutine<void> {
  yield* sleep(deadline);
  server.cutRest();
}
