/**
 * open(2), and in Deno's sandbox what Deno makes of it. A path is taken there as Deno takes it, `..` by its text
 * alone. Its file is found by O_PATH, which opens nothing, the path that the kernel has for it is held against the
 * rule for special files, and it is opened by what was found: nothing can be put in its place in between. A file
 * that is not there yet is made in a folder that was found so, and never through a link.
 *
 * @module
 */
import { check, cString, errno, libc, SystemError } from "../../ffi/mod.ts";
import { isSandboxed, requireSpecial } from "../../ffi/permissions.ts";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";

const ENOENT = 2;
const EINTR = 4;
const ELOOP = 40;
const O_ACCMODE = 0o3;
const O_CREAT = 0o100;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const O_NOFOLLOW = process.arch === "x64" ? 0o400000 : 0o100000;
const PATH_MAX = 4096;

/** The descriptor, or the negative of what errno(3) says. */
function open(path: string, flags: number, mode: number): number {
  const bytes = cString(path);
  for (;;) {
    const number = libc().open(bytes, flags, mode);
    if (number >= 0) return number;
    const failure = errno();
    if (failure !== EINTR) return -failure;
  }
}

function linkOf(number: number): string {
  return `/proc/self/fd/${number}`;
}

/** The path that the kernel has for a descriptor, or what it calls a nameless one. */
export function pathOf(number: number): string {
  const path = linkOf(number);
  const bytes = new Uint8Array(PATH_MAX);
  const length = check(Number(libc().readlink(path, bytes, bytes.length)), "readlink", { path });
  return new TextDecoder().decode(bytes.subarray(0, length));
}

/** What `use` makes of what is at `path`, found and not opened; or the negative of what errno(3) says. */
function find(path: string, use: (number: number) => number, flags = 0): number {
  const number = open(path, O_PATH | O_CLOEXEC | flags, 0);
  if (number < 0) return number;
  try {
    return use(number);
  } finally {
    libc().close(number);
  }
}

function openSandboxed(path: string, flags: number, mode: number): number {
  const writes = (flags & O_ACCMODE) !== 0;
  requireSpecial(path, writes);
  const opened = find(path, (file) => {
    requireSpecial(pathOf(file), writes);
    return open(linkOf(file), flags & ~O_CREAT, mode);
  });
  if (opened !== -ENOENT) return opened;
  const made = find(dirname(path), (folder) => {
    const name = basename(path);
    requireSpecial(join(pathOf(folder), name), writes);
    return open(join(linkOf(folder), name), flags | O_NOFOLLOW, mode);
  });
  return made === -ELOOP ? -ENOENT : made;
}

/**
 * What `use` makes of a path that leads the kernel to what is at `path`, or the negative of what errno(3) says. A link
 * at its end is followed or not. Throws Deno's `NotCapable` for a special file.
 */
export function withPath(path: string, follows: boolean, use: (path: string) => number): number {
  if (!isSandboxed()) return use(path);
  const resolved = resolve(path);
  requireSpecial(resolved, false);
  return find(resolved, (file) => {
    requireSpecial(pathOf(file), false);
    return use(linkOf(file));
  }, follows ? 0 : O_NOFOLLOW);
}

/** A descriptor of the file. Throws a `SystemError`, or Deno's `NotCapable` for a special file. */
export function openFile(path: string, flags: number, mode: number): number {
  const number = path !== "" && isSandboxed()
    ? openSandboxed(resolve(path), flags, mode)
    : open(path, flags, mode);
  if (number < 0) throw new SystemError(-number, "open", { path });
  return number;
}
