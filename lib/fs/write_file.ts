import { rmSync } from "node:fs";
import { SystemError } from "../../ffi/mod.ts";
import { O_DIRECTORY } from "../../ffi/file_calls.ts";
import { isSandboxed } from "../../ffi/permissions.ts";
import { requireFlag, requireNames } from "../io/arguments.ts";
import type { Coroutine, Future } from "../task/future.ts";
import { toFuture } from "../task/futures/to_future.ts";
import { type AbortOptions, requireSignal } from "./abortable.ts";
import type { Handle } from "./handle.ts";
import { type Metadata, metadataAt } from "./metadata.ts";
import { renamed, unlinked } from "./names.ts";
import { openHandle } from "./open.ts";
import { openingOf, requireMode } from "./open_options.ts";
import { besides, type FilePath, folderOf, type Path, pathFrom } from "./path.ts";
import { begun, nothing, systemCall } from "./system_call.ts";
import { Content, CURRENT, writeFully } from "./transfer.ts";

/** How a file is written. */
export interface WriteFileOptions extends AbortOptions {
  /**
   * Under another name first, brought to the disk, then renamed: whenever the process or the machine stops, the name leads
   * to the old file or to the new one, and readers see one or the other. It has the old one's permissions, and its owner
   * where the process may give it. A link, or what else is no regular file, is refused.
   */
  atomic?: boolean;
  /** A new file's permissions, before the umask: 0o666 where nothing is said. */
  mode?: number;
}

const NAMES: readonly string[] = ["atomic", "mode", "signal"] satisfies (keyof WriteFileOptions)[];
const EPERM = 1;
const ENOENT = 2;
const EISDIR = 21;
const EINVAL = 22;
const O_CLOEXEC = 0o2000000;
/** Without set-user-ID and its like: the new file's owner may be another. */
const PERMISSIONS = 0o777;

function* overwrite(path: Path, content: Content, mode: number): Coroutine<void> {
  content.requireAll();
  const opening = openingOf(`cannot write ${path.text}`, { write: true, create: true, truncate: true, mode });
  const handle = yield* openHandle(path, opening);
  try {
    yield* writeFully(handle, content, CURRENT);
    yield* handle.close();
  } finally {
    handle.closeNow();
  }
}

function* found(path: Path): Coroutine<Metadata | undefined> {
  try {
    return yield* metadataAt(path, false);
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOENT) return undefined;
    throw error;
  }
}

function requireRegular({ text }: Path, { kind }: Metadata): void {
  if (kind === "regular") return;
  if (kind === "directory") throw new SystemError(EISDIR, "rename", { path: text });
  throw new TypeError(`cannot replace ${text}: it is no regular file but a ${kind}; name the file itself`);
}

function onDescriptor(name: "fsync" | "fchmod" | "fchown", handle: Handle, ...args: number[]): Future<void> {
  const { number, path } = handle;
  return systemCall({ name, arguments: [number, ...args], context: { path }, value: nothing, used: handle });
}

/** The old file's owner and permissions, as far as they are for this process to give. */
function* makeLike(old: Metadata, handle: Handle): Coroutine<void> {
  try {
    yield* onDescriptor("fchown", handle, old.uid, old.gid);
  } catch (error) {
    // The latter for whom the process's user namespace does not know.
    if (!(error instanceof SystemError && (error.errno === EPERM || error.errno === EINVAL))) throw error;
  }
  yield* onDescriptor("fchmod", handle, old.mode & PERMISSIONS);
}

/** Whether or not anybody waits. */
function removeNow(path: Path): void {
  if (isSandboxed()) rmSync(path.text, { force: true });
  else begun(unlinked(path));
}

function* fill(path: Path, content: Content, mode: number, old: Metadata | undefined): Coroutine<void> {
  const what = `cannot write ${path.text}`;
  const opening = openingOf(what, { write: true, createNew: true, mode: old === undefined ? mode : 0o600 });
  const handle = yield* openHandle(path, opening, () => removeNow(path));
  try {
    yield* writeFully(handle, content, CURRENT);
    if (old !== undefined) yield* makeLike(old, handle);
    yield* onDescriptor("fsync", handle);
    yield* handle.close();
  } finally {
    handle.closeNow();
  }
}

function* replace(path: Path, content: Content, mode: number): Coroutine<void> {
  const old = yield* found(path);
  if (old !== undefined) requireRegular(path, old);
  // Before anything is written: nothing may refuse it once the name leads to the new file.
  const opening = { flags: O_DIRECTORY | O_CLOEXEC, mode: 0, reads: true, writes: false };
  const folder = yield* openHandle(folderOf(path) ?? pathFrom(".", "look at"), opening);
  const temporary = besides(path, `.oxbow-${crypto.randomUUID()}.tmp`);
  let isRenamed = false;
  try {
    yield* fill(temporary, content, mode, old);
    yield* renamed(temporary, path);
    isRenamed = true;
    yield* onDescriptor("fsync", folder);
  } finally {
    folder.closeNow();
    if (!isRenamed) removeNow(temporary);
  }
}

/**
 * Makes the file hold these bytes, and no others. Fails with a `SystemError`; a file that is not written atomically may
 * then hold some of them, and so where it is dropped. The buffer is in use until the future has ended: bytes that change
 * before may be written as they are then, and it fails with a `TypeError` where the buffer is transferred or shrunk
 * before all were taken.
 *
 * @example
 * ```ts
 * import { readFile, remove, writeFile } from "@oxbow/oxbow/fs";
 *
 * await writeFile("/tmp/oxbow-settings", new TextEncoder().encode("{}"), { atomic: true });
 * console.log((await readFile("/tmp/oxbow-settings")).length); // 2
 * await remove("/tmp/oxbow-settings");
 * ```
 */
export function writeFile(
  path: FilePath,
  bytes: Uint8Array,
  options: WriteFileOptions = {},
): Future<void> {
  const name = pathFrom(path, "write");
  const what = `cannot write ${name.text}`;
  const content = new Content(what, bytes);
  requireNames(what, "options are", options, NAMES);
  const { atomic = false, mode = 0o666, signal } = options;
  requireFlag(what, "atomic", atomic);
  requireMode(what, mode);
  requireSignal(what, signal);
  const future = toFuture(atomic ? replace(name, content, mode) : overwrite(name, content, mode));
  return signal === undefined ? future : future.abortable(signal);
}
