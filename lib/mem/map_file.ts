/** The files behind maps: how they are opened for a mode, and known again. */
import { check, libc, SystemError } from "../../ffi/mod.ts";
import { Fd, type FileStatus } from "../io/fd.ts";
import { isAbsolute } from "node:path";
import process from "node:process";
import type { MapMode } from "./map_options.ts";
import { setFileLength } from "./memory_file.ts";

const O_ACCMODE = 0o3;
const O_WRONLY = 0o1;
const O_RDWR = 0o2;
const F_GETFL = 3;
const EACCES = 13;

const WHY_NOT: Partial<Record<FileStatus["type"], string>> = {
  directory: "it is a directory",
  fifo: "it is a pipe, which has no pages; read it instead",
  character: "it is a terminal or another device, which has no pages; read it instead",
  socket: "it is a socket, which has no pages; read it instead",
  block: "it is a block device, whose length fstat does not tell; read it instead",
};

/** A file that a map was made of. */
export interface MapFile {
  /** What errors call it. */
  readonly path: string;
  /** Where it is found again, whatever the working directory is then. */
  readonly location?: string;
  readonly mode: MapMode;
  /** Where the map writes to the file the descriptor is kept, to lengthen and to share it. */
  readonly fd: Fd | undefined;
  readonly device: bigint;
  readonly inode: bigint;
  /** Whether its pages are reserved ones, of 2 MiB. */
  readonly hasLargePages?: boolean;
}

/** Whether writes go to the file. */
export function writesThrough(mode: MapMode): boolean {
  return mode !== "r" && mode !== "c";
}

/** The path from the root, which a change of the working directory does not change. */
export function locationOf(path: string): string {
  return isAbsolute(path) ? path : `${process.cwd()}/${path}`;
}

/** Opens a file as a mode asks for it. Does not cut it yet. */
export function openFor(path: string, mode: MapMode): Fd {
  if (!writesThrough(mode)) return Fd.open(path);
  return Fd.open(path, { read: true, write: true, create: mode !== "r+" });
}

/** What fstat(2) says of a file that can be mapped. Throws a `TypeError` for what cannot. */
export function mappableStatus(what: string, fd: Fd): FileStatus {
  const status = fd.status();
  const why = WHY_NOT[status.type];
  if (why !== undefined) throw new TypeError(`${what}: ${why}`);
  return status;
}

/** Throws where a descriptor was not opened for what the mode does with it. */
export function requireAccess(path: string, fd: Fd, mode: MapMode): void {
  const access = check(libc().fcntl(fd.number, F_GETFL, 0), "fcntl", { path }) & O_ACCMODE;
  if (access === O_WRONLY) {
    throw new SystemError(EACCES, "mmap", { path, hint: "the descriptor is not open for reading" });
  }
  if (writesThrough(mode) && access !== O_RDWR) {
    const hint =
      `mode ${mode} writes, and the descriptor is open for reading alone; open it with write, or take mode c`;
    throw new SystemError(EACCES, "mmap", { path, hint });
  }
}

/** ftruncate(2): the file's length from now on. */
export function setLength(path: string, fd: Fd, length: number): void {
  setFileLength(path, fd.number, length);
}

/** The map's file again: its own descriptor, or one of the file that its path names, if that is still the same. */
export function reopen(what: string, file: MapFile): Fd {
  if (file.fd !== undefined) return file.fd.dup();
  const fd = openFor(file.location ?? file.path, file.mode);
  const { device, inode } = fd.status();
  if (device === file.device && inode === file.inode) return fd;
  fd.close();
  throw new Error(`${what}: another file has taken its path since it was mapped; map that one`);
}
