/**
 * A server on each core, which take turns at what comes to one port.
 *
 *     deno run -A examples/net/all_cores.ts [PORT] [pass]
 *     curl http://127.0.0.1:PORT/primes/1000000
 *
 * SIGHUP replaces the servers by new ones, with `all_cores/app.ts` as it is then, and no request is lost. SIGINT and
 * SIGTERM let answers be finished that have begun.
 */
import process from "node:process";
import { serveAll } from "../../lib/net/http.ts";
import { type Coroutine, fromPromise, run, select, Signal } from "../../lib/task/mod.ts";

const DEADLINE_MS = 5000;

await run(function* (): Coroutine<void> {
  const [port = "0", distribute] = process.argv.slice(2);
  using hangUp = new Signal("SIGHUP");
  using interrupt = new Signal("SIGINT");
  using terminate = new Signal("SIGTERM");
  const servers = yield* fromPromise(serveAll(new URL("./all_cores/app.ts", import.meta.url), {
    port: Number(port),
    distribute: distribute === "pass" ? "pass" : "reusePort",
    onListen: ({ hostname, port }) => console.log(`all cores on http://${hostname}:${port}/`),
  }));
  for (;;) {
    const { key } = yield* select({
      interrupt: interrupt.recv(),
      terminate: terminate.recv(),
      hangUp: hangUp.recv(),
    });
    if (key !== "hangUp") break;
    yield* fromPromise(servers.reload(undefined, { deadline: DEADLINE_MS }));
    console.log("reloaded");
  }
  yield* fromPromise(servers.shutdown({ deadline: DEADLINE_MS }));
  const { requests, workers } = servers.metrics();
  console.log(`${requests} requests, ${workers.length} servers left`);
});
