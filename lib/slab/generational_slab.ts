import { PLACES, refusals } from "./refusals.ts";
import { Slab } from "./slab.ts";
import { VacantEntry } from "./vacant_entry.ts";

const MASK = 2 ** 26 - 1;
/** From this key on, a place has no further generation: 2⁵³ - 2²⁶. */
const LAST = 2 ** 53 - 2 ** 26;
const ROOM = 16;

/** In the place of a value: this place has given all its keys, and gives none again. */
const RETIRED: unique symbol = Symbol("retired");

/**
 * A slab that never gives a key twice: whoever holds one after its value was removed finds nothing, rather than the
 * value that has come to the same place since.
 *
 * A key is a place and, above its 26 bits, the place's generation: a safe integer. Places are taken as in a `Slab`.
 * One retires after 2²⁷ values, and stays taken. Eight bytes a place more than `Slab`; and V8 makes an object of 16
 * bytes of a key from the 33rd bit on wherever it is kept in a field or an array of mixed values.
 */
export class GenerationalSlab<T extends NonNullable<unknown> | null>
  implements Iterable<[key: number, value: T]> {
  #slab: Slab<T | typeof RETIRED> = new Slab();
  /** To each place the key of its value; to a vacant one that of its next. */
  #keys: Float64Array = new Float64Array(ROOM);
  /** How many places have a key there. */
  #known = 0;
  /** The first generation of a new place, shifted: places that were given back had none as high. */
  #floor = 0;
  #retired = 0;

  /**
   * A slab of these values under these keys, such as another one's; of two in one place the later stays. A vacant
   * place between begins after the highest generation there is. Throws a `RangeError` where a key is no safe integer.
   */
  static fromEntries<T extends NonNullable<unknown> | null>(
    entries: Iterable<readonly [key: number, value: T]>,
  ): GenerationalSlab<T> {
    const slab = new GenerationalSlab<T>();
    const keys = new Map<number, number>();
    const values: [place: number, value: T][] = [];
    for (const [key, value] of entries) {
      if (!Number.isSafeInteger(key) || key < 0) {
        throw new RangeError(`invalid key ${key}: it must be a safe integer that is not negative`);
      }
      const place = key % PLACES;
      keys.set(place, key);
      values.push([place, value]);
      slab.#floor = Math.max(slab.#floor, Math.min(key - place + PLACES, LAST));
    }
    slab.#slab = Slab.fromEntries<T | typeof RETIRED>(values);
    while (slab.#known < slab.#slab.capacity) slab.#open();
    for (const [place, key] of keys) slab.#keys[place] = key;
    return slab;
  }

  /** How many values there are. */
  get size(): number {
    return this.#slab.size - this.#retired;
  }

  /** Whether there is no value. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** How many places there are, vacant and retired ones included. */
  get capacity(): number {
    return this.#slab.capacity;
  }

  /** The key that the next insertion gives. */
  get vacantKey(): number {
    const place = this.#slab.vacantKey;
    return place < this.#known ? this.#keys[place] : this.#floor + place;
  }

  /** The place that the next insertion takes, for values that hold their own key. */
  vacantEntry(): VacantEntry<T> {
    return new VacantEntry(this);
  }

  /**
   * Puts the value in the place that was freed last, or a new one, and returns its key. Throws a `RangeError` where
   * 2²⁶ places are taken.
   */
  insert(value: T): number {
    const place = this.#slab.insert(value);
    if (place === this.#known) this.#open();
    return this.#keys[place];
  }

  #open(): void {
    const place = this.#known++;
    if (place === this.#keys.length) this.#resizeKeys(2 * place);
    this.#keys[place] = this.#floor + place;
  }

  #resizeKeys(length: number): void {
    const keys = new Float64Array(length);
    keys.set(this.#keys.subarray(0, this.#known));
    this.#keys = keys;
  }

  /** Whether there is a value under the key. */
  contains(key: number): boolean {
    return this.get(key) !== undefined;
  }

  /** The value under the key, or `undefined`. */
  get(key: number): T | undefined {
    const place = key & MASK;
    if (this.#keys[place] !== key) return undefined;
    return this.#at(place);
  }

  #at(place: number): T | undefined {
    const value = this.#slab.get(place);
    return value === RETIRED ? undefined : value;
  }

  /** The values under two keys, or `undefined` where one has none. Throws a `RangeError` where the keys are equal. */
  get2(a: number, b: number): [T, T] | undefined {
    if (a === b) throw new RangeError(`cannot get two values under one key, ${a}`);
    const first = this.get(a);
    const second = this.get(b);
    return first === undefined || second === undefined ? undefined : [first, second];
  }

  /** Puts another value under the key of one. Throws a `RangeError` where there is none. */
  set(key: number, value: T): void {
    if (!this.contains(key)) throw refusals.key(key);
    this.#slab.set(key & MASK, value);
  }

  /** Takes the value out and returns it. Throws a `RangeError` where there is none. */
  remove(key: number): T {
    const value = this.tryRemove(key);
    if (value === undefined) throw refusals.key(key);
    return value;
  }

  /** Takes the value out and returns it, or `undefined` where there is none. */
  tryRemove(key: number): T | undefined {
    const value = this.get(key);
    if (value !== undefined) this.#vacate(key);
    return value;
  }

  #vacate(key: number): void {
    const place = key & MASK;
    if (key >= LAST) {
      this.#retired++;
      this.#slab.set(place, RETIRED);
    } else {
      this.#keys[place] = key + PLACES;
      this.#slab.remove(place);
    }
  }

  /** Removes the values of which `keep` says `false`, in the order of places. */
  retain(keep: (value: T, key: number) => boolean): void {
    const end = this.#known;
    for (let place = 0; place < end; place++) {
      const value = this.#at(place);
      const key = this.#keys[place];
      if (value !== undefined && !keep(value, key)) this.tryRemove(key);
    }
  }

  /** Takes all values out, in the order of their places. The places stay. */
  drain(): T[] {
    const values = [...this.values()];
    this.clear();
    return values;
  }

  /** Removes all values. The places stay, and the first is the next. */
  clear(): void {
    for (let place = this.#known - 1; place >= 0; place--) {
      if (this.#at(place) !== undefined) this.#vacate(this.#keys[place]);
    }
  }

  /** Makes room for so many more values. Throws a `RangeError` as `Slab.reserve` does. */
  reserve(additional: number): void {
    this.#slab.reserve(additional);
  }

  /** Gives back the vacant places after the last value. No key changes, and none is given again. O(capacity). */
  shrinkToFit(): void {
    this.#slab.shrinkToFit();
    this.#forget();
  }

  /**
   * Moves the last values to the lowest vacant places, as `Slab.compact` does. The new key is one that was never given.
   * Stops at a place that has retired, or is about to.
   */
  compact(rename: (value: T, from: number, to: number) => boolean): void {
    const keys = this.#keys;
    try {
      this.#slab.compact((value, from, to) => {
        if (value === RETIRED || keys[from] >= LAST || !rename(value, keys[from], keys[to])) return false;
        keys[from] += PLACES;
        return true;
      });
    } finally {
      this.#forget();
    }
  }

  /** The places that were given back begin later, if they come again. */
  #forget(): void {
    const end = Math.min(this.#known, this.#slab.capacity);
    for (let place = end; place < this.#known; place++) {
      this.#floor = Math.max(this.#floor, this.#keys[place] - place);
    }
    this.#known = end;
    this.#resizeKeys(Math.max(ROOM, end));
  }

  /** The keys, in the order of their places. */
  *keys(): IterableIterator<number> {
    for (const [key] of this.entries()) yield key;
  }

  /** The values, in the order of their places. */
  *values(): IterableIterator<T> {
    for (const [, value] of this.entries()) yield value;
  }

  /** The keys and values, in the order of their places. */
  *entries(): IterableIterator<[key: number, value: T]> {
    for (let place = 0; place < this.#known; place++) {
      const value = this.#at(place);
      if (value !== undefined) yield [this.#keys[place], value];
    }
  }

  /** The keys and values, in the order of their places. */
  [Symbol.iterator](): IterableIterator<[key: number, value: T]> {
    return this.entries();
  }
}
