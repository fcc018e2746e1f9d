import type { AnyCrossing } from "../../../mem/crossing.ts";

/** What a message calls a `SharedArrayBuffer`, which no bytes can carry. Throws an error that says why it cannot. */
export interface SharedNames {
  nameOf(memory: SharedArrayBuffer): number;
}

/** What was given to a message that is written, until it is sent. */
export class OutgoingCrossings {
  readonly #given: { crossing: AnyCrossing; data: unknown }[] = [];

  get length(): number {
    return this.#given.length;
  }

  /** The data that go in the object's place. */
  give(crossing: AnyCrossing, value: object): unknown {
    const data = crossing.give(value);
    this.#given.push({ crossing, data });
    return data;
  }

  /** Gives up what was given to the message, but for the first `from`, where it will not be sent. */
  drop(from = 0): void {
    if (this.#given.length === from) return;
    for (const { crossing, data } of this.#given.splice(from)) crossing.drop(data);
  }

  /** From here on what was given is the message's own. */
  send(): void {
    if (this.#given.length > 0) this.#given.length = 0;
  }
}
