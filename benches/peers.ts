/**
 * The small C programs and libraries of `peers/`, built when a bench asks for them.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const COMPILER = "gcc";
const folder = fileURLToPath(new URL("../.build/peers/", import.meta.url));

let missing = false;

function announceMissing(): undefined {
  if (!missing) console.log(`${COMPILER} is not here: the rows of C are left out`);
  missing = true;
}

function compile(source: string, target: string, flags: readonly string[]): string | undefined {
  const path = fileURLToPath(new URL(`peers/${source}.c`, import.meta.url));
  // A bench that runs at the same time never finds half a program.
  const building = `${target}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  const strict = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"];
  const { error, status, stderr } = spawnSync(COMPILER, [
    ...strict,
    ...flags,
    "-o",
    building,
    path,
    "-ldl",
    "-lm",
  ], {
    encoding: "utf8",
  });
  if (error !== undefined && "code" in error && error.code === "ENOENT") return announceMissing();
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${COMPILER} cannot compile ${path}:\n${stderr}`);
  renameSync(building, target);
  return target;
}

/**
 * Compiles `peers/NAME.c`, with `-O2` and what `flags` say more. Gives the program's path; `undefined` where
 * there is no C compiler, and says so.
 */
export function buildPeer(name: string, flags: readonly string[] = []): string | undefined {
  return compile(name, `${folder}${name}`, flags);
}

/** Where `buildLibrary` puts the library. */
export function libraryPath(name: string): string {
  return `${folder}lib${name}.so`;
}

/** Compiles `peers/NAME.c` to a shared library, as `buildPeer` does to a program. */
export function buildLibrary(name: string): string | undefined {
  return compile(name, libraryPath(name), ["-shared", "-fPIC"]);
}

/** The numbers that a peer prints. Throws what it says on stderr where it fails. */
export function runPeer(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): number[] {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}:\n${stderr}`);
  return stdout.trim().split(/\s+/).map(Number);
}
