import { SystemError } from "../../ffi/mod.ts";
import { cString, errno, libc } from "../../ffi/mod.ts";
import { FileType } from "../../ffi/layout/stat.ts";
import { isSandboxed, requireRead } from "../../ffi/permissions.ts";
import { withPath } from "../io/open.ts";
import type { Future } from "../task/future.ts";
import { toFuture } from "../task/futures/to_future.ts";
import type { Coroutine } from "../task/future.ts";
import { Handle } from "./handle.ts";
import { type FilePath, type Path, pathFrom } from "./path.ts";
import { abortable, type AbortOptions } from "./abortable.ts";
import { Room, systemCall } from "./system_call.ts";

/** What kind of file it is. */
export type FileKind = "regular" | "directory" | "symlink" | "fifo" | "socket" | "character" | "block";

/** What statx(2) says of a file. Times are milliseconds since 1970, with fractions. */
export interface Metadata {
  readonly kind: FileKind;
  /** In bytes. */
  readonly size: number;
  /** Permissions, with set-user-ID and its like. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly device: bigint;
  readonly inode: bigint;
  readonly accessed: number;
  readonly modified: number;
  /** When it, or what is told here, was last changed. */
  readonly changed: number;
  /** When it was made; `null` where the file system does not keep that. */
  readonly created: number | null;
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const FORMAT = 0o170000;
const PERMISSIONS = 0o7777;

/** `struct statx`, in linux/stat.h: what is at which byte. */
const STATX = {
  mask: 0,
  links: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  inode: 32,
  size: 40,
  accessed: 64,
  created: 80,
  changed: 96,
  modified: 112,
  deviceMajor: 136,
  deviceMinor: 140,
  byteLength: 256,
} as const;

const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [FileType.regular, "regular"],
  [FileType.directory, "directory"],
  [FileType.symlink, "symlink"],
  [FileType.fifo, "fifo"],
  [FileType.socket, "socket"],
  [FileType.character, "character"],
  [FileType.block, "block"],
]);

function timeAt(view: DataView, at: number): number {
  return Number(view.getBigInt64(at, true)) * 1000 + view.getUint32(at + 8, true) / 1e6;
}

/** gnu_dev_makedev(3), as `st_dev` has it. */
function deviceOf(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (high & 0xfffff000n) << 32n | (high & 0xfffn) << 8n | (low & 0xffffff00n) << 12n | (low & 0xffn);
}

function metadataFrom(bytes: Uint8Array): Metadata {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mode = view.getUint16(STATX.mode, true);
  const hasCreated = (view.getUint32(STATX.mask, true) & STATX_BTIME) !== 0;
  return {
    kind: KINDS.get(mode & FORMAT) ?? "regular",
    size: Number(view.getBigUint64(STATX.size, true)),
    mode: mode & PERMISSIONS,
    links: view.getUint32(STATX.links, true),
    uid: view.getUint32(STATX.uid, true),
    gid: view.getUint32(STATX.gid, true),
    device: deviceOf(view.getUint32(STATX.deviceMajor, true), view.getUint32(STATX.deviceMinor, true)),
    inode: view.getBigUint64(STATX.inode, true),
    accessed: timeAt(view, STATX.accessed),
    modified: timeAt(view, STATX.modified),
    changed: timeAt(view, STATX.changed),
    created: hasCreated ? timeAt(view, STATX.created) : null,
  };
}

const HERE = cString("");

/** Of an open file. */
export function metadataOf(handle: Handle): Future<Metadata> {
  return systemCall({
    name: "statx",
    arguments: [
      handle.number,
      HERE,
      AT_EMPTY_PATH,
      STATX_BASIC_STATS | STATX_BTIME,
      new Room(STATX.byteLength),
    ],
    context: { path: handle.path },
    value: (_, bytes) => metadataFrom(bytes),
    used: handle,
  });
}

/** In Deno's sandbox: by a descriptor of what the path leads to, which opens nothing. */
function* sandboxedMetadata(path: string, follows: boolean): Coroutine<Metadata> {
  requireRead(path);
  const number = withPath(path, follows, (link) => {
    const number = libc().open(cString(link), O_PATH | O_CLOEXEC, 0);
    return number === -1 ? -errno() : number;
  });
  if (number < 0) throw new SystemError(-number, "statx", { path });
  const handle = new Handle(number, path);
  try {
    return yield* metadataOf(handle);
  } finally {
    handle.closeNow();
  }
}

/** Of what is at a path that was looked at. */
export function metadataAt({ text, bytes }: Path, follows: boolean): Future<Metadata> {
  if (isSandboxed()) return toFuture(sandboxedMetadata(text, follows));
  return systemCall({
    name: "statx",
    arguments: [
      AT_FDCWD,
      bytes,
      follows ? 0 : AT_SYMLINK_NOFOLLOW,
      STATX_BASIC_STATS | STATX_BTIME,
      new Room(STATX.byteLength),
    ],
    context: { path: text },
    value: (_, found) => metadataFrom(found),
  });
}

function metadataOfPath(path: FilePath, follows: boolean, options: AbortOptions): Future<Metadata> {
  const name = pathFrom(path, "look at");
  return abortable(`cannot look at ${name.text}`, options, () => metadataAt(name, follows));
}

/** What is at the path, or where the link leads that is there: statx(2). Fails with a `SystemError`. Safe to drop. */
export function metadata(path: FilePath, options: AbortOptions = {}): Future<Metadata> {
  return metadataOfPath(path, true, options);
}

/** As `metadata`, of a link itself. */
export function symlinkMetadata(path: FilePath, options: AbortOptions = {}): Future<Metadata> {
  return metadataOfPath(path, false, options);
}
