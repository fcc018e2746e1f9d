import { check, errno, libc, SystemError } from "../../ffi/mod.ts";
import { chmodSync, linkSync, lstatSync, renameSync, rmSync, type Stats } from "node:fs";
import process from "node:process";
import { socketMessages } from "../../ffi/socket_messages.ts";
import { Fd, numberOf } from "./fd.ts";
import { requireFlag, requireNames, shown } from "./arguments.ts";
import { type UnixAddress, unixBytes, unixText } from "./unix_address.ts";

const AF_UNIX = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const EADDRINUSE = 98;
const ECONNREFUSED = 111;

/** socket(2), non-blocking, of a type of sys/socket.h. */
export function openUnix(type: number): Fd {
  return Fd.unsafeOwn(check(libc().socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
}

/** How a socket gets its path. */
export interface UnixBindOptions {
  /** The file's permissions, whatever the umask: who may not write to it may not connect. It is never more than that. */
  mode?: number;
  /** Takes the place of a socket's file that nobody has open any more, as a process that crashed leaves one. */
  replace?: boolean;
}

const NAMES: readonly string[] = ["mode", "replace"] satisfies (keyof UnixBindOptions)[];

/** socketpair(2), non-blocking. */
export function pairOf(type: number): [Fd, Fd] {
  const pair = new Int32Array(2);
  const flags = type | SOCK_NONBLOCK | SOCK_CLOEXEC;
  check(socketMessages().socketpair(AF_UNIX, flags, 0, new Uint8Array(pair.buffer)), "socketpair");
  return [Fd.unsafeOwn(pair[0]), Fd.unsafeOwn(pair[1])];
}

/** bind(2) at an address that is nobody else's; `verb` is what errors say could not be done. A descriptor that could not be bound is its owner's to close. */
export function bindUnix(
  fd: Fd,
  type: number,
  address: UnixAddress,
  options: UnixBindOptions,
  verb: string,
): void {
  const what = "cannot bind";
  requireNames(what, "options are", options, NAMES);
  const { mode, replace = false } = options;
  requireFlag(what, "replace", replace);
  if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= 0o777)) {
    throw new RangeError(`${what}: mode is ${shown(mode)}, and no permissions from 0 to 0o777`);
  }
  const bytes = unixBytes(address, verb);
  if (mode !== undefined && !("path" in address)) {
    throw new TypeError(`${what} to ${unixText(address)}: mode goes with a path, for a name is no file`);
  }
  // The file gets the socket's permissions, less the umask's: it is there with more at no time.
  if (mode !== undefined) check(libc().fchmod(numberOf(fd), mode), "fchmod");
  let failure = bind(fd, bytes);
  const stale = failure === EADDRINUSE && "path" in address
    ? findStale(bytes, address.path, type)
    : undefined;
  if (stale !== undefined && "path" in address) {
    if (!replace) {
      throw new SystemError(EADDRINUSE, "bind", {
        path: address.path,
        hint: "a socket's file that nobody has open is there, left by a process that has ended: " +
          "remove it, or bind with { replace: true }",
      });
    }
    removeStale(stale, address.path);
    failure = bind(fd, bytes);
  }
  if (failure !== 0) throw new SystemError(failure, "bind", { path: unixText(address) });
  if (mode !== undefined && "path" in address) chmodSync(address.path, mode);
}

/** 0, or what errno(3) says. */
function bind(fd: Fd, bytes: Uint8Array): number {
  return libc().bind(numberOf(fd), bytes, bytes.length) === -1 ? errno() : 0;
}

/** What is at the path, where it is a socket's file that no socket has. */
function findStale(bytes: Uint8Array, path: string, type: number): Stats | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() !== true) return undefined;
  using probe = openUnix(type);
  const isRefused = libc().connect(numberOf(probe), bytes, bytes.length) === -1 && errno() === ECONNREFUSED;
  return isRefused ? found : undefined;
}

/**
 * Removes the file that was found, and no other: it is put aside first and looked at there, since another process may
 * have taken the path meanwhile. What is another's is put back.
 */
function removeStale(found: Stats, path: string): void {
  const aside = `${path}.${process.pid}.stale`;
  renameSync(path, aside);
  if (isSameFile(found, lstatSync(aside))) return rmSync(aside);
  linkSync(aside, path);
  rmSync(aside);
}

/** The number of a file that is gone is soon another's: the time at which it was made is not. */
export function isSameFile(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino && one.birthtimeMs === other.birthtimeMs;
}
