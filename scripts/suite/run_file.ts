/**
 * Runs one test file in a process of its own, so that one that crashes or hangs is named and the
 * others still run.
 *
 * @module
 */
import { delimiter, dirname, resolve } from "node:path";
import type { Host } from "./hosts.ts";
import { readReport, reasonsIn, type TestCase } from "./junit.ts";

export interface FileResult {
  host: string;
  file: string;
  cases: TestCase[];
  seconds: number;
  /** All that the host printed. */
  output: string;
}

/** What a test starts by name is what we run under. */
const PATH = [dirname(Deno.execPath()), resolve("node_modules/.bin"), Deno.env.get("PATH")].join(delimiter);

const running = new Set<Deno.ChildProcess>();

/** Ends the files' processes and all that they started. */
export function killRunning(): void {
  for (const child of running) kill(child);
}

function kill(child: Deno.ChildProcess): void {
  try {
    Deno.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Runs `file` for at most `limit` seconds; `reports` is a folder for its report. */
export async function runFile(host: Host, file: string, reports: string, limit: number): Promise<FileResult> {
  const path = `${reports}/${host.name}-${file.replaceAll("/", "-")}.xml`;
  const start = performance.now();
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" 2>&1', "sh", ...host.command(file, path, limit)],
    env: {
      NO_COLOR: "1",
      PATH,
      // It asks for its newest version at its start, on a thread whose files come and go among those that tests count.
      DENO_NO_UPDATE_CHECK: "1",
      // Of what Node takes to load the package, two thirds are stripping its types: each file once for all processes.
      NODE_COMPILE_CACHE: `${reports}/compiled`,
    },
    stdin: "null",
    stdout: "piped",
    detached: true,
  }).spawn();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill(child);
  }, limit * 1000);
  running.add(child);
  const { code, signal, stdout } = await child.output();
  clearTimeout(timer);
  running.delete(child);

  const cases = casesOf(path);
  const output = new TextDecoder().decode(stdout).trim();
  if (timedOut) {
    cases.push({ name: `the whole file: did not end within ${limit} s and was killed`, outcome: "failed" });
  } else if (code !== 0 && cases.every(({ outcome }) => outcome !== "failed")) {
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    cases.push({ name: `the whole file: ${how}`, outcome: "failed" });
  } else if (cases.length === 0) {
    cases.push({ name: "the whole file", outcome: "skipped", reason: reasonsIn(output) ?? "it ran no test" });
  }
  const seconds = (performance.now() - start) / 1000;
  return { host: host.name, file, cases, seconds, output };
}

/** The tests of a report; none where the host died before it wrote one. */
function casesOf(path: string): TestCase[] {
  try {
    return readReport(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
