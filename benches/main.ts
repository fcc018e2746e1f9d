/**
 * Runs the benches named, or all: each measures one claim, with the host's own way beside ours.
 *
 *     deno task bench [NAME]... [--quick]
 *
 * `--quick` takes the smallest sizes and few rounds: it shows that a bench runs, and no figure worth quoting.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { machine } from "./compare.ts";

interface Bench {
  run(options: { quick: boolean }): Promise<void>;
}

const benches: Record<string, () => Promise<Bench>> = {
  ffi: () => import("./ffi.ts"),
  jit: () => import("./jit.ts"),
  mem: () => import("./mem.ts"),
  cow: () => import("./cow.ts"),
  yoke: () => import("./yoke.ts"),
  dispatch: () => import("./dispatch.ts"),
  shared: () => import("./shared.ts"),
  slab: () => import("./slab.ts"),
  task: () => import("./task.ts"),
  task_size: () => import("./task_size.ts"),
  pool_codec: () => import("./pool_codec.ts"),
  stream: () => import("./stream.ts"),
  product: () => import("./product.ts"),
  net: () => import("./net.ts"),
  http_parser: () => import("./http_parser.ts"),
  udp: () => import("./udp.ts"),
  async_io: () => import("./async_io.ts"),
  process: () => import("./process.ts"),
  fs: () => import("./fs.ts"),
  pool: () => import("./pool.ts"),
  search: () => import("./search.ts"),
  search_quality: () => import("./search_quality.ts"),
};

const { values: { quick }, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false } },
});
const names = positionals.length > 0 ? positionals : Object.keys(benches);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(", ")}; there are: ${Object.keys(benches).join(", ")}`);
  process.exit(1);
}
console.log(machine());
for (const name of names) {
  console.log(`\n──── ${name} ────`);
  const bench = await benches[name]();
  await bench.run({ quick });
}
