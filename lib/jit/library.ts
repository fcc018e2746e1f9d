/**
 * Opens shared objects that were made in memory: those of equal bytes once, and closed when the last that
 * asked for them is done; or once in the process, and never closed.
 */
import process from "node:process";
import { hostName, type Library, NativeUnavailableError, type SymbolTable } from "../../ffi/mod.ts";
import { openTable } from "../../ffi/dlopen.ts";
import { isWorker } from "../../ffi/is_worker.ts";
import type { Bindable } from "../../ffi/types.ts";
import { keepLoaded } from "../../ffi/loader.ts";
import { whenIdle } from "../../ffi/pending.ts";
import { type SharedObject, sharedObject } from "./elf.ts";
import { createImageFile, type ImageFile } from "./image_file.ts";

interface Image {
  readonly file: ImageFile;
  users: number;
}

const LONGEST_LABEL = 60;

/** By their bytes. */
const images = new Map<string, Image>();

/** What maps and profiles show of it: the names of its functions. */
function labelOf({ functions }: SharedObject): string {
  return Object.keys(functions).join(",").replaceAll("/", "_").slice(0, LONGEST_LABEL);
}

/**
 * What this worker has open: its files would stay for as long as the process. They are closed with their libraries,
 * since the loader takes the path of one that is open for that one, whatever else has the descriptor's number.
 */
const closings = new Set<() => void>();

function closeWithWorker(close: () => void): void {
  if (!isWorker) return;
  if (closings.size === 0) process.once("exit", closeAll);
  closings.add(close);
}

function staysOpenNoMore(close: () => void): void {
  if (closings.delete(close) && closings.size === 0) process.off("exit", closeAll);
}

function closeAll(): void {
  for (const close of closings) close();
}

/** The name of an object whose content it tells. */
export function sonameOf(object: SharedObject): string {
  // Loading it takes longer than all else here.
  const { createHash } = process.getBuiltinModule("node:crypto");
  const digest = createHash("sha256").update(sharedObject(object)).digest("hex").slice(0, 32);
  return `oxbow-${digest}.so`;
}

/** The loader's own words where a kernel's policy, or a sandbox, forbids to map code. */
const FORBIDDEN = /failed to map segment|operation not permitted|permission denied/i;

/** What the loader says of `path`, without the path, and of what else it names. */
function reasonOf(path: string, message: string): string {
  const [, symbol] = /undefined symbol: ([^\s,]+)/.exec(message) ?? [];
  if (symbol !== undefined) {
    return `it refers to ${symbol}, which neither the process has nor a library that the code names`;
  }
  const [, file, reason] = /([^\s:]+): cannot open shared object file: (.+)/.exec(message) ?? [];
  if (reason === undefined) return message;
  return file === path
    ? `its file cannot be opened: ${reason}`
    : `it needs ${file}, which cannot be opened: ${reason}`;
}

function open(path: string, table: SymbolTable, label: string, settles: boolean): Library<SymbolTable> {
  try {
    return openTable([path], table, settles);
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof TypeError || cause instanceof RangeError) throw cause;
    const unlimited = cause instanceof NativeUnavailableError && hostName === "deno";
    if (!unlimited && !FORBIDDEN.test(cause.message)) {
      throw new Error(`cannot load ${label}: ${reasonOf(path, cause.message)}`, { cause });
    }
    const hint = unlimited ? "; machine code needs --allow-ffi without a list of paths" : "";
    throw new NativeUnavailableError("load machine code", `${cause.message}${hint}`, { cause });
  }
}

function acquire(object: SharedObject): { image: Image; key: string } {
  const bytes = sharedObject(object);
  const key = new TextDecoder("latin1").decode(bytes);
  let image = images.get(key);
  if (image === undefined) {
    images.set(key, image = { file: createImageFile(bytes, labelOf(object)), users: 0 });
  }
  image.users++;
  return { image, key };
}

function release(key: string, image: Image): void {
  if (--image.users > 0) return;
  images.delete(key);
  image.file[Symbol.dispose]();
}

/**
 * Opens a shared object. One of equal bytes that this thread has open already is shared: its memory too. What a
 * worker of `node:worker_threads` or a thread of a pool has open is closed as it ends, unless it is terminated. Its
 * calls throw what a callback has left where it `settles`, which is for code that is a user's.
 *
 * @throws {NativeUnavailableError} where the process may not load code.
 * @throws {Error} where a library or a symbol that the code names is missing.
 */
export function openLibrary<const T extends SymbolTable>(
  object: SharedObject,
  table: T & Bindable<T>,
  settles?: boolean,
): Library<T>;
export function openLibrary(
  object: SharedObject,
  table: SymbolTable,
  settles = false,
): Library<SymbolTable> {
  const { image, key } = acquire(object);
  let library: Library<SymbolTable>;
  try {
    library = open(image.file.path, table, labelOf(object), settles);
  } catch (error) {
    release(key, image);
    throw error;
  }
  let isClosed = false;
  function close(): void {
    if (isClosed) return;
    isClosed = true;
    staysOpenNoMore(close);
    library.close();
    // After the library itself, which waits for callbacks: until it is unloaded its path is taken.
    whenIdle(() => release(key, image));
  }
  closeWithWorker(close);
  return {
    ...library,
    get closed() {
      return library.closed;
    },
    close,
    [Symbol.dispose]: close,
  };
}

/**
 * Opens a shared object that the process has once, whichever threads open it, and for as long as it lives: code
 * that the kernel may call at any time, and its memory. It is known to the process by its soname, or else its content.
 *
 * @throws {NativeUnavailableError} as `openLibrary` does, and where the system's loader is not glibc's.
 */
export function openForProcess<const T extends SymbolTable>(
  object: SharedObject,
  table: T & Bindable<T>,
  settles?: boolean,
): Library<T>;
export function openForProcess(
  object: SharedObject,
  table: SymbolTable,
  settles = false,
): Library<SymbolTable> {
  const { soname = sonameOf(object) } = object;
  if (!keepLoaded(soname)) {
    const file = createImageFile(sharedObject({ ...object, soname }), labelOf(object));
    try {
      // Another thread may do the same meanwhile: the process keeps the one that was loaded first.
      using library = open(file.path, {}, labelOf(object), settles);
      if (!keepLoaded(soname)) {
        throw new NativeUnavailableError(
          `keep ${library.path} loaded`,
          "the system's loader is not glibc's",
        );
      }
    } finally {
      if (!keepLoaded(file.path)) file[Symbol.dispose]();
    }
  }
  return open(soname, table, labelOf(object), settles);
}
