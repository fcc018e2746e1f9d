import process from "node:process";
import { check, cString, hostName, libc } from "../../../ffi/mod.ts";
import { isSandboxed } from "../../../ffi/permissions.ts";
import { variable } from "../../../ffi/spawn.ts";
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

function hasChanges(changes: EnvironmentChanges): boolean {
  for (const _ in changes) return true;
  return false;
}

/**
 * The child's environment, as `NAME=value`, or as C has it where it is ours: Deno's is C's own, and to have it told and
 * told back takes longer than all else that a program's start costs here. Bun's own changes C does not have, nor those
 * of Node's workers.
 */
export function environmentOf(changes: EnvironmentChanges, clear: boolean): readonly string[] | "inherit" {
  if (hostName === "deno" && !clear && !hasChanges(changes)) return "inherit";
  const env: string[] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) env.push(`${name}=${value}`);
  };
  if (!clear) {
    const ours = inherited();
    for (const name of Object.keys(ours)) if (!Object.hasOwn(changes, name)) add(name, ours[name]);
  }
  for (const name of Object.keys(changes)) add(name, changes[name]);
  return env;
}

/** The `PATH` that a child's program is sought in: its own, or ours. */
export function pathOf(changes: EnvironmentChanges): string | undefined {
  if (changes.PATH !== undefined) return changes.PATH;
  return hostName === "deno" ? variable("PATH") : process.env.PATH;
}
