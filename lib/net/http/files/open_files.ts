import { readFrom } from "../../../../ffi/file_calls.ts";
import { check, libc, SystemError } from "../../../../ffi/mod.ts";
import { FileType, Stat } from "../../../../ffi/layout/stat.ts";
import type { Fd } from "../../../io/fd.ts";
import type { CheckedFields } from "../response/static_response.ts";
import type { Validators } from "./conditional.ts";
import { DocumentRoot } from "./document_root.ts";

/** What may be had at a path. */
export type Found = OpenFile | "folder" | "missing" | "forbidden";

/** There is no such file, or none that is ours to give: nobody is told which. */
const MISSING: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EXDEV", "ENAMETOOLONG"]);

/** A file of up to so many bytes is sent out of memory, which takes one call with its head. */
const SMALL_BYTES = 16384;
/** A file that changed no longer ago may change again at what the kernel takes for the same time. */
const SETTLED_MS = 2000;

const stat = new Stat();

/** A regular file that is open, what it is at this time, and who uses it. */
export class OpenFile implements Validators {
  readonly fd: Fd;
  size = 0;
  modified = 0;
  /** `modified` as a header has it. */
  lastModified = "";
  /**
   * Of the file's number, its size, and when anything of it last changed: strong, for no two states share these, as
   * far as the kernel tells one moment from the next.
   */
  etag = "";
  /** Of an answer with all of it, as it is: its user's, who makes them anew where it has changed. */
  headers: CheckedFields | null = null;
  #bytes: Uint8Array<ArrayBuffer> | null = null;
  #changed = NaN;
  #nanoseconds = NaN;
  #uses = 1;

  constructor(fd: Fd) {
    this.fd = fd;
    this.refresh();
  }

  /** Asks what the file is now. False where it has lost its last name: another may have its place. */
  refresh(): boolean {
    check(libc().fstat(this.fd.number, stat.bytes), "fstat");
    const [changed, nanoseconds] = stat.changed;
    if (changed !== this.#changed || nanoseconds !== this.#nanoseconds || stat.size !== this.size) {
      this.#changed = changed;
      this.#nanoseconds = nanoseconds;
      this.headers = null;
      this.#bytes = null;
      this.size = stat.size;
      this.modified = stat.modified;
      this.lastModified = new Date(stat.modified * 1000).toUTCString();
      const state = BigInt(changed) * 1_000_000_000n + BigInt(nanoseconds);
      this.etag = `"${stat.inode.toString(36)}-${stat.size.toString(36)}-${state.toString(36)}"`;
    }
    return stat.links > 0;
  }

  /**
   * All that is in it, where that is little: not to be changed. Kept, where no change can have gone unnoticed, until the
   * path is looked up again. `null` where it is long, or cannot be read as a whole: then whoever sends it sees why.
   */
  bytes(): Uint8Array<ArrayBuffer> | null {
    const { size } = this;
    if (this.#bytes !== null || size === 0 || size > SMALL_BYTES) return this.#bytes;
    const bytes = new Uint8Array(size);
    if (readFrom(this.fd.number, bytes, 0) !== size) return null;
    if (Date.now() - this.#changed * 1000 > SETTLED_MS) this.#bytes = bytes;
    return bytes;
  }

  /** One more uses the descriptor: who is to release it. */
  retain(): void {
    this.#uses++;
  }

  /** One less; the last closes it. */
  release(): void {
    if (--this.#uses === 0) this.fd.close();
  }
}

interface Entry {
  readonly found: Found;
  /** When the path was looked up, in milliseconds of `performance.now()`. */
  readonly at: number;
}

/**
 * The files of a folder that were asked for last, open. For `validMs` a path is not looked up again; what its file is
 * is asked each time all the same, by fstat(2), so that a file which changed, or was replaced, is never taken for what
 * it was.
 */
export class OpenFiles implements Disposable {
  readonly #rootPath: string;
  readonly #maxOpen: number;
  readonly #validMs: number;
  /** The one that was asked for last stands last. */
  #entries = new Map<string, Entry>();
  #root: DocumentRoot;
  #rootAt: number;
  #isClosed = false;

  /** Throws as {@linkcode DocumentRoot} does. */
  constructor(rootPath: string, maxOpen: number, validMs: number) {
    this.#rootPath = rootPath;
    this.#maxOpen = maxOpen;
    this.#validMs = validMs;
    this.#root = new DocumentRoot(rootPath);
    this.#rootAt = performance.now();
  }

  /** What is at `path`, relative to the folder. A file stays open until the next `trim`, or while it is retained. */
  find(path: string): Found {
    if (this.#isClosed) throw new Error("cannot serve files: the handler was closed");
    const known = this.#entries.get(path);
    if (known !== undefined) {
      this.#entries.delete(path);
      if (performance.now() - known.at < this.#validMs && isCurrent(known.found)) {
        this.#entries.set(path, known);
        return known.found;
      }
      discard(known);
    }
    const found = this.#open(path);
    this.#entries.set(path, { found, at: performance.now() });
    return found;
  }

  /** How many descriptors it keeps, without those that only a response still uses. */
  get size(): number {
    return this.#entries.size;
  }

  /** Forgets those beyond `maxOpen`, the ones that were asked for longest ago. */
  trim(): void {
    if (this.#entries.size <= this.#maxOpen) return;
    for (const [path, entry] of this.#entries) {
      if (this.#entries.size <= this.#maxOpen) return;
      this.#entries.delete(path);
      discard(entry);
    }
  }

  #open(path: string): Found {
    const now = performance.now();
    if (now - this.#rootAt >= this.#validMs) {
      // Another folder may be at its path now: so a site is replaced as a whole.
      const root = new DocumentRoot(this.#rootPath);
      this.#root[Symbol.dispose]();
      this.#root = root;
      this.#rootAt = now;
    }
    try {
      using found = this.#root.find(path);
      check(libc().fstat(found.number, stat.bytes), "fstat", { path });
      if (stat.type === FileType.directory) return "folder";
      // Opening a pipe or a device does things.
      if (stat.type !== FileType.regular) return "missing";
      return new OpenFile(DocumentRoot.open(found, path));
    } catch (error) {
      if (error instanceof SystemError && MISSING.has(error.code)) return "missing";
      if (error instanceof SystemError && error.code === "EACCES") return "forbidden";
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const entry of this.#entries.values()) discard(entry);
    this.#entries.clear();
    this.#root[Symbol.dispose]();
  }
}

function isCurrent(found: Found): boolean {
  return !(found instanceof OpenFile) || found.refresh();
}

function discard({ found }: Entry): void {
  if (found instanceof OpenFile) found.release();
}
