/**
 * Runs TypeScript in a process of its own, on the host that runs the test: what ends in a signal there
 * would end the suite here.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { hostName } from "../ffi/mod.ts";

export interface ChildOptions {
  /** Deno's permissions: all where nothing is said. */
  permissions?: readonly string[];
  /** This package's configuration goes with Deno, for modules that import packages. */
  configured?: boolean;
  /** A line of sh to run before, such as `ulimit -n 64`. */
  before?: string;
  /** The child is killed after this long. */
  limitMs?: number;
}

export interface ChildResult {
  /** The exit code, or the signal that ended it. */
  code: number | string;
  stdout: string;
  stderr: string;
}

/** The URL of a file of this package, to be imported by a child. */
export function moduleUrl(path: string): string {
  return new URL(`../${path}`, import.meta.url).href;
}

function hostArguments({ permissions = ["-A"], configured = false }: ChildOptions): readonly string[] {
  switch (hostName) {
    case "deno": {
      const config = configured ? `--config=${fileURLToPath(moduleUrl("deno.json"))}` : "--no-config";
      return ["run", "--no-prompt", config, "--no-lock", "--quiet", ...permissions];
    }
    case "bun":
      return ["run"];
    case "node":
      return [];
  }
}

/** To go before a source that takes all descriptors: the host takes those of its own first. */
export const listenFirst = `import ${JSON.stringify(moduleUrl("tests/descriptors.ts"))};\n`;

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

/**
 * Writes TypeScript that a process of its own is to run, and says where. Node gets it without its types:
 * what erases them is WebAssembly, which each process would load, for as much CPU time as all the rest of
 * a short program takes.
 */
export function writeProgram(folder: string, name: string, source: string): string {
  const isErased = hostName === "node";
  const path = join(folder, `${name}.${isErased ? "mjs" : "mts"}`);
  writeFileSync(path, isErased ? nodeModule.stripTypeScriptTypes(source) : source);
  return path;
}

/** Runs `source`, a module, to its end. */
export function runChild(source: string, options: ChildOptions = {}): ChildResult {
  const { before = ":", limitMs = 60_000 } = options;
  const folder = mkdtempSync(join(tmpdir(), "oxbow-child-"));
  try {
    const path = writeProgram(folder, "child", source);
    // By a script, since Deno adds `-A` where it finds itself in a command.
    const script = join(folder, "run.sh");
    const command = [process.execPath, ...hostArguments(options), path].map(quoted).join(" ");
    writeFileSync(script, `${before}\nexec ${command}\n`);
    const { status, signal, stdout, stderr } = spawnSync("sh", [script], {
      cwd: folder,
      encoding: "utf8",
      // Deno would ask for its newest version, on a thread whose files come and go among those that tests count.
      env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limitMs,
      killSignal: "SIGKILL",
    });
    return { code: status ?? signal ?? "nothing", stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What `source` printed, trimmed. Throws where it failed. */
export function outputOf(source: string, options?: ChildOptions): string {
  const { code, stdout, stderr } = runChild(source, options);
  if (code !== 0) throw new Error(`the child ended with ${code}:\n${stdout}${stderr}`);
  return stdout.trim();
}
