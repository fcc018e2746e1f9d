/**
 * Memory in chunks that never move, handed out in blocks. A block is cut from the last chunk, or taken from those
 * that were freed: these lie in lists by size, four to each power of two.
 */

const SMALLEST_CHUNK = 1 << 12;
const LARGEST_CHUNK = 1 << 24;
/** As many as 16 bits can tell apart. */
const MOST_CHUNKS = 2 ** 16;
/** Smaller ones are not worth keeping. */
const SMALLEST_REMAINDER = 16;
/** How many of a list that may be too small are looked at. */
const TRIES = 8;

/** A part of a chunk. */
export interface Block {
  readonly chunk: number;
  readonly offset: number;
  /** At least 1. */
  readonly capacity: number;
}

/** The last list. */
const HUGE = 4 * 32;

/** The list for blocks of so many bytes, and up to a quarter more. */
function listFor(capacity: number): number {
  if (capacity < 16) return capacity;
  if (capacity >= 2 ** 32) return HUGE;
  const exponent = 31 - Math.clz32(capacity);
  return 4 * exponent + ((capacity >>> (exponent - 2)) & 3);
}

function zeros(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (error) {
    throw new RangeError(`cannot own ${length} bytes more: the host has no memory for them`, {
      cause: error,
    });
  }
}

export class Arena {
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  /** How much of the last chunk was cut. */
  #cut = 0;
  #free: Block[][] = [];
  #byteSize = 0;

  /** Of all chunks. */
  get byteSize(): number {
    return this.#byteSize;
  }

  /** `length` bytes of a block. Throws a `TypeError` where its chunk was transferred. */
  bytes(chunk: number, offset: number, length: number): Uint8Array<ArrayBuffer> {
    const whole = this.#chunks[chunk];
    if (whole.length === 0) {
      throw new TypeError(
        "cannot use an owned row: its memory is gone; was the buffer of a row transferred?",
      );
    }
    return new Uint8Array(whole.buffer, offset, length);
  }

  /** A block of `length` bytes or a few more, with whatever lies in it. */
  allocate(length: number): Block {
    const capacity = Math.max(length, 1);
    return this.#fitting(capacity) ?? this.#cutOff(capacity) ?? this.#split(capacity) ??
      this.#fromNewChunk(capacity);
  }

  /** Takes a block back. */
  free(block: Block): void {
    (this.#free[listFor(block.capacity)] ??= []).push(block);
  }

  /** Makes room for `length` bytes in one chunk. */
  reserve(length: number): void {
    if (this.#uncut() < length) this.#grow(length);
  }

  /** What is left of the last chunk, if that is still there. */
  #uncut(): number {
    return Math.max((this.#chunks.at(-1)?.length ?? 0) - this.#cut, 0);
  }

  #fitting(capacity: number): Block | undefined {
    const list = this.#free[listFor(capacity)];
    if (list === undefined) return undefined;
    for (let i = list.length - 1; i >= Math.max(0, list.length - TRIES); i--) {
      if (list[i].capacity >= capacity) return this.#take(list, i);
    }
    return undefined;
  }

  #take(list: Block[], i: number): Block {
    const block = list[i];
    const last = list.pop();
    if (last !== undefined && last !== block) list[i] = last;
    return block;
  }

  #cutOff(capacity: number): Block | undefined {
    if (this.#uncut() < capacity) return undefined;
    const chunk = this.#chunks.length - 1;
    const offset = this.#cut;
    this.#cut += capacity;
    return { chunk, offset, capacity };
  }

  #split(capacity: number): Block | undefined {
    for (let i = listFor(capacity) + 1; i < this.#free.length; i++) {
      const block = this.#free[i]?.pop();
      if (block === undefined) continue;
      const rest = block.capacity - capacity;
      if (rest < SMALLEST_REMAINDER) return block;
      this.free({ chunk: block.chunk, offset: block.offset + capacity, capacity: rest });
      return { chunk: block.chunk, offset: block.offset, capacity };
    }
    return undefined;
  }

  #fromNewChunk(capacity: number): Block {
    const usual = Math.min(Math.max(this.#byteSize, SMALLEST_CHUNK), LARGEST_CHUNK);
    this.#grow(Math.max(usual, capacity));
    this.#cut = capacity;
    return { chunk: this.#chunks.length - 1, offset: 0, capacity };
  }

  #grow(length: number): void {
    if (this.#chunks.length === MOST_CHUNKS) {
      throw new RangeError(`cannot own ${length} bytes more: the arena has ${MOST_CHUNKS} chunks`);
    }
    const grown = zeros(length);
    const rest = this.#uncut();
    const chunk = this.#chunks.length - 1;
    if (rest >= SMALLEST_REMAINDER) this.free({ chunk, offset: this.#cut, capacity: rest });
    this.#chunks.push(grown);
    this.#byteSize += length;
    this.#cut = 0;
  }
}
