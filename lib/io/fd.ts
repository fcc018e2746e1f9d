import { check, libc } from "../../ffi/mod.ts";
import { FileType, Stat } from "../../ffi/layout/stat.ts";
import { requireRead, requireWrite } from "../../ffi/permissions.ts";
import { openFile } from "./open.ts";
import { fileURLToPath } from "node:url";

const O_WRONLY = 0o1;
const O_RDWR = 0o2;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;

/** How a file is opened: open(2). Reading is the default where nothing is said. */
export interface OpenOptions {
  read?: boolean;
  write?: boolean;
  /** Makes the file where there is none; asks for `write`. */
  create?: boolean;
  /** Cuts the file to nothing; asks for `write`. */
  truncate?: boolean;
  /** The new file's permissions, before the umask: 0o666 where nothing is said. */
  mode?: number;
}

/** What a file is, as far as fstat(2) was asked. */
export interface FileStatus {
  readonly type: keyof typeof FileType;
  /** In bytes. */
  readonly size: number;
  readonly device: bigint;
  readonly inode: bigint;
}

/** The path of a `file:` URL, or the text itself. */
export function toPath(path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path !== "string") {
    throw new TypeError(`cannot open ${String(path)}: path is no string and no URL`);
  }
  return path;
}

function flagsOf(path: string, options: OpenOptions): number {
  const { read = !options.write, write = false, create = false, truncate = false } = options;
  if ((create || truncate) && !write) {
    throw new TypeError(`cannot open ${path}: ${create ? "create" : "truncate"} asks for write`);
  }
  if (!read && !write) throw new TypeError(`cannot open ${path}: neither read nor write is asked for`);
  if (read) requireRead(path);
  if (write) requireWrite(path);
  const access = write ? (read ? O_RDWR : O_WRONLY) : 0;
  return access | (create ? O_CREAT : 0) | (truncate ? O_TRUNC : 0) | O_NONBLOCK | O_CLOEXEC;
}

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Fd");

/** What fstat(2) has said last: made once, for a map asks it at each opening. */
let found: Stat | undefined;

/** A file descriptor that is owned: closed once, and a use after that is an error and never another file's. */
export class Fd implements Disposable {
  #number: number;

  private constructor(key: symbol, number: number) {
    if (key !== KEY) throw new TypeError("cannot make an Fd: call Fd.open");
    this.#number = number;
  }

  /** open(2), never inherited by a child, and not waiting for a pipe's other end. Throws a `SystemError`, or Deno's `NotCapable`. */
  static open(path: string | URL, options: OpenOptions = {}): Fd {
    const name = toPath(path);
    return new Fd(KEY, openFile(name, flagsOf(name, options), options.mode ?? 0o666));
  }

  /**
   * Takes over a descriptor that a call into C has made. Unsafe: one that is the host's own, or another Fd's, is
   * closed under its owner.
   */
  static unsafeOwn(number: number): Fd {
    if (!Number.isInteger(number) || number < 0) throw new RangeError(`cannot own descriptor ${number}`);
    return new Fd(KEY, number);
  }

  /** The descriptor. Throws where it was closed. */
  get number(): number {
    if (this.#number === -1) throw new Error("cannot use a file descriptor that was closed");
    return this.#number;
  }

  get isClosed(): boolean {
    return this.#number === -1;
  }

  /** fstat(2). */
  status(): FileStatus {
    found ??= new Stat();
    check(libc().fstat(this.number, found.bytes), "fstat");
    const { size, device, inode } = found;
    return { type: typeName(found.type), size, device, inode };
  }

  /** dup(2), never inherited by a child: a second descriptor of the same open file. */
  dup(): Fd {
    return new Fd(KEY, check(libc().fcntl(this.number, F_DUPFD_CLOEXEC, 0), "fcntl"));
  }

  /** close(2), once. Its error is not told: the descriptor is gone whatever it says. */
  close(): void {
    if (this.#number === -1) return;
    libc().close(this.#number);
    this.#number = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function typeName(type: number): keyof typeof FileType {
  switch (type) {
    case FileType.socket:
      return "socket";
    case FileType.symlink:
      return "symlink";
    case FileType.block:
      return "block";
    case FileType.directory:
      return "directory";
    case FileType.character:
      return "character";
    case FileType.fifo:
      return "fifo";
    default:
      return "regular";
  }
}
