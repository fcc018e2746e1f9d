import { pointerTo } from "../pointer.ts";
import type { Pointer } from "../types.ts";
import { epoll_event } from "./linux.ts";

const WORDS = epoll_event.size / 4;
const EVENTS = epoll_event.offsets.events / 4;
/** The data's lower half; the upper one is the next word. */
const DATA = epoll_event.offsets.data / 4;

/** An array of `struct epoll_event` in words, since a wait reads it for each event that it tells of. */
export class EpollEvents {
  readonly capacity: number;
  readonly pointer: Pointer;
  #words: Int32Array<ArrayBuffer>;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#words = new Int32Array(WORDS * capacity);
    this.pointer = pointerTo(this.#words);
  }

  events(i: number): number {
    return this.#words[WORDS * i + EVENTS];
  }

  /** The data as an integer of 53 bits. */
  token(i: number): number {
    return (this.#words[WORDS * i + DATA] >>> 0) + this.#words[WORDS * i + DATA + 1] * 0x1_0000_0000;
  }

  set(i: number, events: number, token: number): void {
    this.#words[WORDS * i + EVENTS] = events;
    this.#words[WORDS * i + DATA] = token | 0;
    this.#words[WORDS * i + DATA + 1] = Math.floor(token / 0x1_0000_0000);
  }
}
