/** Our file server, of the folder that is given: prints its port, and ends when its stdin does. */
import process from "node:process";
import { serve, serveFiles } from "../../lib/net/http.ts";
import { run } from "../../lib/task/mod.ts";

process.stdin.on("end", () => process.exit()).resume();
await run(async () => {
  using files = serveFiles(process.argv[2]);
  await serve(files, { port: 0, onListen: ({ port }) => console.log(port) }).finished;
}, { slowPoll: false });
