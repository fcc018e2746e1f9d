import { pointerTo } from "../pointer.ts";
import type { Pointer } from "../types.ts";
import { timespec } from "./linux.ts";

type Fields = ReturnType<typeof timespec.view>;

/** Sets a `struct timespec` to as many milliseconds, or less than a nanosecond more: never to fewer. */
export function setMilliseconds(fields: Fields, milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000);
  const nanoseconds = Math.ceil((milliseconds - seconds * 1000) * 1e6);
  const isWhole = nanoseconds === 1e9;
  fields.tv_sec = isWhole ? seconds + 1 : seconds;
  fields.tv_nsec = isWhole ? 0 : nanoseconds;
}

/** What a `struct timespec` says, in milliseconds. */
export function millisecondsOf(fields: Fields): number {
  return fields.tv_sec * 1000 + fields.tv_nsec / 1e6;
}

/** A `struct timespec` that stays where it is, since a wait sets it each time. */
export class Timespec {
  readonly pointer: Pointer;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(timespec.size);
  #fields: Fields = timespec.view(this.#bytes);

  constructor() {
    this.pointer = pointerTo(this.#bytes);
  }

  set milliseconds(value: number) {
    setMilliseconds(this.#fields, value);
  }
}
