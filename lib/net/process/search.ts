import { errno, SystemError } from "../../../ffi/mod.ts";
import { type Program, spawning, startProgram } from "../../../ffi/spawn.ts";

const F_OK = 0;
const X_OK = 1;
const ENOENT = 2;
const EACCES = 13;
const ENOTDIR = 20;
/** Where `PATH` is not set: confstr(3). */
const DEFAULT_PATH = "/bin:/usr/bin";

function failureOf(path: string, mode: number): number {
  return spawning().access(path, mode) === 0 ? 0 : errno();
}

/** The path from here to what the child would find under `path`. */
function fromHere(path: string, cwd: string | undefined): string {
  return cwd === undefined || path.startsWith("/") ? path : `${cwd}/${path}`;
}

/**
 * Starts a program, which is sought in the child's `PATH` where its name has no slash, as posix_spawnp(3) does: the
 * first that can be run. Its id; throws a `SystemError` that names it, or the folder that it was to begin in.
 */
export function startSought(name: string, program: Omit<Program, "path">, path: string | undefined): number {
  const { cwd } = program;
  const isPath = name.includes("/");
  let failure = ENOENT;
  for (const folder of isPath ? [""] : (path ?? DEFAULT_PATH).split(":")) {
    const found = isPath ? name : folder === "" ? `./${name}` : `${folder}/${name}`;
    if (!isPath) {
      const seen = failureOf(fromHere(found, cwd), X_OK);
      if (seen !== 0) {
        if (seen === EACCES) failure = EACCES;
        continue;
      }
    }
    const pid = startProgram({ ...program, path: found });
    if (pid > 0) return pid;
    requireFolder(cwd);
    if (isPath || ![ENOENT, EACCES, ENOTDIR].includes(-pid)) throw failureAt(name, found, -pid, cwd);
    if (-pid === EACCES) failure = EACCES;
  }
  requireFolder(cwd);
  const hint = failure === ENOENT
    ? "there is no such program in the folders of PATH"
    : "what has this name in the folders of PATH may not be run";
  throw new SystemError(failure, "posix_spawn", { path: name, hint });
}

/** Throws where it is the folder that was wrong. */
function requireFolder(cwd: string | undefined): void {
  if (cwd === undefined) return;
  const failure = failureOf(`${cwd}/.`, X_OK);
  if (failure !== 0) {
    throw new SystemError(failure, "chdir", { path: cwd, hint: "the child was to begin there" });
  }
}

function failureAt(name: string, found: string, failure: number, cwd: string | undefined): SystemError {
  const isThere = failure === ENOENT && failureOf(fromHere(found, cwd), F_OK) === 0;
  const hint = isThere ? "it is there, and what its first line names to run it is not" : undefined;
  return new SystemError(failure, "posix_spawn", { path: name, hint });
}
