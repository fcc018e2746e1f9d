/** Our HTTP server: prints its port, and ends when its stdin does. */
import process from "node:process";
import { serve } from "../../lib/net/http.ts";
import { run } from "../../lib/task/mod.ts";

process.stdin.on("end", () => process.exit()).resume();
await run(async () => {
  const server = serve(() => new Response("hello"), {
    port: 0,
    maxConnections: 20_000,
    timeouts: { idle: 600_000, head: 600_000 },
    onListen: ({ port }) => console.log(port),
  });
  await server.finished;
}, { slowPoll: false });
