/**
 * A table whose keys are small integers: tokio's slab. Values lie in one array; a removed value's place
 * becomes a link in a list of vacant places, and the next insertion takes the one that was freed last. So
 * insert, get and remove are O(1), no key moves, and a steady load allocates nothing.
 *
 * @example
 * ```ts
 * import { Slab } from "@oxbow/oxbow/slab";
 *
 * const slab = new Slab<string>();
 * const hello = slab.insert("hello");
 * const world = slab.insert("world");
 * slab.set(world, "earth");
 * console.log(slab.get(hello), slab.get(world)); // hello earth
 * ```
 *
 * @module
 */

/** The end of the list of vacant places. */
const END = -1;

/** A place in a slab, known before its value. */
export interface VacantEntry<T extends NonNullable<unknown>> {
  /** The key that `insert` gives the value, if nothing else is inserted before. */
  readonly key: number;
  /** Puts the value there and returns the key. Throws where another place would be taken by now. */
  insert(value: T): number;
}

/** Values under keys that are small integers. */
export class Slab<T extends NonNullable<unknown>> implements Iterable<[key: number, value: T]> {
  #values: (T | undefined)[] = [];
  /** To each vacant place the one after it, or `END`. */
  #links: number[] = [];
  #next: number = END;
  #size = 0;

  /** How many values there are. */
  get size(): number {
    return this.#size;
  }

  /** How many places there are, vacant ones included. */
  get capacity(): number {
    return this.#values.length;
  }

  /** Puts the value in the place that was freed last, or a new one, and returns its key. */
  insert(value: T): number {
    const key = this.#next;
    this.#size++;
    if (key === END) {
      this.#links.push(END);
      return this.#values.push(value) - 1;
    }
    this.#next = this.#links[key];
    this.#values[key] = value;
    return key;
  }

  /** The place that the next insertion takes, for values that hold their own key. */
  vacantEntry(): VacantEntry<T> {
    const key = this.#vacant;
    return {
      key,
      insert: (value) => {
        if (this.#vacant !== key) {
          throw new Error(`cannot insert under key ${key}: the slab has changed meanwhile`);
        }
        return this.insert(value);
      },
    };
  }

  get #vacant(): number {
    return this.#next === END ? this.#values.length : this.#next;
  }

  /** Whether there is a value under the key. */
  has(key: number): boolean {
    return this.#values[key] !== undefined;
  }

  /** The value under the key, or `undefined`. */
  get(key: number): T | undefined {
    return this.#values[key];
  }

  /** Puts another value under the key of one. Throws a `RangeError` where there is none. */
  set(key: number, value: T): void {
    this.#expect(key);
    this.#values[key] = value;
  }

  /** Takes the value out and returns it. Throws a `RangeError` where there is none. */
  remove(key: number): T {
    const value = this.#expect(key);
    this.#values[key] = undefined;
    this.#links[key] = this.#next;
    this.#next = key;
    this.#size--;
    return value;
  }

  #expect(key: number): T {
    const value = this.#values[key];
    if (value === undefined) throw new RangeError(`invalid key ${key}: the slab has no value under it`);
    return value;
  }

  /** The keys and values, by key. */
  *[Symbol.iterator](): Iterator<[key: number, value: T]> {
    for (let key = 0; key < this.#values.length; key++) {
      const value = this.#values[key];
      if (value !== undefined) yield [key, value];
    }
  }
}
