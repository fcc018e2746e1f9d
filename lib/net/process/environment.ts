import process from "node:process";
import { check, cString, hostName, libc } from "../../../ffi/mod.ts";
import { isSandboxed } from "../../../ffi/permissions.ts";
import { Fd } from "../../io/fd.ts";

const O_CLOEXEC = 0o2000000;

/** Changes to the environment that a child has: a value, or `undefined` for a variable that it is not to have. */
export type EnvironmentChanges = Readonly<Record<string, string | undefined>>;

/**
 * What a child has by itself. Where Deno does not let the environment be read, nothing of it was changed either: it is
 * what this process was started with, which Deno hands on to children too.
 */
function inherited(): EnvironmentChanges {
  if (hostName !== "deno") return process.env;
  // All at once, where `process.env` asks for each.
  if (!isSandboxed() || Deno.permissions.querySync({ name: "env" }).state === "granted") {
    return Deno.env.toObject();
  }
  const path = cString("/proc/self/environ");
  using file = Fd.unsafeOwn(check(libc().open(path, O_CLOEXEC, 0), "open", { path: "/proc/self/environ" }));
  const into = new Uint8Array(65536);
  const decoder = new TextDecoder();
  let text = "";
  for (let count = file.read(into); count > 0; count = file.read(into)) {
    text += decoder.decode(into.subarray(0, count), { stream: true });
  }
  const entries = text.split("\0").filter((entry) => entry.indexOf("=") > 0);
  return Object.fromEntries(entries.map((entry) => {
    const at = entry.indexOf("=");
    return [entry.slice(0, at), entry.slice(at + 1)];
  }));
}

/** The child's environment, as `NAME=value`, and the `PATH` that its program is sought in. */
export function environmentOf(
  changes: EnvironmentChanges,
  clear: boolean,
): { env: string[]; path: string | undefined } {
  const ours = inherited();
  const all = clear ? changes : { ...ours, ...changes };
  const env: string[] = [];
  for (const name of Object.keys(all)) {
    const value = all[name];
    if (value !== undefined) env.push(`${name}=${value}`);
  }
  return { env, path: all.PATH ?? ours.PATH };
}
