/**
 * Serves the files of a folder: with ranges, preconditions and entity tags, sent by the kernel.
 *
 *     deno run -A examples/net/static_server.ts [FOLDER] [PORT]
 *     curl -r 0-99 http://127.0.0.1:PORT/README.md
 *
 * What begins with a dot is not there, and no link leads out of the folder. Beside a file `x` that has a packed `x.br`
 * or `x.gz`, who understands that gets it. SIGINT and SIGTERM let answers be finished that have begun.
 */
import process from "node:process";
import { serve, serveFiles } from "../../lib/net/http.ts";
import { type Coroutine, fromPromise, run, shutdownSignal } from "../../lib/task/mod.ts";

const DEADLINE_MS = 5000;
const HEADERS = {
  "cache-control": "no-cache",
  // A page of the folder's is no part of another site's, and its types are what it says they are.
  "content-security-policy": "frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

/** The same handler, with a line for each request as the common log format has it. */
function logged(handler: (request: Request) => Response): (request: Request) => Response {
  return (request) => {
    const response = handler(request);
    const { pathname } = new URL(request.url);
    console.log(`${new Date().toISOString()} "${request.method} ${pathname}" ${response.status}`);
    return response;
  };
}

await run(function* (): Coroutine<void> {
  const [folder = ".", port = "0"] = process.argv.slice(2);
  using files = serveFiles(folder, { headers: HEADERS, precompressed: true });
  const server = serve(logged(files), {
    port: Number(port),
    onListen: ({ hostname, port }) => console.log(`${folder} on http://${hostname}:${port}/`),
  });
  yield* shutdownSignal();
  yield* fromPromise(server.shutdown({ deadline: DEADLINE_MS }));
});
