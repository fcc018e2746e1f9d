import { requireNames, shown } from "../../../io/arguments.ts";

const END_MS = 10_000;

/** `deadline` of some options. Throws a `RangeError` that names it, and a `TypeError` for what are no options. */
export function deadlineOf(what: string, options: { deadline?: number }): number {
  requireNames(what, "options are", options, ["deadline"]);
  const { deadline = END_MS } = options;
  if (typeof deadline === "number" && deadline >= 0) return deadline;
  throw new RangeError(`${what}: deadline is ${shown(deadline)}, not milliseconds`);
}

/** The URL of a handler's module. Throws a `TypeError` where it is none. */
export function moduleUrl(what: string, module: URL | string): string {
  try {
    return new URL(module).href;
  } catch (cause) {
    throw new TypeError(
      `${what}: module is ${shown(module)}, and no URL; say new URL("./app.ts", import.meta.url)`,
      { cause },
    );
  }
}

/** Throws for what is neither a function nor left out. */
export function requireCallback(what: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new TypeError(`${what}: ${name} is ${shown(value)}, and no function`);
}
