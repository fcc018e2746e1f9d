/** A place in a slab, known before its value. */
export class VacantEntry<T> {
  /** The key that `insert` gives the value, if nothing else is inserted or removed before. */
  readonly key: number;
  readonly #slab: { readonly vacantKey: number; insert(value: T): number };

  constructor(slab: { readonly vacantKey: number; insert(value: T): number }) {
    this.key = slab.vacantKey;
    this.#slab = slab;
  }

  /** Puts the value there and returns the key. Throws where another place would be taken by now. */
  insert(value: T): number {
    if (this.#slab.vacantKey !== this.key) {
      throw new Error(`cannot insert under key ${this.key}: the slab has changed meanwhile`);
    }
    return this.#slab.insert(value);
  }
}
