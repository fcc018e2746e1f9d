import { readFile } from "node:fs/promises";
import type { NetAddress } from "../../../lib/net/mod.ts";
import { type HttpServer, serve } from "../../../lib/net/http.ts";
import { Batcher } from "./batcher.ts";
import { Metrics } from "./metrics.ts";
import { toHandler, toPage } from "./routes.ts";
import { checkQuery, type SearchIndex } from "../index/search_index.ts";

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/i;

/** How an index is served. */
export interface ServeIndexOptions {
  /** A numeric address: 127.0.0.1 where nothing is said, so that nobody else can ask. */
  hostname?: string;
  /** 7777 where nothing is said; 0 has the kernel choose one. */
  port?: number;
  /** False makes each query a product of its own. */
  batching?: boolean;
  /** Ends the server once what was asked has been answered. */
  signal?: AbortSignal;
  onListen?: (address: NetAddress) => void;
}

/** Reads the page that lies beside this module, from a disk or from where the package was loaded. */
async function readPage(): Promise<string> {
  const url = new URL("./page.html", import.meta.url);
  if (url.protocol === "file:") return await readFile(url, "utf8");
  return await (await fetch(url)).text();
}

/**
 * Serves an index over HTTP on the running runtime: `GET /` the page, `GET /search?q=…&k=…` as JSON,
 * `GET /metrics` for Prometheus. Queries that arrive together are answered by one product. Throws a
 * `SystemError` with `EADDRINUSE` where the port is taken.
 */
export async function serveIndex(index: SearchIndex, options: ServeIndexOptions = {}): Promise<HttpServer> {
  const { hostname = "127.0.0.1", port = 7777, batching = true, signal, onListen } = options;
  const metrics = new Metrics(index.passages);
  const batcher = new Batcher(index, batching, (queries, ms) => metrics.batch(queries, ms));
  const page = toPage(await readPage());
  const handler = toHandler({
    batcher,
    metrics,
    page,
    validate: checkQuery,
    anyHost: !LOOPBACK.test(hostname),
  });
  return serve(handler, { hostname, port, signal, onListen });
}
