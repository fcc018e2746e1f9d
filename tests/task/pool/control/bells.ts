import { WouldBlock } from "../../../../lib/io/fd.ts";
import { EventFd } from "../../../../lib/io/event_fd.ts";
import type { Control } from "../../../../lib/task/pool/control/control.ts";

/** An eventfd for each of some lanes. */
export class Bells implements Disposable {
  readonly #bells: readonly EventFd[];

  constructor(...controls: readonly Control[]) {
    this.#bells = controls.map(({ parking }) => {
      const bell = new EventFd();
      parking.setEventFd(bell.fd.number);
      return bell;
    });
  }

  /** How often each was rung since. */
  read(): number[] {
    return this.#bells.map((bell) => {
      const count = bell.read();
      return count === WouldBlock ? 0 : count;
    });
  }

  [Symbol.dispose](): void {
    for (const bell of this.#bells) bell.close();
  }
}
