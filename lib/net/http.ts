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
import { adoptGlobals } from "./http/adopt.ts";
import type { Connection } from "./http/connection.ts";
import { type HttpServer, type ListenerOptions, Server } from "./http/server.ts";
import { WebConnection, type WebService } from "./http/web_connection.ts";
import type { TcpStream } from "./mod.ts";

export { HttpError, type HttpErrorOptions } from "./http/error.ts";
export {
  type FilePart,
  FileResponse,
  type OnUpgrade,
  UpgradeResponse,
} from "./http/response/special_response.ts";
export {
  eventStream,
  type EventStreamOptions,
  formatEvent,
  type ServerSentEvent,
} from "./http/event_stream.ts";
export { type FileHandler, serveFiles, type ServeFilesOptions } from "./http/static_files.ts";
export { StaticResponse, type StaticResponseInit } from "./http/response/static_response.ts";
export {
  LeanError,
  type LeanHandler,
  type LeanOptions,
  LeanRequest,
  LeanResponse,
  Precomputed,
  type PrecomputedInit,
  serveLean,
} from "./http/lean.ts";
export type { HttpLimits } from "./http/limits.ts";
export type { HttpServer, HttpTimeouts, ListenerOptions } from "./http/server.ts";

/** Answers a request. What it throws, or rejects with, is `onError`'s. */
export type Handler = (request: Request) => Response | PromiseLike<Response>;

/** How a server listens, what it bears, and what it does with errors. */
export interface ServeOptions extends ListenerOptions {
  /** Answers in the place of a handler that threw: 500 and a line on stderr where nothing is said. */
  onError?: (error: unknown) => Response | PromiseLike<Response>;
  /**
   * Whether, on Bun and Node, three globals are wrapped until the last server that wants them has finished: `fetch` and
   * `Request`, so that they take the requests of this server, and `Response`, which gives a `StaticResponse` for a text,
   * bytes or nothing, in a quarter of the time. That passes for a `Response` wherever its methods and properties are
   * asked for, not where an API of the host's wants the inside of one (`Bun.write`, `Bun.serve`). True where nothing is
   * said; Deno needs none of it.
   */
  wrapGlobals?: boolean;
}

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

class WebServer extends Server implements WebService {
  readonly handler: Handler;
  readonly onError: (error: unknown) => Promise<Response>;

  constructor(handler: Handler, options: ServeOptions) {
    super(options);
    this.handler = handler;
    this.onError = safely(options.onError ?? defaultOnError);
  }

  protected override connect(stream: TcpStream): Connection {
    return new WebConnection(stream, this);
  }

  override failed(error: unknown): void {
    this.onError(error);
  }
}

/**
 * Serves HTTP/1.1 on the running runtime until it is shut down. Throws where no runtime runs, a `SystemError`
 * with `EADDRINUSE` where the port is taken, and Deno's `NotCapable` where listening is not permitted. On Bun
 * and Node it wraps globals while it runs: see `wrapGlobals`.
 */
export function serve(handler: Handler, options: ServeOptions = {}): HttpServer {
  if (typeof handler !== "function") throw new TypeError("cannot serve: handler is no function");
  const server = new WebServer(handler, options);
  if (options.wrapGlobals !== false) server.finished.then(adoptGlobals());
  server.start(options);
  return server;
}
