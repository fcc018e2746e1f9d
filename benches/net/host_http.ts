/** An HTTP server of the host's own: prints its port, and ends when its stdin does. */
import { createServer } from "node:http";
import process from "node:process";

interface BunServe {
  serve(options: { hostname: string; port: number; idleTimeout: number; fetch: () => Response }): {
    port: number;
  };
}

declare const Bun: BunServe;

const hostname = "127.0.0.1";

process.stdin.on("end", () => process.exit()).resume();
switch (process.argv[2]) {
  case "Deno.serve":
    Deno.serve({ hostname, port: 0, onListen: ({ port }) => console.log(port) }, () => new Response("hello"));
    break;
  case "Bun.serve":
    console.log(Bun.serve({ hostname, port: 0, idleTimeout: 255, fetch: () => new Response("hello") }).port);
    break;
  case "node:http": {
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/plain", "content-length": 5 });
      response.end("hello");
    });
    server.listen({ host: hostname, port: 0, backlog: 4096 }, () => {
      const address = server.address();
      if (typeof address === "object") console.log(address?.port);
    });
  }
}
