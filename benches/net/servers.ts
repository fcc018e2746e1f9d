/**
 * The servers that `net.ts` puts beside one another: each in a process of its own, on a core that it has for itself.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { cpus } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { hostName } from "../../ffi/mod.ts";
import { announce } from "../peers.ts";

/** Which core, where there are two and `taskset` is installed. */
export type Core = "server" | "load";

/** A program that prints its port and ends when its stdin does. */
export interface Server {
  readonly name: string;
  readonly command: readonly string[];
  /** Its port is printed before it listens. */
  readonly isEarly?: boolean;
}

/** One that runs. */
export interface Running {
  readonly port: number;
  readonly pid: number;
}

type Host = typeof hostName;

const folder = fileURLToPath(new URL("../../node_modules/.bin/", import.meta.url));
/** As many descriptors as may be. */
const RAISED = ["sh", "-c", 'ulimit -n "$(ulimit -H -n)"; exec "$@"', "sh"];

function pinning(): boolean {
  if (cpus().length < 2) return announce("there is one core: server and load share it") ?? false;
  if (spawnSync("taskset", ["--version"]).status === 0) return true;
  return announce("taskset is not here: server and load run wherever the kernel has them") ?? false;
}

let isPinned: boolean | undefined;

/** How a command is run on that core. */
export function onCore(core: Core, command: readonly string[]): string[] {
  isPinned ??= pinning();
  return [...RAISED, ...(isPinned ? ["taskset", "-c", core === "server" ? "0" : "1"] : []), ...command];
}

/** How many descriptors a process may have at most. */
export function mostDescriptors(): number {
  const line = /^Max open files +\S+ +(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return line?.[1] === "unlimited" ? Infinity : Number(line?.[1]);
}

/** How the host runs a script; `undefined` where it is not here. */
function hostCommand(host: Host): readonly string[] | undefined {
  const run = host === "deno" ? ["run", "-A", "--no-check", "--quiet"] : [];
  if (host === hostName) return [process.execPath, ...run];
  if (host === "deno") {
    return spawnSync("deno", ["--version"]).status === 0 ? ["deno", ...run] : announce("deno is not here");
  }
  return existsSync(folder + host) ? [folder + host] : announce(`${host} is not in node_modules: npm ci`);
}

/** A script of this folder on a host: none where that is not here. */
export function script(name: string, host: Host, file: string, ...args: string[]): Server[] {
  const command = hostCommand(host);
  const path = fileURLToPath(new URL(file, import.meta.url));
  return command === undefined ? [] : [{ name, command: [...command, path, ...args] }];
}

/** A program that was built: none where it was not. */
export function program(name: string, path: string | undefined, ...args: string[]): Server[] {
  return path === undefined ? [] : [{ name, command: [path, ...args] }];
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address?.port ?? 0 : 0));
    })
  );
}

/** nginx with one worker, as its package sets it up, but for the log: none where it is not installed. */
export async function nginx(folder: string): Promise<Server[]> {
  if (spawnSync("nginx", ["-v"]).error !== undefined) return announce("nginx is not here") ?? [];
  const port = await freePort();
  const path = `${folder}/nginx.conf`;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    path,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr;
events { worker_connections 4096; }
http {
  sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000000;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  server { listen 127.0.0.1:${port}; root ${folder}; }
}
`,
  );
  return [{
    name: "nginx",
    command: ["sh", "-c", `echo ${port}; exec nginx -e stderr -p "$1" -c "$2"`, "sh", folder, path],
    isEarly: true,
  }];
}

/** Our load generator, on the host that runs the bench. */
export function loadCommand(args: readonly string[]): string[] {
  const path = fileURLToPath(new URL("../../examples/load.ts", import.meta.url));
  return onCore("load", [...hostCommand(hostName) ?? [], path, ...args]);
}

/** The port, which is the first line that the server prints. */
function portOf(server: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once(
      "exit",
      (code, signal) => reject(new Error(`${server.spawnargs.join(" ")}: ended, ${code ?? signal}`)),
    );
    server.stdout?.once("data", (line) => resolve(Number(line)));
  });
}

/** Waits until somebody listens. */
async function listening(port: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  const isOpen = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
  while (!await isOpen()) {
    if (Date.now() > deadline) throw new Error(`nobody listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Runs the server while `use` lasts. */
export async function withServer<T>(
  { command, isEarly = false }: Server,
  use: (running: Running) => Promise<T>,
): Promise<T> {
  const [file, ...args] = onCore("server", command);
  const server = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const port = await portOf(server);
    if (isEarly) await listening(port);
    return await use({ port, pid: server.pid ?? 0 });
  } finally {
    server.removeAllListeners("exit");
    const ended = new Promise((resolve) => server.once("exit", resolve));
    if (server.kill("SIGKILL")) await ended;
  }
}
