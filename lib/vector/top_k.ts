import { lengthOfArray } from "./arguments.ts";
import { implementation } from "./implementation.ts";

/** The best scores and where they are, best first. */
export interface TopK {
  readonly indices: Uint32Array<ArrayBuffer>;
  readonly values: Float32Array<ArrayBuffer>;
}

/** As many scores as were seen before are compared with one threshold: a block more has few above it then. */
const [FIRST_BLOCK, BLOCK] = [256, 8192];
/** Which of a block are above it. */
const found = new Uint32Array(BLOCK);

/** The best so far, the worst of them at the root: each is worse than the two at twice its place and one or two more. */
class Heap {
  readonly #scores: Float32Array;
  readonly #indices: Uint32Array<ArrayBuffer>;
  length = 0;

  constructor(scores: Float32Array, k: number) {
    this.#scores = scores;
    this.#indices = new Uint32Array(k);
  }

  get worst(): number {
    return this.#scores[this.#indices[0]];
  }

  /** Of equal scores the later is worse. */
  #isWorse(a: number, b: number): boolean {
    const [x, y] = [this.#scores[a], this.#scores[b]];
    return x < y || (x === y && a > b);
  }

  push(index: number): void {
    let place = this.length++;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!this.#isWorse(index, this.#indices[parent])) break;
      this.#indices[place] = this.#indices[parent];
      place = parent;
    }
    this.#indices[place] = index;
  }

  replaceWorst(index: number): void {
    let place = 0;
    for (let child = 1; child < this.length; child = 2 * place + 1) {
      if (child + 1 < this.length && this.#isWorse(this.#indices[child + 1], this.#indices[child])) child++;
      if (!this.#isWorse(this.#indices[child], index)) break;
      this.#indices[place] = this.#indices[child];
      place = child;
    }
    this.#indices[place] = index;
  }

  /** All of them, best first. The heap is empty then. */
  drain(): Uint32Array<ArrayBuffer> {
    const indices = new Uint32Array(this.length);
    while (this.length > 0) {
      indices[this.length - 1] = this.#indices[0];
      this.length--;
      this.replaceWorst(this.#indices[this.length]);
    }
    return indices;
  }
}

/**
 * The `k` greatest scores, the greatest first and of equal ones the earlier; fewer where there are fewer. NaN is
 * no score and never among them.
 *
 * Reads each score once and compares it with the k-th best so far, which is a vector at a time; what is above
 * it goes to a heap: about k·ln(n/k) scores in random order, all n in ascending order, at log₂ k steps each.
 *
 * @throws {TypeError | RangeError} where `scores` is no Float32Array, or `k` is no whole number from 0 on.
 *
 * @example
 * ```ts
 * import { topK } from "@oxbow/oxbow/vector";
 *
 * const { indices, values } = topK(Float32Array.of(0.25, 1, 0.5, 1), 3);
 * console.log(indices, values); // Uint32Array(3) [ 1, 3, 2 ] Float32Array(3) [ 1, 1, 0.5 ]
 * ```
 */
export function topK(scores: Float32Array, k: number): TopK {
  const length = lengthOfArray("topK", "scores", "Float32Array", scores);
  if (typeof k !== "number") throw new TypeError(`topK: k is ${String(k)}, not a number`);
  if (!Number.isInteger(k) || k < 0) throw new RangeError(`topK: k is ${k}, not a whole number from 0 on`);
  if (length > 2 ** 32) throw new RangeError(`topK: scores has ${length} elements, and indices end at 2^32`);
  const heap = new Heap(scores, Math.min(k, length));
  let from = 0;
  for (; heap.length < k && from < length; from++) {
    if (!Number.isNaN(scores[from])) heap.push(from);
  }
  const { kernels } = implementation();
  while (heap.length > 0 && from < length) {
    const to = Math.min(from + Math.min(Math.max(from, FIRST_BLOCK), BLOCK), length);
    const count = kernels.above(scores, from, to, heap.worst, found);
    for (let i = 0; i < count; i++) {
      if (scores[found[i]] > heap.worst) heap.replaceWorst(found[i]);
    }
    from = to;
  }
  const indices = heap.drain();
  return { indices, values: Float32Array.from(indices, (index) => scores[index]) };
}
