import { BOTTOM, DEQUE, type Layout, TOP } from "./layout.ts";

/**
 * A lane's deque of slots' numbers: its owner pushes and pops at the bottom, everybody may steal from the top. Chase and
 * Lev's, as Lê, Pop, Cohen and Zappa Nardelli have proved it ("Correct and Efficient Work-Stealing for Weak Memory
 * Models", PPoPP 2013), on words of a map and with a ring that does not grow.
 *
 * Both ends count up for ever and wrap at 2³²; only their difference is looked at. An element is gone with a thread
 * that dies between taking it and running it: slots are found again by their own state.
 */
export class Deque {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #top: number;
  readonly #bottom: number;
  readonly #ring: number;
  readonly #mask: number;

  constructor(words: Int32Array<ArrayBuffer>, layout: Layout, lane: number) {
    this.#words = words;
    this.#top = layout.ofLane(lane, TOP);
    this.#bottom = layout.ofLane(lane, BOTTOM);
    this.#ring = layout.ofLane(lane, DEQUE);
    this.#mask = 2 * layout.shape.slots - 1;
  }

  /** The owner's. Gives `false` where it is full. */
  push(slot: number): boolean {
    const words = this.#words;
    const bottom = words[this.#bottom];
    if (((bottom - Atomics.load(words, this.#top)) | 0) > this.#mask) return false;
    words[this.#ring + (bottom & this.#mask)] = slot;
    Atomics.store(words, this.#bottom, (bottom + 1) | 0);
    return true;
  }

  /** The owner's: what was pushed last, or -1. */
  pop(): number {
    const words = this.#words;
    const bottom = (words[this.#bottom] - 1) | 0;
    // Nobody else adds: an owner that finds nothing need not announce that it takes.
    if (((bottom - words[this.#top]) | 0) < 0) return -1;
    Atomics.store(words, this.#bottom, bottom);
    const top = Atomics.load(words, this.#top);
    const left = (bottom - top) | 0;
    const slot = words[this.#ring + (bottom & this.#mask)];
    if (left > 0) return slot;
    // The last one: thieves may be after it.
    const isMine = left === 0 && Atomics.compareExchange(words, this.#top, top, (top + 1) | 0) === top;
    Atomics.store(words, this.#bottom, (bottom + 1) | 0);
    return isMine ? slot : -1;
  }

  /** Anybody's: what was pushed first, or -1 where there is none, or another was quicker. */
  steal(): number {
    const words = this.#words;
    const top = Atomics.load(words, this.#top);
    if (((Atomics.load(words, this.#bottom) - top) | 0) <= 0) return -1;
    const slot = words[this.#ring + (top & this.#mask)];
    return Atomics.compareExchange(words, this.#top, top, (top + 1) | 0) === top ? slot : -1;
  }

  /** As `hasAny`, but for who looks again before it goes to sleep: what another has pushed may show late. */
  seemsToHaveAny(): boolean {
    const words = this.#words;
    return ((words[this.#bottom] - words[this.#top]) | 0) > 0;
  }

  /** Whether there is something. */
  hasAny(): boolean {
    const words = this.#words;
    const top = Atomics.load(words, this.#top);
    return ((Atomics.load(words, this.#bottom) - top) | 0) > 0;
  }

  /** A new owner's, whose predecessor may have died while it popped. */
  mend(): void {
    const words = this.#words;
    const top = Atomics.load(words, this.#top);
    if (((words[this.#bottom] - top) | 0) < 0) Atomics.store(words, this.#bottom, top);
  }
}
