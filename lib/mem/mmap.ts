/**
 * Files as memory, by mmap(2). A map hands out ordinary typed arrays over the page cache: nothing is read
 * before it is asked for, and threads and processes that map the same file share its pages.
 *
 * A map cannot be used after free. Disposing detaches every buffer that was handed out, which leaves each of its
 * views with length 0, and puts zero pages in the file's place; the addresses are given back once nobody can have
 * them. So a read too late is `undefined`, never a signal, and a map that is forgotten goes when it is collected.
 * Neither does a file that is cut short under its map end the process: a handler of SIGBUS in machine code puts
 * zeros there, and the next use throws.
 *
 * Mode `r` is mapped private and writable under a read-only type: a write that is forced on it costs one page and
 * never reaches the file. The type refuses to assign to an element, and no more: `set`, `fill` and what a
 * `dataView()` sets compile, and change what this map shows.
 *
 * What it asks of you, which docs/mmap.md says at length:
 *
 * - Dispose once the host's asynchronous calls are over. One that still has a view reads or writes zeros, and says
 *   nothing: after `response.end(map.bytes())` wait for `finish`, and `await` what gives a promise, before `using`
 *   disposes.
 * - Keep a map whose handle is out: the handle is stale once the map is disposed, or collected.
 * - Let a worker come to its end: one that is terminated leaks the descriptors of its maps.
 * - Leave SIGBUS alone: `process.on("SIGBUS")` takes the guard away until the next map is opened, though `guarded` is
 *   true. write(2) of a map whose file was cut short fails with EFAULT, which is no error of this module.
 * - On Node the addresses of a disposed map come back only after a turn of the event loop.
 *
 * @example
 * ```ts
 * import { Mmap } from "@oxbow/oxbow/mmap";
 * import { writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const path = join(tmpdir(), "oxbow-example.bin");
 * writeFileSync(path, new Uint8Array(Float32Array.of(1, 2, 3).buffer));
 * using map = Mmap.open(path);
 * console.log(map.view(Float32Array, 4, 2)); // Float32Array(2) [ 2, 3 ]
 * ```
 *
 * Follows mmap(2), madvise(2), msync(2), mincore(2), memfd_create(2), and NumPy's memmap.
 *
 * @module
 */
export type { Advice } from "./advice.ts";
export type { MapHandle } from "./handle.ts";
export { type MapRange, type MapWindow, Mmap, type View } from "./map.ts";
export {
  HandleError,
  MapFaultError,
  MapInUseError,
  MapTransferredError,
  MapTruncatedError,
} from "./map_errors.ts";
export type {
  AnonymousOptions,
  FromFdOptions,
  HugePages,
  MapAccess,
  MapMode,
  MappedOptions,
  MemfdOptions,
  MmapOptions,
  Seal,
} from "./map_options.ts";
export type { AdoptOptions } from "./openings.ts";
export type { StableBytes } from "./stable_bytes.ts";
export type { ViewConstructor } from "./views.ts";
