/**
 * The exact best `k` of scores that are known only to within an error: keeps every candidate that may yet
 * be among them, to be scored again exactly.
 *
 * @module
 */

/** Something with its score, which is above 0. */
export interface Scored {
  readonly item: number;
  readonly score: number;
}

/** Collects candidates. Where no score is wrong by more than half of `slack`, none of the best is lost. */
export class TopK {
  /** What scores less is out for certain, and need not be offered. */
  threshold: number;

  readonly #k: number;
  readonly #slack: number;
  /** The `k` best scores so far, each no greater than the two at twice its place and one or two more. */
  readonly #heap: number[] = [];
  readonly #candidates: Scored[] = [];

  constructor(k: number, slack: number) {
    this.#k = k;
    this.#slack = slack;
    this.threshold = -slack;
  }

  offer(item: number, score: number): void {
    if (score < this.threshold) return;
    this.#candidates.push({ item, score });
    if (this.#heap.length < this.#k) this.#push(score);
    else if (score > this.#heap[0]) this.#replaceLeast(score);
    if (this.#heap.length === this.#k) this.threshold = Math.max(this.threshold, this.#heap[0] - this.#slack);
  }

  /** The best `k` by their exact score, ties by the lower item. */
  best(exactScore: (item: number) => number): Scored[] {
    return this.#candidates
      .filter(({ score }) => score >= this.threshold)
      .map(({ item }) => ({ item, score: exactScore(item) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.item - b.item)
      .slice(0, this.#k);
  }

  #push(score: number): void {
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (heap[parent] <= score) break;
      heap[place] = heap[parent];
      place = parent;
    }
    heap[place] = score;
  }

  #replaceLeast(score: number): void {
    const heap = this.#heap;
    let place = 0;
    for (let child = 1; child < heap.length; child = 2 * place + 1) {
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= score) break;
      heap[place] = heap[child];
      place = child;
    }
    heap[place] = score;
  }
}
