import { quote, SafeTensorsError, type SafeTensorsErrorCode } from "./safetensors_error.ts";
import { JsonReader } from "./safetensors_json.ts";

/** The element types of the format that are supported. */
export type Dtype =
  | "BOOL"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "F64"
  | "I64"
  | "U64";

/** Bytes an element, in the reference implementation's order of increasing alignment. */
export const DTYPE_SIZES: Readonly<Record<Dtype, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
};

export const DTYPES: readonly string[] = Object.keys(DTYPE_SIZES);

export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(DTYPE_SIZES, name);
}

/** Where a tensor lies: `start` and `end` are bytes from the first byte after the header. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** By offset. */
  readonly tensors: readonly TensorInfo[];
  /** Byte of the file at which the tensors' data begins. */
  readonly dataStart: number;
}

export const MAX_HEADER_BYTES = 100_000_000;
export const LENGTH_BYTES = 8;
/** The hosts hold no object of many millions of keys, which the header's limit alone would allow. */
const MAX_METADATA_KEYS = 100_000;

/**
 * Reads and validates a header in the reference implementation's order of checks. `read` is asked for the
 * first 8 bytes and for the header, never for a tensor; `byteLength` is the whole file's.
 */
export function readHeader(
  read: (offset: number, length: number) => Uint8Array<ArrayBuffer>,
  byteLength: number,
  origin: string,
): Header {
  if (byteLength < LENGTH_BYTES) {
    throw new SafeTensorsError(
      "HeaderTooSmall",
      `${origin}: a safetensors file begins with 8 bytes of header length, this one has ${byteLength} in all`,
    );
  }
  const prefix = read(0, LENGTH_BYTES);
  const length = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new SafeTensorsError(
      "HeaderTooLarge",
      `${origin}: the header claims ${length} bytes, more than the format's ${MAX_HEADER_BYTES}`,
    );
  }
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > byteLength) {
    throw new SafeTensorsError(
      "InvalidHeaderLength",
      `${origin}: the header claims ${length} bytes, but only ${byteLength - LENGTH_BYTES} follow: ` +
        "the file is cut short, or is not safetensors",
    );
  }
  const text = decode(read(LENGTH_BYTES, Number(length)), origin);
  const { metadata, tensors } = parse(text, origin);
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  const end = checkLayout(tensors, origin);
  if (dataStart + end !== byteLength) {
    throw new SafeTensorsError(
      "MetadataIncompleteBuffer",
      `${origin}: the tensors end at byte ${dataStart + end}, but the file has ${byteLength}`,
    );
  }
  return { metadata, tensors, dataStart };
}

function decode(bytes: Uint8Array<ArrayBuffer>, origin: string): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SafeTensorsError("InvalidHeaderUtf8", `${origin}: the header is not UTF-8`);
  }
  if (!text.startsWith("{")) {
    throw new SafeTensorsError(
      "InvalidHeaderStart",
      `${origin}: the header must begin with "{", found ${quote(text.slice(0, 12))}`,
    );
  }
  return text;
}

function parse(text: string, origin: string): { metadata: Record<string, string>; tensors: TensorInfo[] } {
  const json = new JsonReader(text, origin);
  const metadata: [string, string][] = [];
  const tensors: TensorInfo[] = [];
  json.object((name) => {
    if (name !== "__metadata__") {
      tensors.push(parseTensor(json, name, origin));
    } else if (json.peek() === "n") {
      json.skip();
    } else {
      parseMetadata(json, metadata, origin);
    }
  });
  json.end();
  return { metadata: Object.fromEntries(metadata), tensors };
}

function parseMetadata(json: JsonReader, entries: [string, string][], origin: string): void {
  if (json.peek() !== "{") {
    throw new SafeTensorsError("InvalidMetadata", `${origin}: __metadata__ must be an object of strings`);
  }
  json.object((key) => {
    if (json.peek() !== '"') {
      throw new SafeTensorsError(
        "InvalidMetadata",
        `${origin}: __metadata__[${quote(key)}] must be a string`,
      );
    }
    entries.push([key, json.string()]);
    if (entries.length > MAX_METADATA_KEYS) {
      throw new SafeTensorsError(
        "InvalidMetadata",
        `${origin}: __metadata__ has more than ${MAX_METADATA_KEYS} keys`,
      );
    }
  });
}

function parseTensor(json: JsonReader, name: string, origin: string): TensorInfo {
  const fields: { dtype?: string; shape?: number[]; data_offsets?: number[] } = {};
  const invalid = (what: string): SafeTensorsError =>
    new SafeTensorsError("InvalidTensorInfo", `${origin}: tensor ${quote(name)} ${what}`);
  if (json.peek() !== "{") throw invalid("must be an object");
  json.object((key) => {
    if (key === "dtype") {
      if (json.peek() !== '"') throw invalid("must have a string as dtype");
      fields.dtype = json.string();
    } else if (key === "shape" || key === "data_offsets") {
      if (json.peek() !== "[") throw invalid(`must have an array as ${key}`);
      const values: number[] = [];
      json.array(() => values.push(json.integer()));
      fields[key] = values;
    } else {
      json.skip();
    }
  });
  const { dtype, shape, data_offsets } = fields;
  if (dtype === undefined) throw invalid("has no dtype");
  if (shape === undefined) throw invalid("has no shape");
  if (data_offsets === undefined) throw invalid("has no data_offsets");
  const [start, end] = data_offsets;
  if (start === undefined || end === undefined || data_offsets.length !== 2) {
    throw invalid(`must have 2 numbers in data_offsets, found ${data_offsets.length}`);
  }
  if (!isDtype(dtype)) {
    throw new SafeTensorsError(
      "UnknownDtype",
      `${origin}: tensor ${quote(name)} has the dtype ${quote(dtype)}, known are ${DTYPES.join(", ")}`,
    );
  }
  return { name, dtype, shape, start, end };
}

/** Checks tensors that are sorted by offset to follow one another without hole or overlap; returns the end. */
function checkLayout(tensors: readonly TensorInfo[], origin: string): number {
  let expected = 0;
  for (const { name, dtype, shape, start, end } of tensors) {
    const invalid = (code: SafeTensorsErrorCode, what: string): SafeTensorsError =>
      new SafeTensorsError(code, `${origin}: tensor ${quote(name)} ${what}`);
    if (start > expected) {
      throw invalid(
        "TensorHole",
        `begins at offset ${start}, but ${expected} is where the one before it ends`,
      );
    }
    if (start < expected) {
      throw invalid(
        "TensorOverlap",
        `begins at offset ${start}, inside the one before it that ends at ${expected}`,
      );
    }
    if (end < start) throw invalid("InvalidOffset", `ends at offset ${end}, before it begins at ${start}`);
    const bytes = byteSize(dtype, shape);
    if (bytes === undefined) {
      throw invalid(
        "ShapeOverflow",
        `has the shape ${showShape(shape)}: its ${dtype} elements pass 2^53 bytes`,
      );
    }
    if (bytes !== end - start) {
      throw invalid(
        "TensorSizeMismatch",
        `of ${dtype} ${showShape(shape)} takes ${bytes} bytes, but data_offsets give it ${end - start}`,
      );
    }
    expected = end;
  }
  return expected;
}

/** Bytes of a tensor, or undefined where a product on the way passes 2^53 - 1. */
export function byteSize(dtype: Dtype, shape: readonly number[]): number | undefined {
  let size = 1;
  for (const length of shape) {
    size *= length;
    if (size > Number.MAX_SAFE_INTEGER) return undefined;
  }
  size *= DTYPE_SIZES[dtype];
  return size > Number.MAX_SAFE_INTEGER ? undefined : size;
}

export function showShape(shape: readonly number[]): string {
  const shown = shape.slice(0, 8).join(", ");
  return shape.length > 8 ? `[${shown}, … ${shape.length} in all]` : `[${shown}]`;
}
