import { descriptors } from "../../../../ffi/descriptors.ts";
import { libc } from "../../../../ffi/libc.ts";
import { offset } from "../../../../ffi/pointer.ts";
import { check } from "../../../../ffi/system_error.ts";
import type { Pointer } from "../../../../ffi/types.ts";
import { futexSleep, futexWake } from "../../../mem/shared/futex.ts";
import type { Bed } from "./parking.ts";

const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;
/** What is added to an eventfd. */
const ONE: Uint8Array<ArrayBuffer> = new Uint8Array(BigUint64Array.of(1n).buffer);

/** A new eventfd, by its number: for `Parking.setEventFd`. */
export function createBell(): number {
  return check(descriptors().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
}

/** Sleeps in futex(2) at the words of a map, and rings eventfds by their numbers, which are the process's. */
export class NativeBed implements Bed {
  readonly #places: readonly Pointer[];

  /** `first` is the word of lane 0, and the others' follow. */
  constructor(first: Pointer, lanes: number) {
    this.#places = Array.from({ length: lanes }, (_, lane) => offset(first, 4 * lane));
  }

  wait(lane: number, expected: number, ms: number): void {
    futexSleep(this.#places[lane], expected, ms);
  }

  wake(lane: number): void {
    futexWake(this.#places[lane], 1);
  }

  ring(descriptor: number): void {
    // Where it is full, it is readable.
    libc().writeView(descriptor, ONE, ONE.length);
  }
}
