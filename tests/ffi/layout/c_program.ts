/**
 * C's word on layouts, from its own compiler.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Compiles one C file with the flags given and runs `use` on the program. Throws what the compiler says. */
function withProgram<T>(
  compiler: string,
  source: string,
  flags: readonly string[],
  use: (program: string) => T,
): T {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-layout-"));
  try {
    const file = join(folder, "a.c");
    const program = join(folder, "a");
    writeFileSync(file, source);
    const { status, stderr } = spawnSync(compiler, [...flags, "-o", program, file], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return use(program);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the program prints. Throws where it does not compile or fails. */
export function outputOfC(source: string): string {
  return withProgram("gcc", source, [], (program) => {
    const { status, stdout } = spawnSync(program, { encoding: "utf8" });
    if (status !== 0) throw new Error(`the program ended with ${status}`);
    return stdout;
  });
}

/** Compiles and does not run: static assertions alone speak. Throws those that fail. */
export function compileC(compiler: string, source: string): void {
  withProgram(compiler, source, ["-c"], () => {});
}
