import { availableParallelism } from "node:os";
import { requireFlag, requireNames, shown } from "../../../io/arguments.ts";
import { Pool } from "../../../task/pool.ts";
import type { ServeAllOptions } from "../serve_all.ts";
import { moduleUrl, requireCallback } from "./arguments.ts";
import { Crew } from "./crew.ts";
import { type HttpServers, Opener, type Opening } from "./opener.ts";

const WHAT = "cannot serve";
const NAMES: readonly string[] = [
  "export",
  "lean",
  "threads",
  "pool",
  "distribute",
  "hostname",
  "port",
  "signal",
  "onListen",
  "onCrash",
  "wrapGlobals",
  "maxConnections",
  "limits",
  "timeouts",
] satisfies (keyof ServeAllOptions)[];

/** The same module by another name, by which threads that have it import it once more. */
function anew(module: string, reloads: number): string {
  const url = new URL(module);
  url.searchParams.set("reload", String(reloads));
  return url.href;
}

/** Throws for what cannot be, of what no other thread looks at first. */
function requireKinds({ pool, signal, onListen, onCrash, maxConnections, ...rest }: ServeAllOptions): void {
  const { export: name = "default" } = rest;
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`${WHAT}: export is ${shown(name)}, and no name`);
  }
  requireFlag(WHAT, "lean", rest.lean);
  requireFlag(WHAT, "wrapGlobals", rest.wrapGlobals);
  requireCallback(WHAT, "onListen", onListen);
  requireCallback(WHAT, "onCrash", onCrash);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`${WHAT}: signal is ${shown(signal)}, and no AbortSignal`);
  }
  if (pool !== undefined && !(pool instanceof Pool)) {
    throw new TypeError(`${WHAT}: pool is ${shown(pool)}, and no Pool`);
  }
  if (maxConnections !== undefined && !(typeof maxConnections === "number" && maxConnections > 0)) {
    throw new RangeError(`${WHAT}: maxConnections is ${shown(maxConnections)}, not a number above 0`);
  }
}

/** Checks everything that is said of the servers. */
function openingOf(options: ServeAllOptions): Opening {
  requireNames(WHAT, "options are", options, NAMES);
  requireKinds(options);
  const { hostname = "127.0.0.1", port = 8000, pool, distribute = "reusePort" } = options;
  const { threads = pool?.threads ?? availableParallelism(), onCrash = console.error } = options;
  const { maxConnections, limits, timeouts } = options;
  const { export: name = "default", lean = false, wrapGlobals = true } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(`${WHAT}: threads is ${shown(threads)}, not an integer from 1`);
  }
  if (pool !== undefined && threads > pool.threads) {
    throw new RangeError(`${WHAT}: threads is ${threads}, and the pool has ${pool.threads}`);
  }
  if (distribute !== "reusePort" && distribute !== "pass") {
    throw new TypeError(`${WHAT}: distribute is ${shown(distribute)}, none of reusePort and pass`);
  }
  return {
    distribute,
    threads,
    hostname,
    port,
    order: {
      export: name,
      isLean: lean,
      wrapGlobals,
      options: { hostname, maxConnections, limits, timeouts },
    },
    onCrash,
    newCrew: () => new Crew(threads, pool),
    specifier: (module, reloads) => pool === undefined || reloads === 0 ? module : anew(module, reloads),
  };
}

/** What `serveAll` does. */
export async function openServers(module: URL | string, options: ServeAllOptions): Promise<HttpServers> {
  const opening = openingOf(options);
  const url = moduleUrl(WHAT, module);
  const { signal, onListen } = options;
  signal?.throwIfAborted();
  const servers = new Opener(url, opening);
  const stop = (): void => {
    servers.shutdown();
  };
  signal?.addEventListener("abort", stop, { once: true });
  servers.finished.then(() => signal?.removeEventListener("abort", stop));
  try {
    await servers.start().catch((error) => {
      throw signal?.aborted ? signal.reason : error;
    });
    signal?.throwIfAborted();
    onListen?.(servers.address);
  } catch (error) {
    await servers.shutdown({ deadline: 0 });
    throw error;
  }
  return servers;
}
