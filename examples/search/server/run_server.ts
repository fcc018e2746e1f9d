import process from "node:process";
import { run } from "../../../lib/task/mod.ts";
import type { SearchIndex } from "../index/search_index.ts";
import { serveIndex, type ServeIndexOptions } from "./serve.ts";

/** Serves the index until the process is told to end: what was asked by then is answered. */
export async function runServer(index: SearchIndex, options: ServeIndexOptions): Promise<void> {
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    await run(async () => {
      const server = await serveIndex(index, { ...options, signal: interrupt.signal });
      await server.finished;
    });
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
