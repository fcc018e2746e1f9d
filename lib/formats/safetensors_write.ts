import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { replaceFile, type StagedFile } from "../io/replace_file.ts";
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
