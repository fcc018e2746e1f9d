/**
 * A file replaced as a whole: written under another name in the same folder, brought to the disk, renamed. Whenever
 * the process or the machine stops, the name leads to the old file or to the new one. By `node:fs`, so that Deno asks
 * its permissions: reading and writing of the file and its folder.
 *
 * @module
 */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { SystemError } from "../../ffi/mod.ts";

const EISDIR = 21;
const STAGE_BYTES = 1 << 18;
const LARGEST_WRITE = 1 << 30;
/** Without set-user-ID and its like: the new file's owner may be another. */
const PERMISSIONS = 0o777;

/** Gathers small pieces, so that each costs a copy and not a system call. */
export class StagedFile {
  readonly #fd: number;
  readonly #target: string;
  readonly #stage = new Uint8Array(STAGE_BYTES);
  #staged = 0;

  constructor(fd: number, target: string) {
    this.#fd = fd;
    this.#target = target;
  }

  put(bytes: Uint8Array): void {
    if (this.#staged + bytes.length > STAGE_BYTES) this.flush();
    if (bytes.length > STAGE_BYTES) return this.#write(bytes);
    this.#stage.set(bytes, this.#staged);
    this.#staged += bytes.length;
  }

  flush(): void {
    this.#write(this.#stage.subarray(0, this.#staged));
    this.#staged = 0;
  }

  #write(bytes: Uint8Array): void {
    attempt("write", this.#target, () => {
      let at = 0;
      while (at < bytes.length) {
        at += writeSync(this.#fd, bytes, at, Math.min(bytes.length - at, LARGEST_WRITE));
      }
    });
  }
}

/**
 * Fills a new file and puts it in the place of `target`, durably. It has the old one's permissions, and nobody else
 * can read it before; where there was none, those of any new file. Throws a `SystemError` that names `target`, a
 * `TypeError` where that is no regular file (a link, a pipe), and what `fill` throws; `target` is then as it was.
 * A process that is killed meanwhile leaves a file `.oxbow-….tmp` beside it.
 */
export function replaceFile(target: string, fill: (out: StagedFile) => void): void {
  const folder = dirname(target);
  const temporary = join(folder, `.oxbow-${crypto.randomUUID()}.tmp`);
  const old = attempt("lstat", target, () => lstatSync(target, { throwIfNoEntry: false }));
  if (old !== undefined) requireRegular(target, old);
  // Before anything is written: the rename itself reaches the disk with the folder, and nothing may refuse it then.
  const folderFd = attempt("open", target, () => openFolder(folder));
  try {
    fillAndRename(target, temporary, old, fill);
    if (folderFd !== undefined) fsyncSync(folderFd);
  } finally {
    if (folderFd !== undefined) closeSync(folderFd);
  }
}

function fillAndRename(
  target: string,
  temporary: string,
  old: Stats | undefined,
  fill: (out: StagedFile) => void,
): void {
  const fd = attempt("open", target, () => openSync(temporary, "wx", old === undefined ? 0o666 : 0o600));
  try {
    try {
      const out = new StagedFile(fd, target);
      fill(out);
      out.flush();
      if (old !== undefined) attempt("fchmod", target, () => fchmodSync(fd, old.mode & PERMISSIONS));
      attempt("fsync", target, () => fsyncSync(fd));
    } finally {
      closeSync(fd);
    }
    attempt("rename", target, () => renameSync(temporary, target));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function requireRegular(target: string, status: Stats): void {
  if (status.isFile()) return;
  if (status.isDirectory()) throw new SystemError(EISDIR, "rename", { path: target });
  const what = status.isSymbolicLink()
    ? "a symbolic link; name the file that it leads to"
    : status.isFIFO()
    ? "a pipe"
    : status.isSocket()
    ? "a socket"
    : "a device";
  throw new TypeError(`cannot replace ${target}: it is no regular file but ${what}`);
}

/** Windows cannot open one. */
function openFolder(folder: string): number | undefined {
  return process.platform === "win32" ? undefined : openSync(folder, "r");
}

/** Runs a call of `node:fs`; where the system refuses it, the error tells of `target` and not of a temporary file. */
function attempt<T>(syscall: string, target: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw new SystemError(errno, syscall, { path: target, hint: "the target is left as it was" });
  }
}

/** Deno's `writeSync` and `fsyncSync` tell the number in their message alone. */
function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errno" in error && typeof error.errno === "number") return Math.abs(error.errno);
  const [, number] = /\(os error (\d+)\)/.exec(error.message) ?? [];
  return number === undefined ? undefined : Number(number);
}
