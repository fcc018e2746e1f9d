/**
 * The small programs and libraries of `peers/`, in C, Rust and Go, built when a bench asks for them.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const COMPILER = "gcc";
const CARGO = "cargo";
const GO = "go";
/** Where Go's own installation is, which need not be in the PATH. */
const GO_FOLDER = "/usr/local/go/bin";
const folder = fileURLToPath(new URL("../.build/peers/", import.meta.url));

const announced = new Set<string>();

/** Says once why some rows are left out. */
export function announce(why: string): undefined {
  if (!announced.has(why)) console.log(why);
  announced.add(why);
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
  if (error !== undefined && "code" in error && error.code === "ENOENT") {
    return announce(`${COMPILER} is not here: the rows of C are left out`);
  }
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

/** Writes `text` where the file says anything else: what is newer than its program is built anew. */
function bring(path: string, text: string): void {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

/**
 * Builds the crate `peers/NAME/` outside the checkout's sources, where cargo leaves a lock file. Gives the path of its
 * `program`; `undefined` where there is no cargo, or it cannot get what the crate depends on, and says so.
 */
export function buildCrate(name: string, program: string = name): string | undefined {
  const source = new URL(`peers/${name}/`, import.meta.url);
  const crate = `${folder}${name}/`;
  mkdirSync(crate, { recursive: true });
  for (const file of readdirSync(source)) {
    bring(`${crate}${file}`, readFileSync(new URL(file, source), "utf8"));
  }
  const { error, status, stderr } = spawnSync(CARGO, ["build", "--release", "--quiet"], {
    cwd: crate,
    encoding: "utf8",
  });
  if (error !== undefined && "code" in error && error.code === "ENOENT") {
    return announce(`${CARGO} is not here: the rows of ${name} are left out`);
  }
  if (error !== undefined) throw error;
  if (status === 0) return `${crate}target/release/${program}`;
  if (stderr.includes("could not compile")) throw new Error(`${CARGO} cannot compile ${crate}:\n${stderr}`);
  return announce(`${CARGO} cannot build ${name}, whose rows are left out: ${stderr.trim().split("\n")[0]}`);
}

/** Builds the Go module `peers/NAME/`. Gives the program's path; `undefined` where there is no Go, and says so. */
export function buildModule(name: string): string | undefined {
  const source = fileURLToPath(new URL(`peers/${name}/`, import.meta.url));
  const target = `${folder}${name}`;
  const { error, status, stderr } = spawnSync(GO, ["build", "-o", target, "."], {
    cwd: source,
    encoding: "utf8",
    env: { ...process.env, GOTOOLCHAIN: "local", PATH: `${process.env.PATH}${delimiter}${GO_FOLDER}` },
  });
  if (error !== undefined && "code" in error && error.code === "ENOENT") {
    return announce(`${GO} is not here: the rows of ${name} are left out`);
  }
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${GO} cannot build ${source}:\n${stderr}`);
  return target;
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
