/**
 * Runs programs that wait for the collector.
 *
 * @module
 */
import { type ChildOptions, type ChildResult, runChild } from "../child.ts";

const COLLECT = `
import v8 from "node:v8";
import vm from "node:vm";
function collector() {
  if (globalThis.Bun) return () => Bun.gc(true);
  v8.setFlagsFromString("--expose-gc");
  return vm.runInNewContext("gc");
}
const gc = collector();
/** Collects until \`done\` says so, or for long enough to say that it never will. */
async function collect(done = () => false) {
  for (let i = 0; i < 50 && !done(); i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
`;

/** Runs `source`, which may `await collect(() => whether it is enough)`, with `OXBOW_DEBUG` as given. */
export function runCollecting(
  source: string,
  { debug = "0", ...options }: Omit<ChildOptions, "before"> & { debug?: string } = {},
): ChildResult {
  return runChild(COLLECT + source, { ...options, before: `export OXBOW_DEBUG=${debug}` });
}
