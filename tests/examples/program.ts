/**
 * Runs an example in a process of its own, on the host that runs the test, and talks to it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl } from "../child.ts";

/** How a program ended. */
export interface Ended {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Runs a program to its end, or until it is killed. */
export function start(command: string, args: readonly string[]): Program {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => stdout += text);
  child.stderr.on("data", (text) => stderr += text);
  const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      // On a machine that is busy with other things a task may have held the thread for longer than it did.
      const said = stderr.replaceAll(/^oxbow: .* held the thread .*\n/gm, "");
      resolve({ code: code ?? signal, stdout, stderr: said });
    });
  }).finally(() => clearTimeout(limit));
  return { child, ended };
}

/** The same, of an example. */
export function startExample(path: string, ...args: string[]): Program {
  const host = hostName === "deno" ? ["run", "-A", "--no-lock", "--quiet", "--no-check"] : [];
  return start(process.execPath, [...host, fileURLToPath(moduleUrl(path)), ...args]);
}

/** A server among the examples. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  /** Has it end by a signal. */
  end(signal?: "SIGINT" | "SIGTERM"): Promise<Ended>;
}

/** Runs an example until it says `… on 127.0.0.1:PORT`. */
export async function serveExample(path: string, ...args: string[]): Promise<Server> {
  const { child, ended } = startExample(path, ...args);
  const line = new Promise<string>((resolve) => child.stdout?.once("data", (data) => resolve(String(data))));
  const first = await Promise.race([line, ended]);
  const port = typeof first === "string"
    ? / on (?:http:\/\/)?127\.0\.0\.1:(\d+)/.exec(first)?.[1]
    : undefined;
  if (port === undefined) {
    child.kill("SIGKILL");
    throw new Error(
      `${path} does not say where it listens: ${typeof first === "string" ? first : first.stderr}`,
    );
  }
  return {
    port: Number(port),
    end(signal = "SIGINT") {
      // Deno takes what its own `child.kill` has sent for how the child ended.
      if (child.pid !== undefined) process.kill(child.pid, signal);
      return ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A client over `node:net`, which keeps all that it has heard. */
export class Peer implements Disposable {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #heard: Buffer[] = [];
  #hasEnded = false;
  #onChange: () => void = () => {};

  constructor(port: number) {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#heard.push(bytes);
      this.#onChange();
    });
    this.closed = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true;
        this.#onChange();
        resolve();
      };
      socket.once("end", end).once("close", end).on("error", end);
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#heard);
  }

  get text(): string {
    return this.bytes.toString();
  }

  say(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Waits until `isHeard`. Throws where the server ends before, or nothing comes. */
  async until(isHeard: (peer: Peer) => boolean): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!isHeard(this)) {
      if (this.#hasEnded || Date.now() > deadline) {
        throw new Error(`heard ${this.bytes.length} bytes, and no more comes: ${this.text.slice(0, 1000)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#onChange = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async hears(text: string): Promise<void> {
    await this.until((peer) => peer.text.includes(text));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
