import { Arena, type Block } from "./arena.ts";
import { type ByteSource, HeldBytes, isDetached } from "./byte_source.ts";
import { Utf8 } from "./utf8.ts";

/** Halves of the three words of a row. */
const ROW = 6;
const ROW_BYTES = 4 * ROW;
const OFFSET_LOW = 0;
/** The offset's bits from the 32nd in the low half, the region or chunk in the high one. */
const PLACE = 1;
const LENGTH_LOW = 2;
const LENGTH_HIGH = 3;
const CAPACITY_LOW = 4;
const CAPACITY_HIGH = 5;
const TWO_32 = 2 ** 32;
const TWO_16 = 2 ** 16;
const FIRST_ROWS = 16;

/**
 * Rows of bytes, borrowed or owned, of 24 bytes each in one buffer: three words of 64 bits, little end first.
 *
 * | word | |
 * |---|---|
 * | pointer | bits 0–47: offset; bits 48–63: the number of the region, or of the arena's chunk if the row is owned |
 * | length | in bytes |
 * | capacity | of the block in the arena; 0: the row is borrowed |
 *
 * Borrowed rows point into regions, which must not change and are retained until the table is disposed. Owned rows lie
 * in an arena, whose chunks never move, and whose freed blocks are used again; a row that grows out of its block gets
 * one of twice the size at least. So the arena is never larger than a few times the sum of what each row has held at
 * most, and `shrinkToFit` makes it as large as what they hold. The view of a borrowed row is good
 * for as long as the table is; that of an owned one until the row is set, after which its memory may be another's.
 *
 * Where a region's memory is gone, what reads it throws a `TypeError`, and where it is a map's whose file was cut
 * short, what the map's `check` throws; all but `isDisposed` and `length` throws after dispose.
 *
 * @example
 * ```ts
 * import { CowTable } from "@oxbow/oxbow/cow";
 *
 * const text = new TextEncoder().encode("one two three");
 * using words = new CowTable();
 * const region = words.addRegion(text);
 * words.push(region, 0, 3);
 * words.push(region, 4, 3);
 * words.pushOwned(new TextEncoder().encode("four"));
 * words.toMut(1)[0] = 0x54;
 * console.log(words.utf8(1).toString(), words.isBorrowed(0), words.isBorrowed(1)); // Two true false
 * ```
 */
export class CowTable implements Disposable {
  #rows: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #length = 0;
  #regions: HeldBytes[] = [];
  #arena = new Arena();
  #isDisposed = false;

  /** How many rows there are. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that the table has taken: 24 for each row that there is room for, and the arena. */
  get byteSize(): number {
    return this.#rows.byteLength + this.#arena.byteSize;
  }

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  #requireUse(what: string): void {
    if (this.#isDisposed) throw new Error(`${what}: the table was disposed`);
  }

  /** Where the row begins in `#rows`. */
  #at(verb: string, i: number): number {
    this.#requireUse(`cannot ${verb} a row`);
    if (!Number.isSafeInteger(i) || i < 0 || i >= this.#length) {
      throw new RangeError(`cannot ${verb} row ${i}: the table has ${this.#length}`);
    }
    return i * ROW;
  }

  /**
   * Makes `source` one of the regions that rows borrow from, and returns its number. It is retained. Throws a
   * `TypeError` for what has no bytes, and a `RangeError` for the 65,537th region.
   */
  addRegion(source: Uint8Array | ByteSource): number {
    this.#requireUse("cannot add a region");
    if (this.#regions.length === TWO_16) throw new RangeError(`cannot add a region: there are ${TWO_16}`);
    return this.#regions.push(new HeldBytes("cannot add a region", "a CowTable", source)) - 1;
  }

  /** Adds a row that borrows `length` bytes from `offset` of a region, and returns its number. Costs no copy. */
  push(region: number, offset: number, length: number): number {
    this.#requireUse("cannot add a row");
    if (typeof region !== "number") {
      throw new TypeError(
        `cannot add a row: region is a ${typeof region}, not the number that addRegion gave`,
      );
    }
    const held = Number.isInteger(region) ? this.#regions[region] : undefined;
    if (held === undefined) {
      throw new RangeError(
        `cannot add a row: region is ${region}, and there are ${this.#regions.length}`,
      );
    }
    const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 &&
      length >= 0;
    if (!isRange || offset + length > held.byteLength) {
      throw new RangeError(
        `cannot add a row: ${length} bytes from ${offset} do not lie in the ${held.byteLength} of region ${region}`,
      );
    }
    return this.#append(region, offset, length, 0);
  }

  /** Adds a row with a copy of `bytes`, and returns its number. Throws a `TypeError` for what is no `Uint8Array`. */
  pushOwned(bytes: Uint8Array): number {
    this.#requireUse("cannot add a row");
    requireBytes(bytes);
    this.#makeRoom();
    const block = this.#copied(bytes);
    return this.#append(block.chunk, block.offset, bytes.length, block.capacity);
  }

  #append(place: number, offset: number, length: number, capacity: number): number {
    this.#makeRoom();
    this.#put(this.#length * ROW, place, offset, length, capacity);
    return this.#length++;
  }

  #put(at: number, place: number, offset: number, length: number, capacity: number): void {
    const rows = this.#rows;
    rows[at + OFFSET_LOW] = offset;
    rows[at + PLACE] = place * TWO_16 + Math.floor(offset / TWO_32);
    rows[at + LENGTH_LOW] = length;
    rows[at + LENGTH_HIGH] = length / TWO_32;
    rows[at + CAPACITY_LOW] = capacity;
    rows[at + CAPACITY_HIGH] = capacity / TWO_32;
  }

  #makeRoom(): void {
    if (this.#length * ROW < this.#rows.length) return;
    this.#resize(Math.max(FIRST_ROWS, 2 * this.#length));
  }

  /** The rows' buffer is moved or grown where it lies, as realloc(3) does. */
  #resize(rows: number): void {
    this.#rows = new Uint32Array(this.#moved(rows));
  }

  #moved(rows: number): ArrayBuffer {
    try {
      return this.#rows.buffer.transfer(rows * ROW_BYTES);
    } catch (error) {
      throw new RangeError(`cannot have room for ${rows} rows: the host has no memory for them`, {
        cause: error,
      });
    }
  }

  /**
   * Makes room for `rows` rows in all, and for `ownedBytes` bytes of owned ones: exactly as much, where it lacked.
   * Throws a `RangeError` where there is no memory.
   */
  reserve(rows: number, ownedBytes = 0): void {
    this.#requireUse("cannot reserve");
    for (const [name, count] of [["rows", rows], ["ownedBytes", ownedBytes]] as const) {
      if (!Number.isSafeInteger(count) || count < 0) {
        throw new RangeError(`cannot reserve: ${name} is ${count}, not a count`);
      }
    }
    if (rows * ROW > this.#rows.length) this.#resize(rows);
    if (ownedBytes > 0) this.#arena.reserve(ownedBytes);
  }

  #placeAt(at: number): number {
    return this.#rows[at + PLACE] >>> 16;
  }

  #offsetAt(at: number): number {
    return this.#rows[at + OFFSET_LOW] + (this.#rows[at + PLACE] & 0xffff) * TWO_32;
  }

  #lengthAt(at: number): number {
    return this.#rows[at + LENGTH_LOW] + this.#rows[at + LENGTH_HIGH] * TWO_32;
  }

  #capacityAt(at: number): number {
    return this.#rows[at + CAPACITY_LOW] + this.#rows[at + CAPACITY_HIGH] * TWO_32;
  }

  #bytesAt(at: number): Uint8Array {
    const place = this.#placeAt(at);
    const offset = this.#offsetAt(at);
    const length = this.#lengthAt(at);
    return this.#capacityAt(at) === 0
      ? this.#regions[place].bytes(offset, length)
      : this.#arena.bytes(place, offset, length);
  }

  #copied(bytes: Uint8Array, capacity: number = bytes.length): Block {
    const block = this.#arena.allocate(capacity);
    this.#arena.bytes(block.chunk, block.offset, bytes.length).set(bytes);
    return block;
  }

  /** Whether the row's bytes are a region's. Throws a `RangeError` where there is no such row, as all do. */
  isBorrowed(i: number): boolean {
    const at = this.#at("read", i);
    return this.#capacityAt(at) === 0;
  }

  /**
   * The row's bytes in place, to be read. Of a map whose file is cut short afterwards they read zeros, and its next
   * `get` throws.
   */
  get(i: number): Uint8Array {
    return this.#bytesAt(this.#at("read", i));
  }

  /** The row as text, borrowed from the table. Throws a `TypeError` where it is no UTF-8. */
  utf8(i: number): Utf8 {
    const at = this.#at("read", i);
    const text = Utf8.from(this.#bytesAt(at));
    // The bytes were looked through, and may have turned out to be lost: zeros are text, too.
    if (this.#capacityAt(at) === 0) this.#regions[this.#placeAt(at)].check();
    return text;
  }

  /** The row's bytes, to be written to; copied to the arena first where they are borrowed. */
  toMut(i: number): Uint8Array {
    const at = this.#at("change", i);
    if (this.#capacityAt(at) === 0) this.#own(at);
    return this.#bytesAt(at);
  }

  #own(at: number): void {
    const length = this.#lengthAt(at);
    const block = this.#arena.allocate(length);
    const copy = this.#arena.bytes(block.chunk, block.offset, length);
    try {
      this.#regions[this.#placeAt(at)].copyInto(copy, this.#offsetAt(at));
    } catch (error) {
      this.#arena.free(block);
      throw error;
    }
    this.#put(at, block.chunk, block.offset, length, block.capacity);
  }

  /**
   * Gives the row a copy of `bytes`: in the block that it owns, where they fit. Throws a `TypeError` for what is no
   * `Uint8Array`.
   */
  set(i: number, bytes: Uint8Array): void {
    const at = this.#at("set", i);
    requireBytes(bytes);
    const capacity = this.#capacityAt(at);
    if (capacity < Math.max(bytes.length, 1)) return this.#replace(at, bytes);
    const chunk = this.#placeAt(at);
    const offset = this.#offsetAt(at);
    this.#arena.bytes(chunk, offset, bytes.length).set(bytes);
    this.#put(at, chunk, offset, bytes.length, capacity);
  }

  #replace(at: number, bytes: Uint8Array): void {
    const old = { chunk: this.#placeAt(at), offset: this.#offsetAt(at), capacity: this.#capacityAt(at) };
    // Twice as much, or a row that grew byte by byte would leave blocks of every size behind.
    const block = this.#copied(bytes, Math.max(bytes.length, Math.min(2 * old.capacity, TWO_32)));
    this.#put(at, block.chunk, block.offset, bytes.length, block.capacity);
    if (old.capacity > 0) this.#arena.free(old);
  }

  /** Gives back what the table has taken and does not use: owned rows move to a new arena. */
  shrinkToFit(): void {
    this.#requireUse("cannot shrink");
    const owned = [];
    let bytes = 0;
    for (let i = 0; i < this.#length; i++) {
      if (this.isBorrowed(i)) continue;
      owned.push(i * ROW);
      bytes += Math.max(this.#lengthAt(i * ROW), 1);
    }
    const arena = new Arena();
    if (bytes > 0) arena.reserve(bytes);
    // All before the first is put, for what throws at one of them.
    const moved = owned.map((at) => {
      const row = this.#bytesAt(at);
      const block = arena.allocate(row.length);
      arena.bytes(block.chunk, block.offset, row.length).set(row);
      return { at, length: row.length, ...block };
    });
    for (const { at, chunk, offset, length, capacity } of moved) {
      this.#put(at, chunk, offset, length, capacity);
    }
    this.#arena = arena;
    this.#resize(this.#length);
  }

  /** Forgets the rows and lets go of the regions. Does nothing the second time. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#length = 0;
    this.#rows = new Uint32Array(0);
    this.#arena = new Arena();
    for (const region of this.#regions.splice(0)) region.release();
  }
}

function requireBytes(bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("cannot set a row: bytes is no Uint8Array");
  if (isDetached(bytes)) throw new TypeError("cannot set a row: the memory of bytes is gone");
}
