/**
 * A load generator: asks a server of HTTP/1.1 or of echo as often as it answers, or at a rate, checks each answer,
 * and says how many there were, how long they took and what CPU that was.
 *
 *     deno run -A examples/load.ts http://127.0.0.1:8000/ --connections 64 --duration 5
 *     bun examples/load.ts tcp://127.0.0.1:7 --bytes 1024 --rate 20000 --json
 *     node examples/load.ts --help
 */
import process from "node:process";
import { Load } from "./load/load.ts";
import { commandOf, HELP, UsageError } from "./load/options.ts";
import { reportOf, textOf } from "./load/report.ts";

async function main(args: readonly string[]): Promise<number> {
  const command = await commandOf(args);
  if (command === undefined) {
    console.log(HELP);
    return 0;
  }
  const { url, plan, isJson } = command;
  const report = reportOf(url, plan, new Load(plan).run());
  console.log(isJson ? JSON.stringify(report) : textOf(report));
  const isShort = report.standing[1] < plan.idle || (plan.connections > 0 && report.answers === 0);
  return isShort || Object.keys(report.errors).length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`load: ${error.message}\nload --help tells what there is.`);
  process.exitCode = 2;
}
