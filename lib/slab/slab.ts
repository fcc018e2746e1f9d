import { Places } from "./places.ts";
import { PLACES, refusals } from "./refusals.ts";
import { VacantEntry } from "./vacant_entry.ts";

const MASK = 2 ** 26 - 1;
const NONE = -1;

/** An empty array that V8 has already marked as holding anything: no removal changes its kind later. */
function anyArray<T>(): (T | undefined)[] {
  const values: (T | undefined)[] = [undefined];
  values.length = 0;
  return values;
}

/**
 * Values under keys that are small integers.
 *
 * `insert`, `get`, `set`, `remove` and `vacantKey` are O(1) and allocate nothing, but where the slab grows, or more
 * places are vacant at once than ever before. The bench `slab` sets them beside Rust's slab and a `Map`.
 */
export class Slab<T extends NonNullable<unknown> | null> implements Iterable<[key: number, value: T]> {
  /** `undefined` in each vacant place. A marker of our own would cost V8 a write barrier at each removal. */
  #values: (T | undefined)[] = anyArray();
  /** How many places were taken once: those from here on are vacant, and in no list. */
  #used = 0;
  /** The place that was freed last, or `NONE` where it was taken since: a removal and an insertion need no stack. */
  #next: number = NONE;
  /**
   * The other vacant places, the one freed last on top. A list of links, one for each place, would cost each removal
   * a second miss of the cache; and JSC asks whose a private method is, which a removal would feel.
   */
  #vacant: Places = new Places();

  /**
   * A slab of these values under these keys; of two under one key the later stays. Takes room for the greatest key.
   * The places between are vacant. Throws a `RangeError` where a key is not an integer from 0 to 2²⁶ - 1.
   */
  static fromEntries<T extends NonNullable<unknown> | null>(
    entries: Iterable<readonly [key: number, value: T]>,
  ): Slab<T> {
    const slab = new Slab<T>();
    let isListed = true;
    for (const [key, value] of entries) isListed = slab.#put(key, value) && isListed;
    if (!isListed) slab.#list();
    return slab;
  }

  /** How many values there are. */
  get size(): number {
    return this.#used - this.#vacant.count - (this.#next === NONE ? 0 : 1);
  }

  /** Whether there is no value. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** How many places there are, vacant ones included: so many values, and no more room is needed. */
  get capacity(): number {
    return this.#values.length;
  }

  /** The key that the next insertion gives. */
  get vacantKey(): number {
    if (this.#next !== NONE) return this.#next;
    return this.#vacant.count > 0 ? this.#vacant.last : this.#used;
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
    if (value === undefined) throw refusals.undefinedValue();
    const key = this.#next;
    if (key < 0) return this.#insertElsewhere(value);
    this.#values[key] = value;
    this.#next = NONE;
    return key;
  }

  #insertElsewhere(value: T): number {
    if (this.#vacant.count > 0) {
      const key = this.#vacant.pop();
      this.#values[key] = value;
      return key;
    }
    const key = this.#used;
    if (key === PLACES) throw refusals.places(PLACES + 1);
    if (key < this.#values.length) this.#values[key] = value;
    else this.#values.push(value);
    this.#used = key + 1;
    return key;
  }

  /** Whether there is a value under the key. */
  contains(key: number): boolean {
    return this.#values[key] !== undefined;
  }

  /** The value under the key, or `undefined`. */
  get(key: number): T | undefined {
    return this.#values[key];
  }

  /**
   * The values under two keys, or `undefined` where one has none. Throws a `RangeError` where the keys are equal, so
   * that who changes both never changes one twice.
   */
  get2(a: number, b: number): [T, T] | undefined {
    if (a === b) throw new RangeError(`cannot get two values under one key, ${a}`);
    const first = this.#values[a];
    const second = this.#values[b];
    return first === undefined || second === undefined ? undefined : [first, second];
  }

  /** Puts another value under the key of one. Throws a `RangeError` where there is none. */
  set(key: number, value: T): void {
    if (value === undefined) throw refusals.undefinedValue();
    if (this.#values[key] === undefined) throw refusals.key(key);
    this.#values[key] = value;
  }

  /** Takes the value out and returns it. Throws a `RangeError` where there is none. */
  remove(key: number): T {
    // Not by tryRemove: to ask twice whether there is a value would cost V8 a third more.
    const value = this.#values[key];
    if (value === undefined) throw refusals.key(key);
    this.#values[key] = undefined;
    if (this.#next >= 0) this.#vacant.push(this.#next);
    // The mask changes no key, and tells V8 that it is not negative: the insertion that follows need not ask.
    this.#next = key & MASK;
    return value;
  }

  /** Takes the value out and returns it, or `undefined` where there is none. */
  tryRemove(key: number): T | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    this.#values[key] = undefined;
    if (this.#next >= 0) this.#vacant.push(this.#next);
    this.#next = key & MASK;
    return value;
  }

  /** Removes the values of which `keep` says `false`, in the order of keys. */
  retain(keep: (value: T, key: number) => boolean): void {
    const end = this.#used;
    for (let key = 0; key < end; key++) {
      const value = this.#values[key];
      if (value !== undefined && !keep(value, key)) this.tryRemove(key);
    }
  }

  /** Takes all values out, in the order of their keys. The places stay, as with `clear`. */
  drain(): T[] {
    const values = [...this.values()];
    this.clear();
    return values;
  }

  /** Removes all values. The places stay, and the next key is 0. */
  clear(): void {
    this.#values.fill(undefined, 0, this.#used);
    this.#used = 0;
    this.#next = NONE;
    this.#vacant.count = 0;
  }

  /**
   * Makes room for so many more values, so that the slab need not grow before. Throws a `RangeError` where that is no
   * count, or more than 2²⁶ places together.
   */
  reserve(additional: number): void {
    if (!Number.isInteger(additional) || additional < 0) {
      throw new RangeError(`additional must be a count, and is ${additional}`);
    }
    const places = this.size + additional;
    if (places > PLACES) throw refusals.places(places);
    while (this.#values.length < places) this.#values.push(undefined);
  }

  /**
   * Gives back the vacant places after the last value, and what the host keeps in advance. No key changes; if places
   * went, the lowest vacant key is the next. Copies what remains: O(capacity).
   */
  shrinkToFit(): void {
    let end = this.#used;
    while (end > 0 && this.#values[end - 1] === undefined) end--;
    this.#values = end === 0 ? anyArray() : this.#values.slice(0, end);
    if (end < this.#used) {
      this.#used = end;
      this.#list();
    }
    this.#vacant.shrinkToFit();
  }

  /**
   * Moves the last values to the lowest vacant places, until none is vacant, and gives back what follows. Before each
   * move, `rename` is told the value, its key and the key that it gets; where it returns `false`, that value and those
   * before it stay, and where it throws, the slab is whole and the error goes on. It may read the slab and not change
   * it. O(capacity).
   */
  compact(rename: (value: T, from: number, to: number) => boolean): void {
    const values = this.#values;
    let end = this.#used;
    let to = 0;
    try {
      for (;;) {
        while (end > 0 && values[end - 1] === undefined) end--;
        while (to < end && values[to] !== undefined) to++;
        const value = values[end - 1];
        if (to >= end || value === undefined || !rename(value, end - 1, to)) return;
        if (values !== this.#values || values[to] !== undefined || !Object.is(values[end - 1], value)) {
          throw new Error(`cannot move the value under key ${end - 1}: the slab has changed meanwhile`);
        }
        values[to] = value;
        values[end - 1] = undefined;
      }
    } finally {
      this.#list();
      this.shrinkToFit();
    }
  }

  /** Lists the vacant places anew, the lowest to be taken first, so that later shrinking finds the last ones free. */
  #list(): void {
    this.#next = NONE;
    this.#vacant.count = 0;
    for (let key = this.#used - 1; key >= 0; key--) {
      if (this.#values[key] === undefined) this.#free(key);
    }
  }

  #free(key: number): void {
    if (this.#next >= 0) this.#vacant.push(this.#next);
    this.#next = key;
  }

  /** Puts a value under a key of its own. Whether the list of vacant places is right thereafter. */
  #put(key: number, value: T): boolean {
    if (!Number.isInteger(key) || key < 0 || key >= PLACES) {
      throw new RangeError(`invalid key ${key}: it must be an integer from 0 to ${PLACES - 1}`);
    }
    if (value === undefined) throw refusals.undefinedValue();
    for (; this.#used <= key; this.#used++) {
      this.#values.push(undefined);
      if (this.#used < key) this.#free(this.#used);
      else this.#values[key] = value;
    }
    const isTaken = this.#values[key] !== undefined;
    this.#values[key] = value;
    return isTaken;
  }

  /** The keys, in order. */
  *keys(): IterableIterator<number> {
    for (let key = 0; key < this.#used; key++) {
      if (this.#values[key] !== undefined) yield key;
    }
  }

  /** The values, by key. */
  *values(): IterableIterator<T> {
    for (let key = 0; key < this.#used; key++) {
      const value = this.#values[key];
      if (value !== undefined) yield value;
    }
  }

  /** The keys and values, by key. */
  *entries(): IterableIterator<[key: number, value: T]> {
    for (let key = 0; key < this.#used; key++) {
      const value = this.#values[key];
      if (value !== undefined) yield [key, value];
    }
  }

  /** The keys and values, by key. */
  [Symbol.iterator](): IterableIterator<[key: number, value: T]> {
    return this.entries();
  }
}
