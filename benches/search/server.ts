/** Serves the index named first, batching or not, on one backend; prints its port, and ends with its stdin. */
import process from "node:process";
import { SearchIndex } from "../../examples/search/mod.ts";
import { serveIndex } from "../../examples/search/server/serve.ts";
import { Blas } from "../../lib/blas/mod.ts";
import { run } from "../../lib/task/mod.ts";

const [folder, batching, backend] = process.argv.slice(2);
process.stdin.on("end", () => process.exit()).resume();
using blas = backend === "portable" ? Blas.open({ backend }) : undefined;
using index = SearchIndex.open(folder, { blas });
await run(async () => {
  const server = await serveIndex(index, {
    port: 0,
    batching: batching === "batching",
    onListen: ({ port }) => console.log(port),
  });
  await server.finished;
});
