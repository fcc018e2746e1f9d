/** What is opened before it is mapped: files, memory without a path, descriptors, what handles name. */
import { Fd, numberOf, toPath } from "../io/fd.ts";
import { type MapHandle, resolve } from "./handle.ts";
import { locationOf, mappableStatus, openFor, requireAccess, setLength, writesThrough } from "./map_file.ts";
import {
  checkedRange,
  type FromFdOptions,
  type MapMode,
  type MemfdOptions,
  type MmapOptions,
  readMemfdOptions,
  readOptions,
  requireCount,
  type Seal,
} from "./map_options.ts";
import { createMemfd, hasLargePages } from "./memfd.ts";
import { Region } from "./region.ts";

/** What is done with a handle's map. */
export interface AdoptOptions {
  /** That of the map that was shared, `r` or `r+`, where nothing is said. */
  mode?: "r" | "r+" | "c";
}

/** A region of which nothing is mapped yet, and what is to be mapped of which descriptor. */
export interface Opening {
  readonly region: Region;
  /** The region's own, or one that is to be closed when it is mapped. */
  readonly fd: Fd;
  readonly length: number;
  readonly options: MmapOptions;
}

/** See `Mmap.open`. */
export function openingOfFile(given: string | URL, options: MmapOptions): Opening {
  const path = toPath(given, "map");
  const what = `cannot map ${path}`;
  const read = readOptions(what, options);
  const { mode = "r" } = read;
  const fd = openFor(path, mode);
  try {
    const { size: found, device, inode } = mappableStatus(what, fd);
    const grows = mode === "w+" || mode === "a+";
    const [offset, length] = checkedRange(what, found, read, grows);
    // What is refused leaves the file as it was.
    if (mode === "w+" || (grows && offset + length > found)) setLength(path, fd, offset + length);
    if (mode === "w+") {
      setLength(path, fd, 0);
      setLength(path, fd, offset + length);
    }
    const kept = writesThrough(mode) ? fd : undefined;
    const region = new Region({ path, location: locationOf(path), mode, fd: kept, device, inode }, offset);
    return { region, fd, length, options: read };
  } catch (error) {
    fd.close();
    throw error;
  }
}

/** See `Mmap.memfd`. The seals are for when it is mapped. */
export function openingOfMemory(
  name: string,
  length: number,
  options: MemfdOptions,
): { opening: Opening; seals: readonly Seal[] } {
  if (typeof name !== "string" || name.includes("\0") || new TextEncoder().encode(name).length > 249) {
    throw new TypeError("cannot map memory: its name is no text of up to 249 bytes without a NUL");
  }
  const what = `cannot map memory as ${name}`;
  requireCount(what, "length", length);
  const { advice, hugePages, populate, seals = [] } = readMemfdOptions(what, options);
  const fd = createMemfd(name, length, hugePages);
  const { device, inode } = fd.status();
  const isLarge = hugePages === "reserved";
  const region = new Region({ path: name, mode: "r+", fd, device, inode, hasLargePages: isLarge }, 0);
  const transparent = hugePages === "transparent" ? { hugePages } : {};
  return { opening: { region, fd, length, options: { advice, populate, ...transparent } }, seals };
}

/** Of a descriptor that the region is to have. */
function openingOfOwned(
  path: string,
  mode: MapMode,
  fd: Fd,
  identity: { device: bigint; inode: bigint },
  [offset, length]: readonly [offset: number, length: number],
  options: MmapOptions,
): Opening {
  const region = new Region({ path, mode, fd, ...identity, hasLargePages: hasLargePages(fd) }, offset);
  return { region, fd, length, options };
}

/** See `Mmap.fromFd`. */
export function openingOfFd(fd: Fd, options: FromFdOptions): Opening {
  const read = readOptions("cannot map a descriptor", options, ["r", "r+", "c"]);
  if (!Fd.isFd(fd)) throw new TypeError("cannot map a descriptor: fd is no Fd");
  const path = `descriptor ${numberOf(fd)}`;
  const what = `cannot map ${path}`;
  const { mode = "r" } = read;
  // A duplicate is of the class itself, whatever has become of the other's properties.
  const own = Fd.prototype.dup.call(fd);
  try {
    requireAccess(path, own, mode);
    const { size, device, inode } = mappableStatus(what, own);
    return openingOfOwned(path, mode, own, { device, inode }, checkedRange(what, size, read, false), read);
  } catch (error) {
    own.close();
    throw error;
  }
}

/** See `Mmap.adopt`. */
export function openingOfHandle(handle: MapHandle, options: AdoptOptions): Opening {
  const asked = readOptions("cannot adopt a map", options, ["r", "r+", "c"], ["mode"]);
  const { nonce, fd, writes, offset, byteLength, ...identity } = resolve(handle);
  const path = `shared map ${nonce}`;
  const { mode = writes ? "r+" : "r" } = asked;
  try {
    requireAccess(path, fd, mode);
    // It may have been cut short since.
    const range = checkedRange(
      `cannot adopt ${path}`,
      fd.status().size,
      { offset, length: byteLength },
      false,
    );
    return openingOfOwned(path, mode, fd, identity, range, {});
  } catch (error) {
    fd.close();
    throw error;
  }
}
