/**
 * Everything short of the tests: format, lint, types under each host, the documentation's examples, the
 * package. A line for each check that passes, the tool's whole output for one that does not.
 *
 *     deno task check
 */
import { existsSync } from "node:fs";

const deno = Deno.execPath();
const tsc = "node_modules/.bin/tsc";
const code = ["mod.ts", "ffi", "lib", "examples", "tests", "benches", "scripts"];
const documented = ["mod.ts", "ffi", "lib", "examples", "README.md", "CONTRIBUTING.md", "docs"];
const LIMIT_MS = 300_000;

Deno.chdir(new URL("..", import.meta.url));
const checks: [name: string, ...command: string[]][] = [
  ["format", deno, "fmt", "--check"],
  ["lint", deno, "lint"],
  ["types under Deno", deno, "check", ...code.filter(existsSync)],
  ["types under Bun", tsc, "-p", "tsconfig.json"],
  ["types under Node", tsc, "-p", "tsconfig.node.json"],
  ["examples in the documentation", deno, "test", "-A", "--doc", ...documented.filter(existsSync)],
  ["package", deno, "publish", "--dry-run", "--allow-dirty"],
];

let failed = false;
for (const [name, command, ...args] of checks) {
  const start = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).output();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (success) {
    console.log(`ok      ${name}, ${seconds} s`);
  } else {
    failed = true;
    console.log(`FAILED  ${name}, ${seconds} s: ${[command, ...args].join(" ")}`);
    console.log(`${new TextDecoder().decode(stdout)}${new TextDecoder().decode(stderr)}`);
  }
}
Deno.exit(failed ? 1 : 0);
