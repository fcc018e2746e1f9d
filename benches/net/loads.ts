/**
 * Loads of a server that runs: by our own program, `examples/load.ts`, and by wrk.
 *
 * @module
 */
import { spawn } from "node:child_process";
import type { Report } from "../../examples/load/report.ts";
import { cpuOf } from "../../examples/load/usage.ts";
import { loadCommand, onCore, type Running } from "./servers.ts";

/** What a server is asked. */
export type Protocol = "echo" | "http";

/** How it is asked: as the program's options are. */
export interface Asking {
  readonly connections: number;
  readonly warmUp: number;
  readonly duration: number;
  readonly rate?: number;
  readonly idle?: number;
  /** Asks for this path, whose answers have so many bytes, and not for the greeting. */
  readonly file?: { readonly path: string; readonly length: number };
}

/** An answer's CPU in the server, in microseconds. */
export interface Cost {
  readonly user: number;
  readonly system: number;
  readonly answersPerSecond: number;
}

export const BODY = "hello";

/** What the command prints. */
function outputOf([file, ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (text) => output += text);
    child.once("error", reject);
    child.once(
      "close",
      (code) => code === 2 ? reject(new Error(`${args.join(" ")}: ${code}`)) : resolve(output),
    );
  });
}

/** In which a server that answers at all has answered. */
const LONG_SECONDS = 2;

/** Loads the server, and throws where one answer is wrong. */
export async function load(protocol: Protocol, { port, pid }: Running, asking: Asking): Promise<Report> {
  const url = `${protocol === "echo" ? "tcp" : "http"}://127.0.0.1:${port}`;
  const { connections, warmUp, duration, rate, idle = 0, file } = asking;
  const output = await outputOf(loadCommand([
    url + (file?.path ?? ""),
    "--json",
    `--connections=${connections}`,
    `--idle=${idle}`,
    `--warm-up=${warmUp}`,
    `--duration=${duration}`,
    `--pid=${pid}`,
    "--timeout=30",
    ...(rate === undefined ? [] : [`--rate=${rate}`]),
    ...(protocol === "echo" ? [] : [file === undefined ? `--expect=${BODY}` : `--length=${file.length}`]),
  ]));
  const report: Report = JSON.parse(output);
  const [asked, waited] = report.standing;
  if (Object.keys(report.errors).length > 0 || asked < connections || waited < idle) {
    throw new Error(`${url} does not answer as it should: ${output}`);
  }
  if (connections === 0 || report.answers > 0) return report;
  // A busy machine may stand still for the fraction of a second that a quick bench takes.
  if (duration >= LONG_SECONDS) throw new Error(`${url} answers nothing`);
  return await load(protocol, { port, pid }, { ...asking, duration: LONG_SECONDS });
}

export function costOf({ used, answers, answersPerSecond }: Report): Cost {
  const { userSeconds = NaN, systemSeconds = NaN } = used ?? {};
  return { user: 1e6 * userSeconds / answers, system: 1e6 * systemSeconds / answers, answersPerSecond };
}

/** Loads an HTTP server by wrk: a second opinion. */
export async function loadByWrk(
  { port, pid }: Running,
  { connections, warmUp, duration }: Asking,
): Promise<Cost> {
  const wrk = async (seconds: number): Promise<string> =>
    await outputOf(onCore("load", [
      "wrk",
      "-t1",
      `-c${connections}`,
      `-d${Math.ceil(seconds)}s`,
      `http://127.0.0.1:${port}/`,
    ]));
  await wrk(warmUp);
  const before = cpuOf(pid);
  const output = await wrk(duration);
  const after = cpuOf(pid);
  const [, answers, seconds] = /(\d+) requests in ([\d.]+)s/.exec(output) ?? [];
  if (answers === undefined || /Socket errors|Non-2xx/.test(output)) throw new Error(`wrk says:\n${output}`);
  return {
    user: 1e6 * (after.userSeconds - before.userSeconds) / Number(answers),
    system: 1e6 * (after.systemSeconds - before.systemSeconds) / Number(answers),
    answersPerSecond: Number(answers) / Number(seconds),
  };
}
