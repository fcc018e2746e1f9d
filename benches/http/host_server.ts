/** The host's own HTTP server: prints its port, and ends when its stdin does. */
import { createServer } from "node:http";
import process from "node:process";
import { hostName } from "../../ffi/mod.ts";

interface BunServe {
  serve(options: { hostname: string; port: number; fetch: () => Response }): { port: number };
}

declare const Bun: BunServe;

const hostname = "127.0.0.1";

process.stdin.on("end", () => process.exit()).resume();
switch (hostName) {
  case "deno":
    Deno.serve({ hostname, port: 0, onListen: ({ port }) => console.log(port) }, () => new Response("hello"));
    break;
  case "bun":
    console.log(Bun.serve({ hostname, port: 0, fetch: () => new Response("hello") }).port);
    break;
  case "node": {
    const server = createServer((_, response) => response.end("hello"));
    server.listen(0, hostname, () => {
      const address = server.address();
      if (typeof address === "object") console.log(address?.port);
    });
  }
}
