/**
 * A server in a process of its own, on the host that runs the test, so that what it holds is its alone.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { hostName } from "../../../ffi/mod.ts";
import { moduleUrl } from "../../child.ts";

const ARGUMENTS = {
  deno: ["run", "-A", "--no-prompt", "--no-config", "--no-lock", "--quiet"],
  bun: ["run"],
  node: [],
};

export interface ServerProcess extends Disposable {
  readonly port: number;
  /** What /proc says of the memory that it has, in bytes. */
  memory(): number;
  /** Its memory that stands for no file and is nobody else's, in bytes: `Pss_Anon`. */
  anonymous(): number;
  /** Its open descriptors, the host's own files among them. */
  descriptors(): number;
  /** Its clients' connections that it has open: the host's own sockets are none. */
  connections(): number;
}

/** What a descriptor stands for; empty where it was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

const LISTENING = "0A";

/** The sockets of connections to `port`, as links to them read. */
function inodesAt(port: number): Set<string> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync("/proc/net/tcp", "utf8").split("\n").map((row) => row.trim().split(/\s+/));
  const ours = rows.filter((cells) => cells[1]?.endsWith(local) && cells[3] !== LISTENING);
  return new Set(ours.map((cells) => `socket:[${cells[9]}]`));
}

/**
 * A server with this handler, an expression that may await, and these options. `before` is a line of sh, such as a limit.
 */
export function serverProcess(
  handler: string,
  options = "",
  before = ":",
  kind: "serve" | "serveLean" = "serve",
): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-server-"));
  const source = `
    import "${moduleUrl("tests/descriptors.ts")}";
    import { run } from "${moduleUrl("lib/task/mod.ts")}";
    import { ${kind} } from "${moduleUrl("lib/net/http.ts")}";
    await run(async () => {
      const server = ${kind}(${handler}, { port: 0, ${options} });
      console.log(server.address.port);
      await server.finished;
    });`;
  const path = join(folder, "server.mts");
  writeFileSync(path, source);
  const script = join(folder, "run.sh");
  const command = [process.execPath, ...ARGUMENTS[hostName], path].map((part) => `'${part}'`).join(" ");
  // By a script, since Deno adds \`-A\` where it finds itself in a command.
  writeFileSync(script, `${before}\nexec ${command}\n`);
  const child = spawn("sh", [script], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (part) => stderr += part);
  const proc = `/proc/${child.pid}`;
  return new Promise((resolve, reject) => {
    child.once(
      "exit",
      (code, signal) => reject(new Error(`the server ended with ${code ?? signal}:\n${stderr}`)),
    );
    child.stdout.once("data", (line) =>
      resolve({
        port: Number(line),
        memory: () => 1024 * Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`${proc}/status`, "utf8"))?.[1]),
        anonymous: () =>
          1024 * Number(/Pss_Anon:\s*(\d+)/.exec(readFileSync(`${proc}/smaps_rollup`, "utf8"))?.[1]),
        descriptors: () => readdirSync(`${proc}/fd`).length,
        connections() {
          const inodes = inodesAt(Number(line));
          return readdirSync(`${proc}/fd`).filter((fd) => inodes.has(linkOf(`${proc}/fd/${fd}`))).length;
        },
        [Symbol.dispose]() {
          child.kill("SIGKILL");
          rmSync(folder, { recursive: true });
        },
      }));
  });
}

/** A connection to `port`. */
export function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => {
      socket.off("error", reject);
      // A server may reset it, and what matters is what it sent before.
      socket.on("error", () => {});
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/** What the server sends from now on, until it closes, or until so many milliseconds went by. */
export function received(socket: Socket, limitMs = 10_000): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const timer = setTimeout(() => resolve(text), limitMs);
    socket.on("data", (part) => text += part.toString("latin1"));
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

/** What the server answers to these bytes, until it closes. */
export async function told(port: number, bytes: string): Promise<string> {
  const socket = await connected(port);
  const text = received(socket);
  socket.write(bytes, "latin1");
  return await text;
}

/** Waits until it holds, looking now and then. Whether it did in time. */
export async function eventually(holds: () => boolean, limitMs = 10_000): Promise<boolean> {
  for (let waited = 0; waited < limitMs; waited += 20) {
    if (holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return holds();
}
