/**
 * Runs programs that wait for the collector.
 *
 * @module
 */
import { type ChildOptions, type ChildResult, moduleUrl, runChild } from "../child.ts";

/** Runs `source`, which may `await collect(() => whether it is enough)`, with `OXBOW_DEBUG` as given. */
export function runCollecting(
  source: string,
  { debug = "0", ...options }: Omit<ChildOptions, "before"> & { debug?: string } = {},
): ChildResult {
  const collect = `import { collect } from "${moduleUrl("tests/collector.ts")}";\n`;
  return runChild(collect + source, { ...options, before: `export OXBOW_DEBUG=${debug}` });
}
