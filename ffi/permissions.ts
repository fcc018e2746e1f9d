/**
 * Deno's sandbox, asked before a path or an address goes to C: FFI would otherwise be a way round
 * `--allow-read` and `--allow-net`. Bun and Node permit what the process may do.
 */
import { hostName } from "./host.ts";

function require(descriptor: Deno.PermissionDescriptor, what: string, flag: string): void {
  if (Deno.permissions.querySync(descriptor).state === "granted") return;
  throw new Deno.errors.NotCapable(`Requires ${what}, run again with the ${flag} flag`);
}

/** Throws Deno's `NotCapable` where the path may not be read. */
export function requireRead(path: string): void {
  if (hostName === "deno") require({ name: "read", path }, `read access to "${path}"`, "--allow-read");
}

/** Throws Deno's `NotCapable` where the path may not be written. */
export function requireWrite(path: string): void {
  if (hostName === "deno") require({ name: "write", path }, `write access to "${path}"`, "--allow-write");
}

/** Throws Deno's `NotCapable` where the address may not be listened on or connected to. */
export function requireNet(hostname: string, port: number): void {
  if (hostName !== "deno") return;
  const host = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  require({ name: "net", host }, `net access to "${host}"`, "--allow-net");
}
