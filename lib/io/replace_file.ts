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
  fchownSync,
  fstatSync,
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

const EPERM = 1;
const EISDIR = 21;
const EINVAL = 22;
const STAGE_BYTES = 1 << 18;
const LARGEST_WRITE = 1 << 30;
/** Without set-user-ID and its like: the new file's owner may be another. */
const PERMISSIONS = 0o777;
const AS_IT_WAS = "the target is left as it was";

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
 * Fills a new file and puts it in the place of `target`, durably. It has the old one's permissions, its owner and group
 * where the process may give them, and nobody else can read it before; where there was none, those of any new file.
 * Other names of the old file (hard links) stay with that, and its access lists and extended attributes go with it.
 *
 * Throws a `SystemError` that names `target`, a `TypeError` where that is no regular file (a link, a pipe) or no name,
 * and what `fill` throws; `target` is then as it was. Only where the folder cannot be brought to the disk is it the
 * new file, and the error says so. A process that is killed meanwhile leaves a file `.oxbow-….tmp` beside it.
 */
export function replaceFile(target: string, fill: (out: StagedFile) => void): void {
  requireName(target);
  const folder = dirname(target);
  const temporary = join(folder, `.oxbow-${crypto.randomUUID()}.tmp`);
  const old = attempt("lstat", target, () => lstatSync(target, { throwIfNoEntry: false }));
  if (old !== undefined) requireRegular(target, old);
  // Before anything is written: the rename itself reaches the disk with the folder, and nothing may refuse it then.
  const folderFd = attempt("open", target, () => openFolder(folder));
  try {
    fillAndRename(target, temporary, old, fill);
    if (folderFd !== undefined) {
      const hint =
        "the target is the new file already, and a machine that stops now may have the old one again";
      attempt("fsync", target, () => fsyncSync(folderFd), hint);
    }
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
      if (old !== undefined) {
        attempt("fchown", target, () => keepOwner(fd, old));
        attempt("fchmod", target, () => fchmodSync(fd, old.mode & PERMISSIONS));
      }
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

/** The owner and the group, or where that is not for this process to give, the group alone, or neither. */
function keepOwner(fd: number, old: Stats): void {
  const { uid, gid } = fstatSync(fd);
  for (const owner of [old.uid, uid]) {
    if (owner === uid && old.gid === gid) return;
    try {
      return fchownSync(fd, owner, old.gid);
    } catch (error) {
      const errno = errnoOf(error);
      // The latter for whom the process's user namespace does not know.
      if (errno !== EPERM && errno !== EINVAL) throw error;
    }
  }
}

function requireName(target: string): void {
  if (target === "") throw new TypeError("cannot replace a file: path is empty");
  if (target.includes("\0")) {
    throw new TypeError(`cannot replace ${JSON.stringify(target)}: path has a NUL, which no file's name has`);
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
function attempt<T>(syscall: string, target: string, call: () => T, hint: string = AS_IT_WAS): T {
  try {
    return call();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw new SystemError(errno, syscall, { path: target, hint });
  }
}

/** Deno's `writeSync`, `fsyncSync` and others tell the number in their message alone. */
function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errno" in error && typeof error.errno === "number") return Math.abs(error.errno);
  const [, number] = /\(os error (\d+)\)/.exec(error.message) ?? [];
  return number === undefined ? undefined : Number(number);
}
