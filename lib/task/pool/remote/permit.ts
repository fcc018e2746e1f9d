import { unwatch, watch } from "../../../mem/forgotten.ts";
import type { RemoteQueue } from "./queue.ts";

/** Room in a channel between threads that nobody else can take. It stays in its thread. */
export class RemotePermit<T> implements Disposable {
  readonly #queue: RemoteQueue<T>;
  /** What the collector gives back, too. */
  readonly #room: { left: number };

  /** The queue's own: `count` places have been taken from it. */
  constructor(queue: RemoteQueue<T>, count: number) {
    const room = { left: count };
    this.#queue = queue;
    this.#room = room;
    watch(this, "a permit of a channel between threads", () => queue.release(room.left));
  }

  /** For how many messages there is room yet. */
  get left(): number {
    return this.#room.left;
  }

  /**
   * Sends at once: the receiver gets it also where it has closed the channel since the room was reserved. Throws where
   * the room is used up, and where the message cannot be cloned, which costs its room.
   */
  send(message: T): void {
    if (this.left === 0) throw new Error("cannot send by a permit: its room is used up, or was given back");
    this.#room.left--;
    this.#queue.pushPromised(message);
  }

  /** Gives back what room is left, to be used by others. */
  release(): void {
    unwatch(this);
    const { left } = this.#room;
    this.#room.left = 0;
    this.#queue.release(left);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
