/**
 * One lane's part of the control map for messages that do not fit into slots. Only the lane's thread takes blocks of
 * it; whoever has read a message gives its block back. Each block has a header of four words:
 *
 *     0  bytes of the block, its header among them: a multiple of 64
 *     1  0 where it is free, 1 where it is used, 2 once it was given back
 *     2  the slot whose message it has, and in the lowest bit whether it is the result's
 *     3  the next block that was given back
 *
 * The blocks lie one behind the other from the second line of the arena up to one of 0 bytes. The first line has the
 * head of those that other lanes have given back, a Treiber stack that the lane takes as a whole, so that no ABA can be,
 * and the count of bytes in use. Which blocks are free the lane keeps for itself, by size; it looks through all of them,
 * and joins neighbours, where none is large enough, and where its thread is new. What the thread before it had taken,
 * and no slot names, is free then: so a killed thread loses no more than the block that it was giving back.
 */
const HEAD = 0;
const IN_USE = 1;
const LINE = 64;
const HEADER = 16;

// A block's words.
const SIZE = 0;
const STATE = 1;
const USER = 2;
const NEXT = 3;

const FREE = 0;
const USED = 1;
const GIVEN_BACK = 2;

/** Of sizes up to here every multiple of 64 has a list of its own, and above four for each power of two. */
const FINE = 1024;
const LISTS = 104;
const SKIPS = 64;

/** The list of the largest size that is not over `size`. */
function listOf(size: number): number {
  if (size <= FINE) return size / LINE;
  const power = 31 - Math.clz32(size);
  return FINE / LINE + 4 * (power - 10) + (size >>> (power - 2) & 3);
}

/** `size` or the next one above whose list has none that are smaller. */
function rounded(size: number): number {
  const lines = Math.ceil(size / LINE) * LINE;
  if (lines <= FINE) return lines;
  const step = 2 ** (29 - Math.clz32(lines));
  return Math.ceil(lines / step) * step;
}

/** Whether the slot's message lies in the block of that word of the map. */
export type IsNamed = (user: number, block: number) => boolean;

/** An arena, of the lane that takes its blocks. Blocks are known by their bytes' offset in the map. */
export class Arena {
  readonly #words: Int32Array<ArrayBuffer>;
  /** Words of the map. */
  readonly #base: number;
  readonly #end: number;
  readonly #lists: number[][] = Array.from({ length: LISTS }, () => []);
  /** Behind the last block. */
  #top = 0;
  /** How many bytes are in the lists. */
  #free = 0;
  /** How often it is not looked through after it was in vain. */
  #skips = 0;

  /** Of `byteLength` bytes from `byteOffset`, a multiple of 64. What was used and is not named is free. */
  constructor(words: Int32Array<ArrayBuffer>, byteOffset: number, byteLength: number, isNamed: IsNamed) {
    this.#words = words;
    this.#base = byteOffset / 4;
    this.#end = this.#base + Math.floor(byteLength / LINE) * LINE / 4;
    this.#top = this.#base + LINE / 4;
    if (this.#top < this.#end) this.#lookThrough(isNamed);
  }

  /** A block of `byteLength` bytes for the slot's message, or -1 where there is none. */
  take(byteLength: number, user: number): number {
    const words = this.#words;
    const size = rounded(byteLength + HEADER);
    if (Atomics.load(words, this.#base + HEAD) !== 0) this.#takeBack();
    const block = this.#find(size);
    if (block === -1) return -1;
    words[block + USER] = user;
    Atomics.store(words, block + STATE, USED);
    Atomics.add(words, this.#base + IN_USE, words[block + SIZE]);
    return 4 * block + HEADER;
  }

  #find(size: number): number {
    const exact = this.#lists[listOf(size)].pop();
    if (exact !== undefined) return this.#unlisted(exact, size);
    const fresh = this.#fresh(size);
    if (fresh !== -1) return fresh;
    const larger = this.#larger(size);
    const left = this.#free + 4 * (this.#end - this.#top);
    if (larger !== -1 || left < size || this.#skips-- > 0) return larger;
    this.#lookThrough(() => true);
    const joined = this.#larger(size);
    const found = joined === -1 ? this.#fresh(size) : joined;
    if (found === -1) this.#skips = SKIPS;
    return found;
  }

  /** One that nobody has used yet. */
  #fresh(size: number): number {
    const block = this.#top;
    const next = block + size / 4;
    if (next > this.#end) return -1;
    this.#words[block + STATE] = FREE;
    if (next < this.#end) this.#words[next + SIZE] = 0;
    // From here on the block is there.
    Atomics.store(this.#words, block + SIZE, size);
    this.#top = next;
    return block;
  }

  #larger(size: number): number {
    for (let list = listOf(size); list < this.#lists.length; list++) {
      const block = this.#lists[list].pop();
      if (block !== undefined) return this.#unlisted(block, size);
    }
    return -1;
  }

  /** Of a block that is in no list any more, the part that is needed. */
  #unlisted(block: number, size: number): number {
    const words = this.#words;
    const found = words[block + SIZE];
    this.#free -= found;
    const rest = found - size;
    if (rest < LINE) return block;
    const next = block + size / 4;
    words[next + STATE] = FREE;
    words[next + SIZE] = rest;
    // Whoever looks through the blocks finds one or two of them.
    Atomics.store(words, block + SIZE, size);
    this.#list(next);
    return block;
  }

  #list(block: number): void {
    const size = this.#words[block + SIZE];
    this.#lists[listOf(size)].push(block);
    this.#free += size;
  }

  /** Takes what other lanes have given back. */
  #takeBack(): void {
    const words = this.#words;
    for (let next = Atomics.exchange(words, this.#base + HEAD, 0); next !== 0;) {
      const block = this.#base + next;
      next = words[block + NEXT];
      Atomics.store(words, block + STATE, FREE);
      this.#list(block);
    }
  }

  /** Makes the lists anew, of neighbours that are joined. */
  #lookThrough(isNamed: IsNamed): void {
    const words = this.#words;
    this.#takeBack();
    for (const list of this.#lists) list.length = 0;
    this.#free = 0;
    let run = -1;
    let block = this.#base + LINE / 4;
    while (block < this.#end && words[block + SIZE] !== 0) {
      const size = words[block + SIZE];
      if (this.#isFree(block, isNamed)) {
        if (run === -1) run = block;
        else words[run + SIZE] = 4 * (block - run) + size;
      } else if (run !== -1) {
        this.#list(run);
        run = -1;
      }
      block += size / 4;
    }
    this.#top = block;
    if (run === -1) return;
    // What follows it is fresh.
    words[run + SIZE] = 0;
    this.#top = run;
  }

  #isFree(block: number, isNamed: IsNamed): boolean {
    const words = this.#words;
    if (Atomics.load(words, block + STATE) === FREE) return true;
    if (isNamed(words[block + USER], 4 * block + HEADER)) return false;
    // Somebody may be giving it back just now.
    if (Atomics.compareExchange(words, block + STATE, USED, FREE) !== USED) return false;
    Atomics.sub(words, this.#base + IN_USE, words[block + SIZE]);
    return true;
  }

  /** Gives a block of this arena back, in its own lane. */
  give(block: number): void {
    const words = this.#words;
    const at = (block - HEADER) / 4;
    if (Atomics.compareExchange(words, at + STATE, USED, FREE) !== USED) return;
    Atomics.sub(words, this.#base + IN_USE, words[at + SIZE]);
    this.#list(at);
  }
}

/** Gives a block back to the arena at `byteOffset`, of another lane. Does nothing where it was given back. */
export function giveBack(words: Int32Array<ArrayBuffer>, byteOffset: number, block: number): void {
  const base = byteOffset / 4;
  const at = (block - HEADER) / 4;
  if (Atomics.compareExchange(words, at + STATE, USED, GIVEN_BACK) !== USED) return;
  Atomics.sub(words, base + IN_USE, words[at + SIZE]);
  for (let head = Atomics.load(words, base + HEAD);;) {
    words[at + NEXT] = head;
    const found = Atomics.compareExchange(words, base + HEAD, head, at - base);
    if (found === head) return;
    head = found;
  }
}

/** How many bytes of the arena at `byteOffset` are used. One that a killed thread took may be counted, or not. */
export function bytesInUse(words: Int32Array<ArrayBuffer>, byteOffset: number): number {
  return Atomics.load(words, byteOffset / 4 + IN_USE);
}
