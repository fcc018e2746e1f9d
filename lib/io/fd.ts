import { check, errno, libc, SystemError, word } from "../../ffi/mod.ts";
import { FileType, Stat } from "../../ffi/layout/stat.ts";
import { byteLengthOf, NativeBuffer } from "../../ffi/native_buffer.ts";
import { requireRead, requireWrite } from "../../ffi/permissions.ts";
import { requireBoolean, requireFlag, requireNames, shown } from "./arguments.ts";
import { openFile } from "./open.ts";
import { fileURLToPath } from "node:url";

const O_WRONLY = 0o1;
const O_RDWR = 0o2;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const EINTR = 4;
const EAGAIN = 11;

/** What a call answers instead of a count, where it would have to wait. */
export const WouldBlock = -1;

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

function pathOf(what: string, url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new TypeError(`${what}: it is no file: URL of this machine`, { cause });
  }
}

/** The path of a `file:` URL, or the text itself. `verb` is what errors say that could not be done with it. */
export function toPath(path: string | URL, verb = "open"): string {
  const what = `cannot ${verb} ${shown(path)}`;
  const text = path instanceof URL ? pathOf(what, path) : path;
  if (typeof text !== "string") throw new TypeError(`${what}: path is no string and no URL`);
  if (text === "") throw new TypeError(`${what}: path is empty`);
  if (text.includes("\0")) throw new TypeError(`${what}: it holds a NUL, where the kernel would end it`);
  return text;
}

const NAMES: readonly string[] = [
  "read",
  "write",
  "create",
  "truncate",
  "mode",
] satisfies (keyof OpenOptions)[];

/** The flags of open(2), and the new file's permissions. */
function flagsAndMode(path: string, options: OpenOptions): [flags: number, mode: number] {
  const what = `cannot open ${path}`;
  requireNames(what, "options are", options, NAMES);
  const { read: asked, write = false, create = false, truncate = false, mode = 0o666 } = options;
  for (const [name, value] of Object.entries({ read: asked, write, create, truncate })) {
    requireFlag(what, name, value);
  }
  if (!(Number.isInteger(mode) && mode >= 0 && mode <= 0o7777)) {
    throw new RangeError(`${what}: mode is ${shown(mode)}, and no permissions from 0 to 0o7777`);
  }
  const read = asked ?? !write;
  if ((create || truncate) && !write) {
    throw new TypeError(`${what}: ${create ? "create" : "truncate"} asks for write`);
  }
  if (!read && !write) throw new TypeError(`${what}: neither read nor write is asked for`);
  if (read) requireRead(path);
  if (write) requireWrite(path);
  const access = write ? (read ? O_RDWR : O_WRONLY) : 0;
  const flags = access | (create ? O_CREAT : 0) | (truncate ? O_TRUNC : 0) | O_NONBLOCK | O_CLOEXEC;
  return [flags, mode];
}

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Fd");

/** What fstat(2) has said last: made once, for a map asks it at each opening. */
let found: Stat | undefined;

/** What `number` gives, whatever the object's properties are made to say: for the inside of this package. */
export let numberOf: (fd: Fd) => number;
/**
 * Has `mayClose` asked, with the descriptor's number, before it is closed: `false` leaves it open, for then somebody else
 * owns it by now. For the inside of this package.
 */
export let askBeforeClose: (fd: Fd, mayClose: (number: number) => boolean) => void;

/** A file descriptor that is owned: closed once, and a use after that is an error and never another file's. */
export class Fd implements Disposable {
  #number: number;
  #mayClose: ((number: number) => boolean) | null = null;

  static {
    numberOf = (fd) => fd.#open();
    askBeforeClose = (fd, mayClose) => fd.#mayClose = mayClose;
  }

  private constructor(key: symbol, number: number) {
    if (key !== KEY) throw new TypeError("cannot make an Fd: call Fd.open");
    this.#number = number;
  }

  /** open(2), never inherited by a child, and not waiting for a pipe's other end. Throws a `SystemError`, or Deno's `NotCapable`. */
  static open(path: string | URL, options: OpenOptions = {}): Fd {
    const name = toPath(path);
    const [flags, mode] = flagsAndMode(name, options);
    return new Fd(KEY, openFile(name, flags, mode));
  }

  /** Whether it is a descriptor that is owned: one of this class, and nothing that only says so. */
  static isFd(value: unknown): value is Fd {
    return typeof value === "object" && value !== null && #number in value;
  }

  /**
   * Takes over a descriptor that a call into C has made. Unsafe: one that is the host's own, or another Fd's, is
   * closed under its owner.
   */
  static unsafeOwn(number: number): Fd {
    if (!Number.isInteger(number) || number < 0) {
      throw new RangeError(`cannot own descriptor ${shown(number)}`);
    }
    return new Fd(KEY, number);
  }

  /** The descriptor. Throws where it was closed. */
  get number(): number {
    return this.#open();
  }

  #open(): number {
    if (this.#number === -1) throw new Error("cannot use a file descriptor that was closed");
    return this.#number;
  }

  get isClosed(): boolean {
    return this.#number === -1;
  }

  /** fstat(2). */
  status(): FileStatus {
    found ??= new Stat();
    check(libc().fstat(this.#open(), found.bytes), "fstat");
    const { size, device, inode } = found;
    return { type: typeName(found.type), size, device, inode };
  }

  /** dup(2), never inherited by a child: a second descriptor of the same open file. */
  dup(): Fd {
    return new Fd(KEY, check(libc().fcntl(this.#open(), F_DUPFD_CLOEXEC, 0), "fcntl"));
  }

  /**
   * Whether a call waits where it cannot be answered: `O_NONBLOCK`, turned round. It is the open file's and not the
   * descriptor's: all duplicates share it.
   */
  get isBlocking(): boolean {
    return (this.#flags() & O_NONBLOCK) === 0;
  }

  /** Changes `isBlocking`. What was opened here starts as `false`: only who has the thread to spare turns it on. */
  setBlocking(on: boolean): void {
    requireBoolean("cannot set whether a descriptor blocks", on);
    const flags = this.#flags();
    const wanted = on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    if (wanted !== flags) check(libc().fcntl(this.#open(), F_SETFL, wanted), "fcntl");
  }

  #flags(): number {
    return check(libc().fcntl(this.#open(), F_GETFL, 0), "fcntl");
  }

  /**
   * read(2) into all of a `Uint8Array`, or into `length` bytes of a `NativeBuffer` from `from`, which is the faster:
   * how many bytes there were, 0 at the end, or `WouldBlock`. Waits where `isBlocking`, and on a file's disk. A signal
   * does not end it. Throws a `SystemError`.
   */
  read(buffer: Uint8Array): number;
  read(buffer: NativeBuffer, from?: number, length?: number): number;
  read(buffer: Uint8Array | NativeBuffer, from?: number, length?: number): number {
    return this.#transfer("read", buffer, from, length);
  }

  /**
   * write(2) of all of a `Uint8Array`, or of `length` bytes of a `NativeBuffer` from `from`: how many bytes were taken,
   * which may be fewer, or `WouldBlock`. Throws a `SystemError`: `EPIPE` where nobody reads a pipe or a socket any
   * more; the hosts ignore the signal that comes with it.
   */
  write(buffer: Uint8Array): number;
  write(buffer: NativeBuffer, from?: number, length?: number): number;
  write(buffer: Uint8Array | NativeBuffer, from?: number, length?: number): number {
    return this.#transfer("write", buffer, from, length);
  }

  #transfer(
    syscall: "read" | "write",
    buffer: Uint8Array | NativeBuffer,
    from: number | undefined,
    length: number | undefined,
  ): number {
    const fd = this.#open();
    if (buffer instanceof NativeBuffer) return transferAt(syscall, fd, buffer, from, length);
    if (!(buffer instanceof Uint8Array)) {
      throw new TypeError(`cannot ${syscall}: buffer is no Uint8Array and no NativeBuffer`);
    }
    if (from !== undefined || length !== undefined) {
      throw new TypeError(
        `cannot ${syscall}: from and length go with a NativeBuffer, take a subarray instead`,
      );
    }
    const call = syscall === "read" ? libc().readView : libc().writeView;
    const size = byteLengthOf(buffer);
    for (;;) {
      const count = call(fd, buffer, size);
      if (count >= 0 || !isInterrupted(syscall)) return count;
    }
  }

  /** close(2), once. Its error is not told: the descriptor is gone whatever it says. */
  close(): void {
    const number = this.#number;
    if (number === -1) return;
    this.#number = -1;
    if (this.#mayClose === null || this.#mayClose(number)) libc().close(number);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function transferAt(
  syscall: "read" | "write",
  fd: number,
  buffer: NativeBuffer,
  from: number = 0,
  length: number = buffer.bytes.byteLength - from,
): number {
  const pointer = NativeBuffer.range(buffer, from, length);
  const size = word(length);
  const call = syscall === "read" ? libc().readAt : libc().writeAt;
  for (;;) {
    const count = call(fd, pointer, size);
    if (count >= 0 || !isInterrupted(syscall)) return count;
  }
}

/** Whether a call that has failed is to be made again; it would have waited otherwise. Throws what else it said. */
function isInterrupted(syscall: string): boolean {
  const failure = errno();
  if (failure === EINTR) return true;
  if (failure === EAGAIN) return false;
  throw new SystemError(failure, syscall);
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
