import type { Queue } from "./queue.ts";

/** Room in a channel that nobody else can take, for one message or several. */
export class Permit<T> implements Disposable {
  readonly #queue: Queue<T>;
  #left: number;

  /** The queue's own: `count` places have been taken from it. */
  constructor(queue: Queue<T>, count: number) {
    this.#queue = queue;
    this.#left = count;
  }

  /** For how many messages there is room yet. */
  get left(): number {
    return this.#left;
  }

  /**
   * Sends at once: the receiver gets it also where it has closed the channel since the room was reserved.
   * Throws where the room is used up.
   */
  send(message: T): void {
    if (this.#left === 0) throw new Error("cannot send by a permit: its room is used up, or was given back");
    this.#left--;
    this.#queue.pushPromised(message);
  }

  /** Gives back what room is left, to be used by others. */
  release(): void {
    const left = this.#left;
    this.#left = 0;
    this.#queue.release(left);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
