const ROOM = 16;

/** A stack of places that keeps its room, so that it allocates nothing once it was as high. */
export class Places {
  #places: Int32Array = new Int32Array(ROOM);
  /** How many there are. */
  count = 0;

  push(place: number): void {
    if (this.count === this.#places.length) this.#resize(2 * this.count);
    this.#places[this.count++] = place;
  }

  /** The last one. There must be one. */
  get last(): number {
    return this.#places[this.count - 1];
  }

  /** Takes the last one. There must be one. */
  pop(): number {
    return this.#places[--this.count];
  }

  /** Gives back the room that is not needed now. */
  shrinkToFit(): void {
    this.#resize(Math.max(ROOM, this.count));
  }

  #resize(length: number): void {
    const places = new Int32Array(length);
    places.set(this.#places.subarray(0, this.count));
    this.#places = places;
  }
}
