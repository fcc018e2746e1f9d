/**
 * Deno's sandbox, asked before a path or an address goes to C: FFI would otherwise be a way round
 * `--allow-read` and `--allow-net`. Bun and Node permit what the process may do.
 */
import { resolve } from "node:path";
import { hostName } from "./host.ts";
import { withoutScope } from "./layout/numeric_address.ts";
import { FileType, Stat } from "./layout/stat.ts";
import { libc } from "./libc.ts";

const KINDS = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;
/** Files of /dev that only give or take bytes. */
const HARMLESS = ["/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];

/** Asked once: Deno keeps what it has answered up to date, and an answer costs a microsecond. */
let answers: readonly Deno.PermissionStatus[] | undefined;

/** Whether Deno grants less than everything. */
export function isSandboxed(): boolean {
  if (hostName !== "deno") return false;
  answers ??= KINDS.map((name) => Deno.permissions.querySync({ name }));
  return !answers.every(({ state, partial }) => state === "granted" && !partial);
}

function require(descriptor: Deno.PermissionDescriptor, what: string, flag: string): void {
  if (Deno.permissions.querySync(descriptor).state === "granted") return;
  throw new Deno.errors.NotCapable(`Requires ${what}, run again with the ${flag} flag`);
}

/** Throws Deno's `NotCapable` where the path may not be read. */
export function requireRead(path: string): void {
  if (isSandboxed()) require({ name: "read", path }, `read access to "${path}"`, "--allow-read");
}

/** Throws Deno's `NotCapable` where the path may not be written. */
export function requireWrite(path: string): void {
  if (isSandboxed()) require({ name: "write", path }, `write access to "${path}"`, "--allow-write");
}

/** Whether the path is a descriptor's that is a pipe, and none of the three that every program has. */
function isPipe(path: string): boolean {
  const [, digits] = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(path) ?? [];
  if (digits === undefined || Number(digits) < 3) return false;
  const stat = new Stat();
  return libc().fstat(Number(digits), stat.bytes) === 0 && stat.type === FileType.fifo;
}

/**
 * Throws Deno's `NotCapable` where the path, which holds no link and no `..`, is one through which the kernel is
 * spoken to: a file of /dev, /proc or /sys asks for every permission, since memory and more can be had there. The
 * exceptions are Deno's own (`check_special_file`). For {@linkcode isSandboxed} programs.
 */
export function requireSpecial(path: string, write: boolean): void {
  if (!/^\/(dev|proc|sys)(\/|$)/.test(path)) return;
  if (HARMLESS.includes(path) || path.startsWith("/proc/pressure/") || isPipe(path)) return;
  if (path === "/dev/tty" && !write) return;
  throw new Deno.errors.NotCapable(`Requires all access to "${path}", run again with the --allow-all flag`);
}

/** Throws Deno's `NotCapable` where no program may be run: what `Deno.kill` asks for, too. */
export function requireRun(): void {
  if (isSandboxed()) require({ name: "run" }, "run access", "--allow-run");
}

/** The interface of a link's address is no part of a permission. */
function hostOf(hostname: string, port: number | undefined): string {
  const host = hostname.includes(":") ? `[${withoutScope(hostname)}]` : hostname;
  return port === undefined ? host : `${host}:${port}`;
}

/** Throws Deno's `NotCapable` where the address, or the name, may not be listened on or connected to. */
export function requireNet(hostname: string, port?: number): void {
  if (!isSandboxed()) return;
  const host = hostOf(hostname, port);
  require({ name: "net", host }, `net access to "${host}"`, "--allow-net");
}

/**
 * Throws Deno's `NotCapable` where the address is denied: one of those that a permitted name has, of which Deno asks no
 * more.
 */
export function refuseDeniedNet(hostname: string, port: number): void {
  if (!isSandboxed()) return;
  const host = hostOf(hostname, port);
  if (Deno.permissions.querySync({ name: "net", host }).state !== "denied") return;
  throw new Deno.errors.NotCapable(`Requires net access to "${host}", which --deny-net denies`);
}

/** Throws Deno's `NotCapable` where a socket may not be at the path: it asks for reading, writing and `net`, as Deno does. */
export function requireUnix(path: string): void {
  if (!isSandboxed()) return;
  requireRead(path);
  requireWrite(path);
  const host = `unix:${resolve(path)}`;
  require({ name: "net", host }, `net access to "${host}"`, "--allow-net");
}

/** Throws Deno's `NotCapable` where a socket may not have an abstract name, which all of `net` alone permits. */
export function requireAbstract(name: string): void {
  if (isSandboxed()) require({ name: "net" }, `net access to "unix:${name}"`, "--allow-net");
}
