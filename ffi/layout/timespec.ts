import { pointerTo } from "../pointer.ts";
import type { Pointer } from "../types.ts";
import { timespec } from "./linux.ts";

const SECONDS = timespec.offsets.tv_sec / 4;
const NANOSECONDS = timespec.offsets.tv_nsec / 4;

/** A `struct timespec` in words, since a wait sets it each time. */
export class Timespec {
  readonly pointer: Pointer;
  #words: Int32Array<ArrayBuffer> = new Int32Array(timespec.size / 4);

  constructor() {
    this.pointer = pointerTo(this.#words);
  }

  /** Sets it to as many milliseconds, up to 2³¹ of them, or less than a nanosecond more. */
  set milliseconds(value: number) {
    let seconds = Math.floor(value / 1000);
    let nanoseconds = Math.ceil((value - seconds * 1000) * 1e6);
    if (nanoseconds >= 1e9) {
      seconds++;
      nanoseconds -= 1e9;
    }
    this.#words[SECONDS] = seconds;
    this.#words[NANOSECONDS] = nanoseconds;
  }
}
