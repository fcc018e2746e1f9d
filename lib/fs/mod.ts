/**
 * Files, whose system calls are made on other threads so that none keeps this one from its turn: tokio's `fs`.
 *
 * Those threads are machine code alone (`spawnNative` has them too): up to 64 for each thread of JavaScript, made where
 * none is idle. Bytes go through memory of the threads' own, so that a buffer is never C's, and a call that outlives who
 * asked for it harms nothing. Everything is a future: begun when it is awaited, never made where it was dropped before a
 * thread has begun it, and left to itself after that. Nothing waits for such a call, neither a worker's end nor the
 * process's exit.
 *
 * What is in the page cache is read faster by the hosts' own `readSync`, in a microsecond or two, and by `Mmap` without
 * any call; this is for disks, pipes and servers that must go on meanwhile.
 *
 * @example
 * ```ts
 * import { File, readDir, remove, writeFile } from "@oxbow/oxbow/fs";
 *
 * await writeFile("/tmp/oxbow-notes", new TextEncoder().encode("one\ntwo\n"), { atomic: true });
 * await using file = await File.open("/tmp/oxbow-notes");
 * const line = new Uint8Array(4);
 * await file.readAt(line, 4, { signal: AbortSignal.timeout(1000) });
 * console.log(new TextDecoder().decode(line)); // "two\n"
 * for await (const { name, kind } of readDir("/tmp")) {
 *   if (name === "oxbow-notes") console.log(kind); // regular
 * }
 * await remove("/tmp/oxbow-notes");
 * ```
 *
 * Follows tokio's `fs`, open(2), pread(2), getdents64(2), statx(2) and rename(2). In Deno it asks for `--allow-ffi`, and
 * for `--allow-read` and `--allow-write` of the paths.
 *
 * @module
 */
export type { AbortOptions } from "./abortable.ts";
export { File } from "./file.ts";
export { type FileKind, type Metadata, metadata, symlinkMetadata } from "./metadata.ts";
export { type MakeDirectoryOptions, mkdir, remove, rename } from "./names.ts";
export type { FileOptions } from "./open_options.ts";
export type { FilePath } from "./path.ts";
export { DirectoryEntry, readDir, ReadDirectory } from "./read_dir.ts";
export { readFile } from "./read_file.ts";
export { writeFile, type WriteFileOptions } from "./write_file.ts";
