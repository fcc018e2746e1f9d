/**
 * HTTP servers on some threads:
 *
 *     servers.ts hello|work reusePort|pass THREADS
 *
 * Prints the port; then, for each line on stdin, how many connections each server has taken. Ends when stdin does.
 *
 *     servers.ts calibrate US
 *
 * prints how many turns of the generator take so many microseconds here.
 */
import process from "node:process";
import { serveAll } from "../../../lib/net/http.ts";
import { run } from "../../../lib/task/mod.ts";
import { median } from "../../compare.ts";
import { lehmer } from "./work.ts";

const ROUNDS = 21;
const TURNS = 20_000;

function calibrate(us: number): number {
  const each = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    lehmer(TURNS);
    return 1e3 * (performance.now() - start) / TURNS;
  });
  return Math.round(us / median(each));
}

async function serve([name, distribute, threads]: readonly string[]): Promise<void> {
  if (distribute !== "reusePort" && distribute !== "pass") throw new Error(`no such way: ${distribute}`);
  const module = new URL("handler.ts", import.meta.url);
  const servers = await serveAll(module, {
    export: name,
    distribute,
    threads: Number(threads),
    port: 0,
    onListen: ({ port }) => console.log(port),
  });
  process.stdin.on("data", () => console.log(...servers.metrics().workers.map(({ accepted }) => accepted)));
  process.stdin.once("end", () => process.exit());
  await servers.finished;
}

const [what, ...rest] = process.argv.slice(2);
if (what === "calibrate") {
  console.log(calibrate(Number(rest[0])));
  process.exit();
}
await run(() => serve([what, ...rest]), { slowPoll: false });
