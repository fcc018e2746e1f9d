/**
 * safetensors: named tensors in one file, read with no copy and written all or nothing.
 *
 * `SafeTensors.open` maps the file, validates its header by every rule of the format and reads no tensor;
 * `tensor(name)` is then a view of the map, so that a file of many gigabytes opens at once and only what is
 * looked at is read. A tensor whose place in the file is no multiple of its element size cannot be viewed:
 * it is copied, and `copied` says so. `SafeTensors.write` puts a temporary file beside the old one and
 * renames it, so that a reader finds one or the other whole.
 *
 * Follows the reference implementation, https://github.com/huggingface/safetensors, in its order of checks,
 * and is stricter where the format's text is: the header begins with `{` and no key comes twice.
 *
 * Opening asks Deno for `--allow-ffi` and `--allow-read`, writing for `--allow-write` and `--allow-read`;
 * `fromBytes` asks for nothing.
 *
 * @example
 * ```ts
 * import { SafeTensors } from "@oxbow/oxbow/safetensors";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const path = join(tmpdir(), "oxbow-example.safetensors");
 * SafeTensors.write(path, {
 *   bias: { dtype: "F32", shape: [3], data: Float32Array.of(1, 2, 3) },
 * });
 * using weights = SafeTensors.open(path);
 * console.log(weights.names(), weights.f32("bias")[1]); // ["bias"] 2
 * ```
 *
 * @module
 */
import { Mmap } from "../mem/mmap.ts";
import type { StableBytes } from "../mem/stable_bytes.ts";
import { nearNames } from "./near_names.ts";
import { quote } from "./safetensors_error.ts";
import { type Dtype, DTYPE_SIZES, type Header, readHeader, type TensorInfo } from "./safetensors_header.ts";
import { type TensorSource, writeSafeTensors } from "./safetensors_write.ts";

export { SafeTensorsError, type SafeTensorsErrorCode } from "./safetensors_error.ts";
export type { Dtype } from "./safetensors_header.ts";
export type { TensorSource } from "./safetensors_write.ts";

/** The array that holds each dtype. What JavaScript has no number for (BF16, F8) stays in its bits. */
export interface TensorData {
  BOOL: Uint8Array<ArrayBuffer>;
  U8: Uint8Array<ArrayBuffer>;
  I8: Int8Array<ArrayBuffer>;
  F8_E5M2: Uint8Array<ArrayBuffer>;
  F8_E4M3: Uint8Array<ArrayBuffer>;
  I16: Int16Array<ArrayBuffer>;
  U16: Uint16Array<ArrayBuffer>;
  F16: Float16Array<ArrayBuffer>;
  BF16: Uint16Array<ArrayBuffer>;
  I32: Int32Array<ArrayBuffer>;
  U32: Uint32Array<ArrayBuffer>;
  F32: Float32Array<ArrayBuffer>;
  F64: Float64Array<ArrayBuffer>;
  I64: BigInt64Array<ArrayBuffer>;
  U64: BigUint64Array<ArrayBuffer>;
}

/** One tensor, discriminated by `dtype`. */
export type Tensor = {
  [D in Dtype]: {
    readonly dtype: D;
    /** Lengths of the axes, the slowest first; empty for a single number. */
    readonly shape: readonly number[];
    /** Elements in row-major order. */
    readonly data: TensorData[D];
    /** Whether `data` had to be copied, for it is misaligned in the file. */
    readonly copied: boolean;
  };
}[Dtype];

interface Source {
  readonly byteLength: number;
  /** Distance of the first byte from one that is aligned for any element. */
  readonly byteOffset: number;
  bytes(offset: number, length: number): Uint8Array<ArrayBuffer>;
  dispose(): void;
}

/** A safetensors file, mapped, or its bytes. */
export class SafeTensors implements Disposable {
  readonly #origin: string;
  readonly #source: Source;
  readonly #header: Header;
  readonly #tensors: ReadonlyMap<string, TensorInfo>;

  private constructor(source: Source, origin: string) {
    this.#source = source;
    this.#origin = origin;
    this.#header = readHeader((offset, length) => source.bytes(offset, length), source.byteLength, origin);
    this.#tensors = new Map(this.#header.tensors.map((info) => [info.name, info]));
  }

  /**
   * Maps the file at `path` and validates its header, without reading a tensor: the cost is the header's.
   *
   * @throws {SafeTensorsError} where the file breaks a rule of the format; its `code` says which.
   * @throws {Error} where the file cannot be mapped, as `Mmap.open` does.
   */
  static open(path: string | URL): SafeTensors {
    const map = Mmap.open(path);
    try {
      return new SafeTensors({
        byteLength: map.byteLength,
        byteOffset: 0,
        bytes: (offset, length) => map.bytes(offset, length),
        dispose: () => map[Symbol.dispose](),
      }, String(path));
    } catch (error) {
      map[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Reads a file that is in memory already. Tensors are views of `bytes`, which may begin anywhere in their
   * buffer. A yoke's cart serves as well, of any size; it is read for as long as tensors are asked for, and stays
   * the caller's.
   *
   * @throws {SafeTensorsError} where the bytes break a rule of the format.
   * @throws {TypeError} where `bytes` is neither a `Uint8Array` nor such a cart.
   */
  static fromBytes(bytes: Uint8Array<ArrayBuffer> | StableBytes): SafeTensors {
    const byteLength = lengthOf(bytes);
    const part = bytes instanceof Uint8Array
      ? (offset: number, length: number) => bytes.subarray(offset, offset + length)
      : (offset: number, length: number) => bytes.bytes(offset, length);
    return new SafeTensors({
      byteLength,
      byteOffset: part(0, Math.min(1, byteLength)).byteOffset,
      bytes: part,
      dispose: () => {},
    }, `safetensors of ${byteLength} bytes`);
  }

  /**
   * Writes `tensors` to `path`, all or nothing: to a temporary file in the same folder, synchronised with
   * the disk and renamed. On any failure the temporary file is removed and what was at `path` stays.
   *
   * Tensors are laid out as the reference implementation does, the widest dtype first and then by name, and
   * the first one begins at a multiple of 64 bytes, each other at a multiple of its element size. Pieces of
   * an iterable are written as they come, one after another, so that a tensor need never be whole in memory.
   *
   * @throws {RangeError} where a shape is no shape, or the bytes of `data` are not what it takes.
   * @throws {TypeError} where a dtype is unknown, or a name or metadata is not well-formed text.
   * @throws {SystemError} where the file cannot be written.
   */
  static write(
    path: string | URL,
    tensors: Readonly<Record<string, TensorSource>>,
    options: { readonly metadata?: Readonly<Record<string, string>> } = {},
  ): void {
    writeSafeTensors(path, tensors, options.metadata);
  }

  /** The file's `__metadata__`, free text by key. */
  get metadata(): Readonly<Record<string, string>> {
    return this.#header.metadata;
  }

  /** The tensors' names, in the order in which they lie in the file. */
  names(): string[] {
    return [...this.#tensors.keys()];
  }

  /** Whether there is a tensor of this name. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /**
   * The tensor `name`, as a view of the file where it is aligned, else as a copy. A view must not be
   * written to, and is detached when this object is disposed.
   *
   * @throws {RangeError} where there is none; the message holds the names that are near.
   */
  tensor(name: string): Tensor {
    const { dtype, shape, start, end } = this.#find(name);
    const at = this.#header.dataStart + start;
    const bytes = this.#source.bytes(at, end - start);
    const copied = (this.#source.byteOffset + at) % DTYPE_SIZES[dtype] !== 0;
    const { buffer, byteOffset } = copied ? bytes.slice() : bytes;
    const length = (end - start) / DTYPE_SIZES[dtype];
    switch (dtype) {
      case "BOOL":
      case "U8":
      case "F8_E5M2":
      case "F8_E4M3":
        return { dtype, shape, data: new Uint8Array(buffer, byteOffset, length), copied };
      case "I8":
        return { dtype, shape, data: new Int8Array(buffer, byteOffset, length), copied };
      case "I16":
        return { dtype, shape, data: new Int16Array(buffer, byteOffset, length), copied };
      case "U16":
      case "BF16":
        return { dtype, shape, data: new Uint16Array(buffer, byteOffset, length), copied };
      case "F16":
        return { dtype, shape, data: new Float16Array(buffer, byteOffset, length), copied };
      case "I32":
        return { dtype, shape, data: new Int32Array(buffer, byteOffset, length), copied };
      case "U32":
        return { dtype, shape, data: new Uint32Array(buffer, byteOffset, length), copied };
      case "F32":
        return { dtype, shape, data: new Float32Array(buffer, byteOffset, length), copied };
      case "F64":
        return { dtype, shape, data: new Float64Array(buffer, byteOffset, length), copied };
      case "I64":
        return { dtype, shape, data: new BigInt64Array(buffer, byteOffset, length), copied };
      case "U64":
        return { dtype, shape, data: new BigUint64Array(buffer, byteOffset, length), copied };
    }
  }

  /**
   * The elements of `name` as float32: the view itself where they are F32, else a converted copy of F16 or
   * BF16, both exact.
   *
   * @throws {RangeError} where there is no such tensor.
   * @throws {TypeError} where its dtype is another.
   */
  f32(name: string): Float32Array<ArrayBuffer> {
    const tensor = this.tensor(name);
    switch (tensor.dtype) {
      case "F32":
        return tensor.data;
      case "F16":
        return new Float32Array(tensor.data);
      case "BF16":
        return widenBfloat16(tensor.data);
      default:
        throw new TypeError(
          `${this.#origin}: tensor ${quote(name)} is ${tensor.dtype}, and f32() reads F32, F16 and BF16: ` +
            "take it with tensor()",
        );
    }
  }

  /** Unmaps the file. Views of it have length 0 from then on. */
  [Symbol.dispose](): void {
    this.#source.dispose();
  }

  #find(name: string): TensorInfo {
    const info = this.#tensors.get(name);
    if (info !== undefined) return info;
    const near = nearNames(name, this.#tensors.keys()).map(quote);
    const help = near.length > 0
      ? `near it are ${near.join(", ")}`
      : `there are ${this.#tensors.size} others`;
    throw new RangeError(`${this.#origin}: no tensor is named ${quote(name)}; ${help}`);
  }
}

/** Of what `fromBytes` was given. */
function lengthOf(bytes: Uint8Array | StableBytes): number {
  const isGiven = bytes instanceof Uint8Array ||
    (typeof bytes === "object" && bytes !== null && typeof bytes.bytes === "function");
  const byteLength = isGiven ? bytes.byteLength : -1;
  if (!Number.isSafeInteger(byteLength) || byteLength < 0) {
    throw new TypeError(
      "cannot read safetensors: bytes is no Uint8Array, and no cart with byteLength and bytes(); read a file with open()",
    );
  }
  return byteLength;
}

/** A bfloat16 is the upper half of a float32. */
function widenBfloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return new Float32Array(bits.buffer);
}
