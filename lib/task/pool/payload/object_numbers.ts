/** Up to here a list of objects is searched faster than a map. */
const FEW = 8;

/** The objects of a message, by numbers in the order in which they are met. */
export class ObjectNumbers {
  readonly #objects: object[] = [];
  readonly #numbers: Map<object, number> = new Map();

  get length(): number {
    return this.#objects.length;
  }

  /** The object's number, or -1 where it has none yet, and takes the next. */
  of(value: object): number {
    const objects = this.#objects;
    const count = objects.length;
    if (count <= FEW) {
      for (let i = 0; i < count; i++) if (objects[i] === value) return i;
      objects.push(value);
      if (count === FEW) { for (let i = 0; i <= FEW; i++) this.#numbers.set(objects[i], i); }
      return -1;
    }
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    this.#numbers.set(value, count);
    objects.push(value);
    return -1;
  }

  /** Forgets those that were met last. */
  truncate(length: number): void {
    if (this.#objects.length > FEW) {
      if (length <= FEW) this.#numbers.clear();
      else for (const object of this.#objects.slice(length)) this.#numbers.delete(object);
    }
    this.#objects.length = length;
  }
}
