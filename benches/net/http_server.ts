/**
 * Our HTTP server: prints its port, and ends when its stdin does.
 *
 *     http_server.ts [--lean]
 *
 * Answers with `Request` and `Response`; with `--lean` by `serveLean`, which reads the request's head all the same.
 */
import process from "node:process";
import { serve, serveLean } from "../../lib/net/http.ts";
import { run } from "../../lib/task/mod.ts";

const OPTIONS = {
  port: 0,
  maxConnections: 20_000,
  timeouts: { idle: 600_000, head: 600_000 },
  onListen: ({ port }: { port: number }) => console.log(port),
};

process.stdin.on("end", () => process.exit()).resume();
await run(async () => {
  const server = process.argv[2] === "--lean"
    ? serveLean((_, response) => response.end("hello"), OPTIONS)
    : serve(() => new Response("hello"), OPTIONS);
  await server.finished;
}, { slowPoll: false });
