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
import type { HttpServer } from "./http/server.ts";
import { type Handler, type ServeOptions, WebServer } from "./http/web_server.ts";

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
export {
  type HttpServers,
  type HttpServersMetrics,
  serveAll,
  type ServeAllOptions,
  type ServerMetrics,
} from "./http/serve_all.ts";
export type { HttpLimits } from "./http/limits.ts";
export type { HttpServer, ListenerOptions } from "./http/server.ts";
export type { HttpTimeouts } from "./http/timeouts.ts";
export type { Handler, ServeOptions } from "./http/web_server.ts";

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
