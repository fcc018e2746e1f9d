/**
 * The server of `/http` without `Request` and `Response`: a handler reads of a request what it needs, straight from its
 * bytes, and ends a response that is a status, header fields and a body. It is the same engine, with the same limits,
 * timeouts and shutdown, and spends about half of a microsecond less a request.
 *
 * @example
 * ```ts
 * import { run } from "@oxbow/oxbow/task";
 * import { Precomputed, serveLean } from "@oxbow/oxbow/http";
 *
 * const HELLO = new Precomputed("hello\n");
 *
 * await run(async () => {
 *   await using server = serveLean((request, response) => {
 *     if (request.path === "/") response.send(HELLO);
 *     else response.header("x-path", request.path).end("somewhere else");
 *   }, { port: 0 });
 *   const answer = await fetch(`http://127.0.0.1:${server.address.port}/`);
 *   console.log(await answer.text()); // hello
 * });
 * ```
 *
 * @module
 */
import type { TcpStream } from "../mod.ts";
import type { Connection } from "./connection.ts";
import type { Feed } from "./feed.ts";
import { LeanConnection, type LeanHandler, type LeanService } from "./lean/connection.ts";
import { type HttpServer, type ListenerOptions, Server } from "./server.ts";
import { ERRORS, type Tally } from "./tally.ts";

export type { LeanHandler } from "./lean/connection.ts";
export { LeanError } from "./lean/misuse.ts";
export { Precomputed, type PrecomputedInit } from "./lean/precomputed.ts";
export { LeanRequest } from "./lean/request.ts";
export { LeanResponse } from "./lean/response.ts";

/** How a lean server listens, what it bears, and whom it tells of errors. */
export interface LeanOptions extends ListenerOptions {
  /** Told what a handler has thrown: a line on stderr where nothing is said. The client is answered 500. */
  onError?: (error: unknown) => void;
}

/** What `serveLean` serves with: for the inside of this package. */
export class LeanServer extends Server implements LeanService {
  readonly handler: LeanHandler;
  readonly #onError: (error: unknown) => void;

  constructor(handler: LeanHandler, options: LeanOptions, feed?: Feed, tally?: Tally) {
    super(options, feed, tally);
    this.handler = handler;
    this.#onError = options.onError ?? console.error;
  }

  protected override connect(stream: TcpStream): Connection {
    return new LeanConnection(stream, this);
  }

  override failed(error: unknown): void {
    this.tally[ERRORS]++;
    try {
      this.#onError(error);
    } catch (failure) {
      console.error(failure);
    }
  }
}

/** Serves HTTP/1.1 as `serve` does, with requests and responses of its own. Throws what `serve` throws. */
export function serveLean(handler: LeanHandler, options: LeanOptions = {}): HttpServer {
  if (typeof handler !== "function") throw new TypeError("cannot serve: handler is no function");
  const server = new LeanServer(handler, options);
  server.start(options);
  return server;
}
