/**
 * A piece of a shared map that starts with a header of four words: a magic number, the layout's version and the
 * kind of what lies there, a parameter of that kind, and a sum of those three. The magic number is written last
 * when such a piece is made, so that one that is not finished is no piece at all.
 */
import { addressOf, offset, type Pointer } from "../../../ffi/mod.ts";
import { memoryOf } from "../memory.ts";
import type { Mmap } from "../mmap.ts";

/** What lies in the memory is no shared object, one of another kind or version, or one that was not finished. */
export class SharedFormatError extends Error {
  override readonly name = "SharedFormatError";
}

/** What may lie in a piece. */
export interface Kind {
  readonly name: string;
  readonly number: number;
}

/** "OXSH" in little-endian. */
const MAGIC = 0x4853584f;
const VERSION = 1;
const MAGIC_WORD = 0;
const KIND_WORD = 1;
const PARAMETER_WORD = 2;
const SUM_WORD = 3;
/** Bytes of the header. */
export const HEADER_BYTES = 16;
/** Of a cache line, which no two objects share. */
export const ALIGNMENT = 64;

function sumOf(kind: number, parameter: number): number {
  return Math.imul(Math.imul(MAGIC ^ kind, 0x01000193) ^ parameter, 0x01000193);
}

const kept: Piece[] = [];

/** The bytes and the address of one object in a map. */
export class Piece {
  readonly map: Mmap<"write">;
  readonly kind: Kind;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Empty once the map was disposed or has moved: ask `refresh` then. */
  words: Int32Array<ArrayBuffer>;
  bytes: Uint8Array<ArrayBuffer>;
  pointer: Pointer;

  /** Throws where the range does not lie in the map, or the map is not shared and writable. */
  constructor(map: Mmap<"write">, kind: Kind, byteOffset: number, byteLength: number) {
    this.map = map;
    this.kind = kind;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
    const { bytes, pointer } = memoryOf(map, `cannot use a ${kind.name}`, byteOffset, byteLength);
    if (addressOf(pointer) % BigInt(ALIGNMENT) !== 0n) {
      throw new RangeError(
        `cannot use a ${kind.name}: byteOffset is ${byteOffset}, which does not lie at a multiple of ${ALIGNMENT} in the file`,
      );
    }
    this.bytes = bytes;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, byteLength / 4);
    this.pointer = pointer;
  }

  /** Asks the map for its bytes anew. Throws where it was disposed. */
  refresh(): void {
    const { map, kind, byteOffset, byteLength } = this;
    const { bytes, pointer } = memoryOf(map, `cannot use a ${kind.name}`, byteOffset, byteLength);
    this.bytes = bytes;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, byteLength / 4);
    this.pointer = pointer;
  }

  /**
   * Keeps the memory, of a map that is retained, for as long as the thread: its list of the mutexes that it holds
   * leads through it.
   */
  keep(): void {
    this.map.retain();
    kept.push(this);
  }

  /** The error for zeros where there was an object: its file was cut short under the map, or somebody wrote them. */
  lost(): Error {
    const what = `cannot use a ${this.kind.name}`;
    try {
      this.map.check();
    } catch (error) {
      if (error instanceof Error) return error;
    }
    return new SharedFormatError(`${what}: it was overwritten`);
  }

  /** The address of a word. */
  wordAt(index: number): Pointer {
    return offset(this.pointer, 4 * index);
  }

  /** Makes a piece: `fill` writes what comes behind the header, over zeros. */
  format(parameter: number, fill: () => void): void {
    const { words, kind } = this;
    Atomics.store(words, MAGIC_WORD, 0);
    words.fill(0, 1);
    fill();
    const kindWord = VERSION << 16 | kind.number;
    Atomics.store(words, KIND_WORD, kindWord);
    Atomics.store(words, PARAMETER_WORD, parameter);
    Atomics.store(words, SUM_WORD, sumOf(kindWord, parameter));
    Atomics.store(words, MAGIC_WORD, MAGIC);
  }

  /** The header's parameter. Throws a `SharedFormatError` where the header is not this kind's. */
  parameter(): number {
    const { words, kind } = this;
    const what = `cannot open a ${kind.name}`;
    const magic = Atomics.load(words, MAGIC_WORD);
    if (magic === 0) {
      throw new SharedFormatError(`${what}: none was made there, or its making was not finished`);
    }
    if (magic !== MAGIC) throw new SharedFormatError(`${what}: something else lies there`);
    const [kindWord, parameter] = [words[KIND_WORD], words[PARAMETER_WORD]];
    if (words[SUM_WORD] !== sumOf(kindWord, parameter)) {
      throw new SharedFormatError(`${what}: its header is damaged; create it again`);
    }
    const version = kindWord >>> 16;
    if (version !== VERSION) {
      throw new SharedFormatError(`${what}: its layout is of version ${version}, and this is ${VERSION}`);
    }
    if ((kindWord & 0xffff) !== kind.number) {
      throw new SharedFormatError(`${what}: another kind of shared object lies there`);
    }
    return parameter;
  }
}
