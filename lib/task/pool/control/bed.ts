import { offset, type Pointer } from "../../../../ffi/mod.ts";
import { EventFd } from "../../../io/event_fd.ts";
import { Fd } from "../../../io/fd.ts";
import { futexSleep, futexWake } from "../../../mem/shared/futex.ts";
import type { Bed } from "./parking.ts";

/** Sleeps in futex(2) at the words of a map, and rings eventfds by their numbers, which are the process's. */
export class NativeBed implements Bed {
  readonly #places: readonly Pointer[];
  /** Never closed here: they are other lanes'. */
  readonly #bells: Map<number, EventFd> = new Map();

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
    let bell = this.#bells.get(descriptor);
    if (bell === undefined) this.#bells.set(descriptor, bell = new EventFd(Fd.unsafeOwn(descriptor)));
    bell.write();
  }
}
