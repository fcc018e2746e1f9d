import { requireNames } from "../io/arguments.ts";
import type { Coroutine, Future } from "../task/future.ts";
import { ready } from "../task/futures/ready.ts";
import { toFuture } from "../task/futures/to_future.ts";
import { unwatch, watch } from "../mem/forgotten.ts";
import { O_DIRECTORY } from "../../ffi/file_calls.ts";
import { type AbortOptions, requireSignal } from "./abortable.ts";
import type { Handle } from "./handle.ts";
import type { FileKind } from "./metadata.ts";
import { openHandle } from "./open.ts";
import { type FilePath, type Path, pathFrom } from "./path.ts";
import { Room, systemCall } from "./system_call.ts";

const O_CLOEXEC = 0o2000000;
/** What one call gives at most: some 4,000 names. */
const BATCH_BYTES = 128 * 1024;

/** `struct linux_dirent64`: what is at which byte. */
const LENGTH = 16;
const TYPE = 18;
const NAME = 19;

const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [1, "fifo"],
  [2, "character"],
  [4, "directory"],
  [6, "block"],
  [8, "regular"],
  [10, "symlink"],
  [12, "socket"],
]);

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** A name that is longer, or not ASCII, is decoded by the host. */
const SHORT = 32;

/** A file of a directory. */
export class DirectoryEntry {
  /** Where it is no UTF-8: with U+FFFD in place of what is none. */
  readonly name: string;
  /** `"unknown"` where the file system does not say: `symlinkMetadata` does. */
  readonly kind: FileKind | "unknown";
  readonly #bytes: Uint8Array<ArrayBuffer> | undefined;

  constructor(name: string, kind: FileKind | "unknown", bytes?: Uint8Array<ArrayBuffer>) {
    this.name = name;
    this.kind = kind;
    this.#bytes = bytes;
  }

  /** Whether `name` is its name. */
  get isUtf8(): boolean {
    return this.#bytes === undefined;
  }

  /** The bytes of its name, for a path of bytes. */
  get nameBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes ?? encoder.encode(this.name);
  }
}

function asciiAt(bytes: Uint8Array, from: number, to: number): string | undefined {
  let name = "";
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    if (byte > 0x7f) return undefined;
    name += String.fromCharCode(byte);
  }
  return name;
}

function entryOf(bytes: Uint8Array, from: number, to: number, type: number): DirectoryEntry {
  const kind = KINDS.get(type) ?? "unknown";
  const ascii = to - from <= SHORT ? asciiAt(bytes, from, to) : undefined;
  if (ascii !== undefined) return new DirectoryEntry(ascii, kind);
  const name = bytes.slice(from, to);
  try {
    return new DirectoryEntry(strict.decode(name), kind);
  } catch {
    return new DirectoryEntry(decoder.decode(name), kind, name);
  }
}

const DOT = 0x2e;

function isDots(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes[from] === DOT && (to - from === 1 || (to - from === 2 && bytes[from + 1] === DOT));
}

function entriesOf(bytes: Uint8Array): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = at + bytes[at + LENGTH] + 256 * bytes[at + LENGTH + 1];
    const from = at + NAME;
    const to = bytes.indexOf(0, from);
    if (!isDots(bytes, from, to)) entries.push(entryOf(bytes, from, to, bytes[at + TYPE]));
    at = next;
  }
  return entries;
}

function someEntries(handle: Handle): Future<DirectoryEntry[] | null> {
  return systemCall({
    name: "getdents64",
    arguments: [handle.number, new Room(BATCH_BYTES), BATCH_BYTES],
    context: { path: handle.path },
    value: (count, bytes) => count === 0 ? null : entriesOf(bytes.subarray(0, count)),
    used: handle,
  });
}

/**
 * The files of a directory, `.` and `..` left out, in the file system's order: what came or went since it was begun may be
 * among them or not. Opened by what first asks for some of it, and closed at the end, by `return` and by disposing.
 */
export class ReadDirectory implements AsyncIterable<DirectoryEntry>, AsyncDisposable {
  readonly #path: Path;
  readonly #signal: AbortSignal | undefined;
  #handle: Handle | null = null;
  #isOver = false;

  constructor(path: Path, signal: AbortSignal | undefined) {
    this.#path = path;
    this.#signal = signal;
  }

  /** The next files, some thousand at a time; none at the end. One call at a time. */
  nextBatch(): Future<DirectoryEntry[]> {
    const future = toFuture(this.#next());
    return this.#signal === undefined ? future : future.abortable(this.#signal);
  }

  *#next(): Coroutine<DirectoryEntry[]> {
    if (this.#isOver) return [];
    if (this.#handle === null) {
      const flags = O_DIRECTORY | O_CLOEXEC;
      const handle = yield* openHandle(this.#path, { flags, mode: 0, reads: true, writes: false });
      this.#handle = handle;
      watch(this, `a ReadDirectory of ${handle.path}`, () => handle.closeNow());
    }
    for (;;) {
      const entries = yield* someEntries(this.#handle);
      // Nothing but `.` and `..` is no end.
      if (entries !== null && entries.length === 0) continue;
      if (entries === null) yield* this.close();
      return entries ?? [];
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DirectoryEntry, void, void> {
    try {
      for (;;) {
        const entries = await this.nextBatch();
        if (entries.length === 0) return;
        yield* entries;
      }
    } finally {
      await this.close();
    }
  }

  /** Closes it: there are no more files. */
  close(): Future<void> {
    this.#isOver = true;
    const handle = this.#handle;
    this.#handle = null;
    if (handle === null) return ready(undefined);
    unwatch(this);
    return handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * The files of a directory, by getdents64(2), thousands at a call. Fails with a `SystemError` where it is none, once it is
 * read.
 *
 * @example
 * ```ts
 * import { readDir } from "@oxbow/oxbow/fs";
 *
 * for await (const { name, kind } of readDir("/sys/class")) {
 *   if (name === "net") console.log(kind); // directory
 * }
 * ```
 */
export function readDir(path: FilePath, options: AbortOptions = {}): ReadDirectory {
  const name = pathFrom(path, "read");
  const what = `cannot read ${name.text}`;
  requireNames(what, "options are", options, ["signal"]);
  requireSignal(what, options.signal);
  return new ReadDirectory(name, options.signal);
}
