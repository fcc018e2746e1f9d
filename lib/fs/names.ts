/** Files under their names: renamed, removed, made. In Deno's sandbox by `node:fs`, which asks for its permissions. */
import { mkdir as makeFolder, rename as renamePath, rm, rmdir } from "node:fs/promises";
import { SystemError } from "../../ffi/mod.ts";
import type { SyscallContext } from "../../ffi/mod.ts";
import { isSandboxed } from "../../ffi/permissions.ts";
import { requireFlag, requireNames } from "../io/arguments.ts";
import type { NativeFuture } from "../task/blocking/native_future.ts";
import type { Coroutine, Future } from "../task/future.ts";
import { toFuture } from "../task/futures/to_future.ts";
import { abortable, type AbortOptions, requireSignal } from "./abortable.ts";
import { metadataAt } from "./metadata.ts";
import { requireMode } from "./open_options.ts";
import { type FilePath, folderOf, type Path, pathFrom } from "./path.ts";
import { nothing, systemCall } from "./system_call.ts";

const EPERM = 1;
const ENOENT = 2;
const EEXIST = 17;
const EISDIR = 21;

/** What the host's own call has failed with, as ours would have. */
async function asSystemError(
  call: Promise<unknown>,
  syscall: string,
  context: SyscallContext,
): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Error && "errno" in error && typeof error.errno === "number")) throw error;
    throw new SystemError(Math.abs(error.errno), syscall, context);
  }
}

/** By the host, where its permissions are to be asked. */
function hosted(call: () => Promise<unknown>, syscall: string, context: SyscallContext): Future<void> {
  return toFuture(asSystemError(call(), syscall, context));
}

/** rename(2), of names that were looked at. */
export function renamed(from: Path, to: Path): Future<void> {
  const context = { path: from.text, dest: to.text };
  if (isSandboxed()) return hosted(() => renamePath(from.text, to.text), "rename", context);
  return systemCall({ name: "rename", arguments: [from.bytes, to.bytes], context, value: nothing });
}

/**
 * rename(2): `to` is `from`'s file from then on, and at no time none. A file that was there is gone, or an empty directory
 * where `from` is one. Fails with `EXDEV` from one file system to another. Safe to drop: it is done then, or not.
 */
export function rename(from: FilePath, to: FilePath, options: AbortOptions = {}): Future<void> {
  const [old, next] = [pathFrom(from, "rename"), pathFrom(to, "rename to")];
  return abortable(`cannot rename ${old.text} to ${next.text}`, options, () => renamed(old, next));
}

/** unlink(2) */
export function unlinked({ text, bytes }: Path): NativeFuture<void> {
  return systemCall({ name: "unlink", arguments: [bytes], context: { path: text }, value: nothing });
}

function isErrno(error: unknown, ...numbers: readonly number[]): boolean {
  return error instanceof SystemError && numbers.includes(error.errno);
}

function* removed(path: Path): Coroutine<void> {
  try {
    yield* unlinked(path);
  } catch (error) {
    // Linux says the first of a directory, POSIX the second.
    if (!isErrno(error, EISDIR, EPERM)) throw error;
    const { text, bytes } = path;
    const hint = { hint: "a directory is removed once it is empty" };
    yield* systemCall({
      name: "rmdir",
      arguments: [bytes],
      context: { path: text, ...hint },
      value: nothing,
    });
  }
}

async function removedByHost(path: string): Promise<void> {
  try {
    await rm(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && /EISDIR/.test(String(error.code)))) throw error;
    await rmdir(path);
  }
}

/** unlink(2) of a file or a link, rmdir(2) of a directory, which must be empty. */
export function remove(path: FilePath, options: AbortOptions = {}): Future<void> {
  const name = pathFrom(path, "remove");
  return abortable(
    `cannot remove ${name.text}`,
    options,
    () =>
      isSandboxed()
        ? hosted(() => removedByHost(name.text), "unlink", { path: name.text })
        : toFuture(removed(name)),
  );
}

/** How a directory is made. */
export interface MakeDirectoryOptions extends AbortOptions {
  /** Makes those above it too, and is content where it is there. */
  recursive?: boolean;
  /** Its permissions, before the umask: 0o777 where nothing is said. */
  mode?: number;
}

const NAMES: readonly string[] = ["recursive", "mode", "signal"] satisfies (keyof MakeDirectoryOptions)[];

/** One directory. */
function made({ text, bytes }: Path, mode: number): Future<void> {
  return systemCall({ name: "mkdir", arguments: [bytes, mode], context: { path: text }, value: nothing });
}

/** Whether a directory is there, where making one has failed. */
function* isThere(error: unknown, path: Path): Coroutine<boolean> {
  return isErrno(error, EEXIST) && (yield* metadataAt(path, true)).kind === "directory";
}

function* madeWithParents(path: Path, mode: number): Coroutine<void> {
  try {
    return yield* made(path, mode);
  } catch (error) {
    if (yield* isThere(error, path)) return;
    const parent = isErrno(error, ENOENT) ? folderOf(path) : undefined;
    if (parent === undefined) throw error;
    yield* madeWithParents(parent, 0o777);
  }
  try {
    yield* made(path, mode);
  } catch (error) {
    // Another one may have made it meanwhile.
    if (!(yield* isThere(error, path))) throw error;
  }
}

/** mkdir(2): a directory, in one that is there. Safe to drop: it is made then, or not. */
export function mkdir(path: FilePath, options: MakeDirectoryOptions = {}): Future<void> {
  const name = pathFrom(path, "make");
  const what = `cannot make ${name.text}`;
  requireNames(what, "options are", options, NAMES);
  const { recursive = false, mode = 0o777, signal } = options;
  requireFlag(what, "recursive", recursive);
  requireMode(what, mode);
  requireSignal(what, signal);
  const future = isSandboxed()
    ? hosted(() => makeFolder(name.text, { recursive, mode }), "mkdir", { path: name.text })
    : recursive
    ? toFuture(madeWithParents(name, mode))
    : made(name, mode);
  return signal === undefined ? future : future.abortable(signal);
}
