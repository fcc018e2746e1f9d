import { Buffer } from "node:buffer";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SystemError } from "../../ffi/mod.ts";
import { quote } from "./safetensors_error.ts";
import {
  byteSize,
  type Dtype,
  DTYPES,
  isDtype,
  LENGTH_BYTES,
  MAX_HEADER_BYTES,
  showShape,
} from "./safetensors_header.ts";

/** A tensor to write: `data` is its bytes in row-major order, in one view or in pieces that follow one another. */
export interface TensorSource {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView | Iterable<ArrayBufferView>;
}

interface Placed extends TensorSource {
  readonly name: string;
  readonly bytes: number;
}

const DATA_ALIGNMENT = 64;
const STAGE_BYTES = 1 << 18;

export function writeSafeTensors(
  path: string | URL,
  tensors: Readonly<Record<string, TensorSource>>,
  metadata: Readonly<Record<string, string>> | undefined,
): void {
  const placed = Object.entries(tensors).map(([name, tensor]) => place(name, tensor));
  placed.sort((a, b) => DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || compareUtf8(a.name, b.name));
  const header = encodeHeader(placed, metadata);
  const target = path instanceof URL ? fileURLToPath(path) : path;
  replaceFile(target, (out) => {
    out.put(header);
    for (const tensor of placed) putTensor(out, tensor);
  });
}

function place(name: string, { dtype, shape, data }: TensorSource): Placed {
  const at = `cannot write tensor ${quote(name)}`;
  if (name === "__metadata__") throw new RangeError(`${at}: the format keeps that name for its metadata`);
  if (!name.isWellFormed()) {
    throw new TypeError(`${at}: its name has a lone surrogate, which UTF-8 cannot hold`);
  }
  if (!isDtype(dtype)) throw new TypeError(`${at}: dtype is ${dtype}, known are ${DTYPES.join(", ")}`);
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new RangeError(`${at}: shape is ${showShape(shape)}, not whole numbers of 0 or more`);
  }
  const bytes = byteSize(dtype, shape);
  if (bytes === undefined) throw new RangeError(`${at}: ${dtype} ${showShape(shape)} passes 2^53 bytes`);
  const placed = { name, dtype, shape: [...shape], data, bytes };
  if (ArrayBuffer.isView(data) && data.byteLength !== bytes) {
    throw wrongSize(placed, data.byteLength.toString());
  }
  return placed;
}

function wrongSize({ name, dtype, shape, bytes }: Placed, found: string): RangeError {
  return new RangeError(
    `cannot write tensor ${quote(name)}: ${dtype} ${
      showShape(shape)
    } takes ${bytes} bytes, data has ${found}`,
  );
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Length and header, padded with spaces so that the data after it is aligned. */
function encodeHeader(
  placed: readonly Placed[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  const entries: string[] = [];
  if (metadata !== undefined) {
    for (const [key, value] of Object.entries(metadata)) {
      if (typeof value !== "string" || !value.isWellFormed() || !key.isWellFormed()) {
        throw new TypeError(
          `cannot write metadata[${quote(key)}]: keys and values must be well-formed strings`,
        );
      }
    }
    entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  let start = 0;
  for (const { name, dtype, shape, bytes } of placed) {
    const info = { dtype, shape, data_offsets: [start, start + bytes] };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    start += bytes;
  }
  const json = new TextEncoder().encode(`{${entries.join(",")}}`);
  const padded = Math.ceil((LENGTH_BYTES + json.length) / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  if (padded - LENGTH_BYTES > MAX_HEADER_BYTES) {
    throw new RangeError(
      `cannot write ${placed.length} tensors: their header takes ${json.length} bytes, ` +
        `and the format allows ${MAX_HEADER_BYTES}`,
    );
  }
  const header = new Uint8Array(padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded - LENGTH_BYTES), true);
  header.set(json, LENGTH_BYTES);
  return header;
}

function putTensor(out: StagedFile, tensor: Placed): void {
  const pieces = ArrayBuffer.isView(tensor.data) ? [tensor.data] : tensor.data;
  let written = 0;
  for (const piece of pieces) {
    if (!ArrayBuffer.isView(piece)) {
      throw new TypeError(
        `cannot write tensor ${quote(tensor.name)}: its data must be views of bytes, found ${typeof piece}`,
      );
    }
    written += piece.byteLength;
    if (written > tensor.bytes) throw wrongSize(tensor, `${written} or more`);
    out.put(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
  }
  if (written !== tensor.bytes) throw wrongSize(tensor, `${written}`);
}

/** Gathers small pieces, so that each costs a copy and not a system call. */
class StagedFile {
  readonly #fd: number;
  readonly #target: string;
  readonly #stage = new Uint8Array(STAGE_BYTES);
  #staged = 0;

  constructor(fd: number, target: string) {
    this.#fd = fd;
    this.#target = target;
  }

  put(bytes: Uint8Array): void {
    if (this.#staged + bytes.length > STAGE_BYTES) this.flush();
    if (bytes.length > STAGE_BYTES) return this.#write(bytes);
    this.#stage.set(bytes, this.#staged);
    this.#staged += bytes.length;
  }

  flush(): void {
    this.#write(this.#stage.subarray(0, this.#staged));
    this.#staged = 0;
  }

  #write(bytes: Uint8Array): void {
    attempt("write", this.#target, () => {
      let at = 0;
      while (at < bytes.length) at += writeSync(this.#fd, bytes, at, Math.min(bytes.length - at, 1 << 30));
    });
  }
}

/** Writes a file under another name beside `target` and renames it, durably: `target` is the old or the new. */
function replaceFile(target: string, fill: (out: StagedFile) => void): void {
  const folder = dirname(target);
  const temporary = join(folder, `.oxbow-${crypto.randomUUID()}.tmp`);
  const fd = attempt("open", target, () => openSync(temporary, "wx"));
  try {
    try {
      const out = new StagedFile(fd, target);
      fill(out);
      out.flush();
      attempt("fsync", target, () => fsyncSync(fd));
    } finally {
      closeSync(fd);
    }
    attempt("rename", target, () => renameSync(temporary, target));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(folder);
}

/** The rename itself reaches the disk with the folder. Windows cannot open one. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Runs a call of `node:fs`; where the system refuses it, the error tells of `target` and not of a temporary file. */
function attempt<T>(syscall: string, target: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw new SystemError(errno, syscall, { path: target, hint: "the target is left as it was" });
  }
}

/** Deno's `writeSync` and `fsyncSync` tell the number in their message alone. */
function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errno" in error && typeof error.errno === "number") return Math.abs(error.errno);
  const [, number] = /\(os error (\d+)\)/.exec(error.message) ?? [];
  return number === undefined ? undefined : Number(number);
}
