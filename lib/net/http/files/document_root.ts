import { O_DIRECTORY, openBeneath } from "../../../../ffi/file_calls.ts";
import { cString, errno, libc, SystemError } from "../../../../ffi/mod.ts";
import { isSandboxed, requireRead, requireSpecial } from "../../../../ffi/permissions.ts";
import { Fd } from "../../../io/fd.ts";
import { pathOf } from "../../../io/open.ts";

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;

const EPERM = 1;
const EINTR = 4;
const EAGAIN = 11;
const ENOSYS = 38;
/** A rename elsewhere may have a lookup fail that way; it is no reason to try for ever. */
const TRIES = 8;

/** How a path is found: by openat2(2), or where the kernel or a filter has none, by the path that the kernel tells. */
export type Finder = (folder: Fd, path: string) => number;

/** The folder that is served: what lies beneath it can be opened, and nothing else whatever links there are. */
export class DocumentRoot implements Disposable {
  readonly path: string;
  readonly #folder: Fd;
  /** The ones that may work here, the best first. */
  #finders: readonly Finder[];

  /** Throws a `SystemError` where it is no folder, and Deno's `NotCapable` where it may not be read. */
  constructor(path: string, finders: readonly Finder[] = [findByResolve, findByLink]) {
    requireRead(path);
    this.path = path;
    this.#finders = finders;
    this.#folder = Fd.unsafeOwn(checked(openPath(path, O_PATH | O_DIRECTORY | O_CLOEXEC), "open", path));
    try {
      if (isSandboxed()) requireSpecial(pathOf(this.#folder.number), false);
    } catch (error) {
      this.#folder.close();
      throw error;
    }
  }

  /**
   * What is at `path`, which is relative and holds no `..`: found, and not opened. Throws a `SystemError`, `EXDEV`
   * where a link leads out.
   */
  find(path: string): Fd {
    let found = this.#finders[0](this.#folder, path);
    while ((found === -ENOSYS || found === -EPERM) && this.#finders.length > 1) {
      this.#finders = this.#finders.slice(1);
      found = this.#finders[0](this.#folder, path);
    }
    return Fd.unsafeOwn(checked(found, "openat2", path));
  }

  /** Opens for reading what was found. */
  static open(found: Fd, path: string): Fd {
    const number = openPath(linkOf(found), O_NONBLOCK | O_CLOEXEC);
    return Fd.unsafeOwn(checked(number, "open", path));
  }

  [Symbol.dispose](): void {
    this.#folder.close();
  }
}

/** openat2(2): the kernel holds the lookup below the folder. */
export function findByResolve(folder: Fd, path: string): number {
  for (let tries = 0;; tries++) {
    const number = openBeneath(folder.number, path, O_PATH | O_CLOEXEC);
    if (number >= 0) return number;
    const failure = errno();
    if (failure !== EINTR && (failure !== EAGAIN || tries === TRIES)) return -failure;
  }
}

const EXDEV = 18;

/** Finds it wherever it leads, without opening it, and gives it only where the kernel says that it lies below. */
export function findByLink(folder: Fd, path: string): number {
  const number = openPath(`${linkOf(folder)}/${path}`, O_PATH | O_CLOEXEC);
  if (number < 0) return number;
  const root = pathOf(folder.number);
  const found = pathOf(number);
  if (found === root || found.startsWith(root.endsWith("/") ? root : `${root}/`)) return number;
  libc().close(number);
  return -EXDEV;
}

function linkOf(fd: Fd): string {
  return `/proc/self/fd/${fd.number}`;
}

function openPath(path: string, flags: number): number {
  const bytes = cString(path);
  for (;;) {
    const number = libc().open(bytes, flags, 0);
    if (number >= 0) return number;
    const failure = errno();
    if (failure !== EINTR) return -failure;
  }
}

function checked(result: number, syscall: string, path: string): number {
  if (result >= 0) return result;
  throw new SystemError(-result, syscall, { path });
}
