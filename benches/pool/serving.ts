/**
 * A server in a process of its own, on whichever cores the kernel gives it, and a load beside it.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { hostName } from "../../ffi/mod.ts";
import type { Report } from "../../examples/load/report.ts";

const HOST =
  { deno: ["run", "-A", "--no-check", "--quiet"], bun: ["run"], node: ["--no-warnings"] }[hostName];
const LOAD = fileURLToPath(new URL("../../examples/load.ts", import.meta.url));

/** What is asked of a server. */
export interface Load {
  readonly connections: number;
  readonly warmUp: number;
  readonly duration: number;
  /** What every answer has to be. */
  readonly body: string;
  /** How much work the server does for one. */
  readonly times: number;
  /** Whether it says how many connections each thread has taken, for a line on stdin. */
  readonly tells: boolean;
}

/** What a load came to. */
export interface Loaded {
  readonly answersPerSecond: number;
  /** Of the server's process, in microseconds an answer. */
  readonly cpu: number;
  /** How many connections each of the server's threads has taken, where it tells. */
  readonly taken: readonly number[];
}

function nextLine(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${server.spawnargs.join(" ")} ended: ${code}`));
    server.once("exit", ended).once("error", reject);
    server.stdout?.once("data", (line) => {
      server.off("exit", ended).off("error", reject);
      resolve(String(line));
    });
  });
}

function loadBy(port: number, pid: number, { connections, warmUp, duration, body }: Load): Report {
  const { status, stdout, stderr } = spawnSync(process.execPath, [
    ...HOST,
    LOAD,
    `http://127.0.0.1:${port}/`,
    "--json",
    `--connections=${connections}`,
    `--warm-up=${warmUp}`,
    `--duration=${duration}`,
    `--pid=${pid}`,
    `--expect=${body}`,
    "--timeout=30",
  ], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the load ended with ${status}: ${stdout}${stderr}`);
  return JSON.parse(stdout);
}

/** Loads the server that the command starts, and asks it whom it has given the connections. Throws where one answer is wrong. */
export async function loadServer([file, ...args]: readonly string[], load: Load): Promise<Loaded> {
  const server = spawn(file, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, BENCH_TIMES: String(load.times) },
  });
  try {
    const port = Number(await nextLine(server));
    const { answers, answersPerSecond, used } = loadBy(port, server.pid ?? 0, load);
    const { userSeconds = NaN, systemSeconds = NaN } = used ?? {};
    let taken: readonly number[] = [];
    if (load.tells) {
      server.stdin?.write("\n");
      taken = (await nextLine(server)).trim().split(" ").map(Number);
    }
    return { answersPerSecond, cpu: 1e6 * (userSeconds + systemSeconds) / answers, taken };
  } finally {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    if (server.kill("SIGKILL")) await ended;
  }
}
