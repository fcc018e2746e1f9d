/** Names of files, as this module takes them. */
import { cString } from "../../ffi/mod.ts";
import { isSandboxed } from "../../ffi/permissions.ts";
import { shown } from "../io/arguments.ts";
import { toPath } from "../io/fd.ts";

/** A path, a `file:` URL, or the bytes of a path, which need be no UTF-8. */
export type FilePath = string | URL | Uint8Array;

/** A path as the kernel takes it, and as people read it. */
export interface Path {
  readonly text: string;
  /** With a NUL at its end. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const decoder = new TextDecoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(what: string, bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch (cause) {
    throw new TypeError(`${what}: it is no UTF-8, and Deno's permissions are for names that are`, { cause });
  }
}

/** Throws a `TypeError` for what is no path. `verb` is what could not be done with it. */
export function pathFrom(path: FilePath, verb: string): Path {
  if (!(path instanceof Uint8Array)) {
    const text = toPath(path, verb);
    return { text, bytes: cString(text) };
  }
  const what = `cannot ${verb} ${shown(decoder.decode(path))}`;
  if (path.length === 0) throw new TypeError(`${what}: path is empty`);
  if (path.includes(0)) throw new TypeError(`${what}: it holds a NUL, where the kernel would end it`);
  const text = isSandboxed() ? textOf(what, path) : decoder.decode(path);
  const bytes = new Uint8Array(path.length + 1);
  bytes.set(path);
  return { text, bytes };
}

const SLASH = 0x2f;

/** Where in the bytes the last name begins. */
function lastNameIn(bytes: Uint8Array): number {
  let end = bytes.length - 1;
  while (end > 0 && bytes[end - 1] === SLASH) end--;
  while (end > 0 && bytes[end - 1] !== SLASH) end--;
  return end;
}

/** The folder that the path names, if it names one. By its bytes, which need be no UTF-8. */
export function folderOf({ bytes }: Path): Path | undefined {
  let end = lastNameIn(bytes);
  while (end > 1 && bytes[end - 1] === SLASH) end--;
  return end === 0 ? undefined : pathFrom(bytes.subarray(0, end), "look at");
}

/** The path of another name in the same folder. */
export function besides({ bytes }: Path, name: string): Path {
  const folder = bytes.subarray(0, lastNameIn(bytes));
  const last = new TextEncoder().encode(name);
  const path = new Uint8Array(folder.length + last.length);
  path.set(folder);
  path.set(last, folder.length);
  return pathFrom(path, "make");
}
