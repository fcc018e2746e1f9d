/**
 * How each host runs one test file and writes a JUnit report of it.
 *
 * @module
 */
import manifest from "../../package.json" with { type: "json" };

export interface Host {
  name: string;
  version: string;
  /** The command for `file`; a test may take `limit` seconds. */
  command(file: string, report: string, limit: number): string[];
}

/** Throws where the host is unknown, or is not the one that `package.json` asks for. */
export function openHost(name: string): Host {
  switch (name) {
    case "deno":
      return {
        name,
        version: Deno.version.deno,
        command: (
          file,
          report,
        ) => [Deno.execPath(), "test", "-A", "--no-check", `--junit-path=${report}`, file],
      };
    case "bun":
      return {
        name,
        version: installedVersion(name, manifest.devDependencies.bun),
        command: (file, report, limit) => [
          "node_modules/.bin/bun",
          "test",
          `--timeout=${limit * 1000}`,
          "--reporter=junit",
          `--reporter-outfile=${report}`,
          `./${file}`,
        ],
      };
    case "node":
      return {
        name,
        version: installedVersion(name, manifest.devDependencies.node),
        command: (file, report) => [
          "node_modules/.bin/node",
          "--test-reporter=spec",
          "--test-reporter-destination=stdout",
          "--test-reporter=junit",
          `--test-reporter-destination=${report}`,
          file,
        ],
      };
    default:
      throw new Error(`${name} is no host: use deno, bun or node`);
  }
}

/** What `npm ci` installed, never the `node` of the PATH, which is often an older one. */
function installedVersion(name: string, wanted: string): string {
  const path = `node_modules/.bin/${name}`;
  let found = "";
  try {
    const { stdout } = new Deno.Command(path, { args: ["--version"] }).outputSync();
    found = new TextDecoder().decode(stdout).trim().replace(/^v/, "");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (found === wanted) return found;
  throw new Error(`${path} is ${found || "missing"} and package.json asks for ${wanted}: run npm ci`);
}
