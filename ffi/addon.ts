/** Node-API addons: libraries that a host lets into JavaScript. */
import process from "node:process";

/** What the addon exports. */
export function addonAt(path: string): unknown {
  const module: { exports: unknown } = { exports: {} };
  process.dlopen(module, path);
  return module.exports;
}
