import type { Pool } from "../../task/pool.ts";
import type { NetAddress } from "../mod.ts";
import type { HttpLimits } from "./limits.ts";
import type { HttpServers } from "./serve_all/opener.ts";
import type { HttpTimeouts } from "./timeouts.ts";

export type { HttpServersMetrics, ServerMetrics } from "./serve_all/metrics.ts";
export type { HttpServers } from "./serve_all/opener.ts";

/** Where the servers listen, how many they are, and what each of them bears. */
export interface ServeAllOptions {
  /** The module's export that answers: `default` where nothing is said. */
  export?: string;
  /** The export answers as `serveLean`'s handler does, and not as `serve`'s. */
  lean?: boolean;
  /** How many servers: as many as the pool has threads, or the process may use cores, where nothing is said. */
  threads?: number;
  /**
   * Whose threads serve, beside its other jobs: threads of their own where nothing is said. These are new ones at each
   * `reload`; a pool's import the module once more, by a query `reload`, and what it imports as it was.
   */
  pool?: Pool;
  /**
   * Who gives a connection to a server: the kernel, to which each server is a listener of its own (`reusePort`), or this
   * thread, which accepts all and passes each to the server that has the fewest (`pass`). `reusePort` where nothing is
   * said.
   */
  distribute?: "reusePort" | "pass";
  /** A numeric address: 127.0.0.1 where nothing is said. */
  hostname?: string;
  /** 8000 where nothing is said; 0 has the kernel choose one. */
  port?: number;
  /** Shuts the servers down, as `shutdown()` does; `serveAll` is rejected with its reason until all listen. */
  signal?: AbortSignal;
  /** Called once all servers listen. What it throws is `serveAll`'s, and ends them. */
  onListen?: (address: NetAddress) => void;
  /** Told why a server has died; another takes its place. A line on stderr where nothing is said. */
  onCrash?: (error: unknown) => void;
  /** As `serve` does, on each thread. */
  wrapGlobals?: boolean;
  /** Connections at once, of each server: 10,000 where nothing is said. */
  maxConnections?: number;
  limits?: HttpLimits;
  timeouts?: HttpTimeouts;
}

/**
 * Serves HTTP/1.1 on several threads, each of which has a server as `serve` or `serveLean` make one, with a copy of the
 * module: what one keeps in its variables the others do not see. Resolves once all listen. A server that dies takes its
 * connections with it; another takes its place, and what was not accepted yet waits for that.
 *
 * Rejected where the module cannot be imported or lacks the export, with a `SystemError`, `EADDRINUSE`, where the port is
 * taken, Deno's `NotCapable` where listening is not permitted, the signal's reason where that is aborted before all
 * listen, a `PoolClosedError` where the pool is closed, and a `TypeError` or a `RangeError` for what is no module or no
 * option. Costs the start of the threads, at some tens of milliseconds each, and for each connection that is passed
 * (`pass`) a wake-up of this thread beside the server's.
 *
 * @example
 * ```ts
 * import { mkdtempSync, writeFileSync } from "node:fs";
 * import { pathToFileURL } from "node:url";
 * import { serveAll } from "@oxbow/oxbow/http";
 * import { run } from "@oxbow/oxbow/task";
 *
 * // In a program of yours: new URL("./app.ts", import.meta.url).
 * const app = pathToFileURL(`${mkdtempSync("/tmp/app-")}/app.mjs`);
 * writeFileSync(app, `export default { fetch: () => new Response("hello") };`);
 *
 * await run(async () => {
 *   await using servers = await serveAll(app, { port: 0, threads: 2 });
 *   const answer = await fetch(`http://127.0.0.1:${servers.address.port}/`);
 *   console.log(await answer.text(), servers.metrics().requests); // hello 1
 * });
 * ```
 */
export async function serveAll(module: URL | string, options: ServeAllOptions = {}): Promise<HttpServers> {
  // The pool's modules are a third of all, and a single server needs none of them.
  const { openServers } = await import("./serve_all/open_servers.ts");
  return await openServers(module, options);
}
