import { type AnyCrossing, crossingNamed } from "../../../mem/crossing.ts";

/** The memory that a message calls by a number. Throws where this thread was not sent it. */
export interface SharedMemories {
  named(name: number): SharedArrayBuffer;
}

/** Stands for what crosses in a message that is dropped. */
export const DROPPED: object = Object.freeze({});

/** What crosses in a message that is read: taken, or given back where the message is dropped, or one of it has failed. */
export class IncomingCrossings {
  readonly #shared: SharedMemories;
  readonly #taken: object[] = [];
  #failure: unknown;
  isDropping = false;

  constructor(shared: SharedMemories) {
    this.#shared = shared;
  }

  take(name: string, data: unknown): object {
    let crossing: AnyCrossing;
    try {
      crossing = crossingNamed(name);
      if (!this.isDropping) {
        const value = crossing.take(data);
        this.#taken.push(value);
        return value;
      }
    } catch (error) {
      this.#fail(error);
      return DROPPED;
    }
    crossing.drop(data);
    return DROPPED;
  }

  memory(name: number): SharedArrayBuffer {
    try {
      return this.#shared.named(name);
    } catch (error) {
      this.#fail(error);
      return new SharedArrayBuffer(0);
    }
  }

  /** What is in the rest of the message is given back, and not left. */
  #fail(error: unknown): void {
    if (!this.isDropping) this.#failure = error;
    this.isDropping = true;
    for (const value of this.#taken.splice(0)) dispose(value);
  }

  /** After the message. Throws what has failed. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  forget(): void {
    if (this.#taken.length > 0) this.#taken.length = 0;
    this.isDropping = false;
    this.#failure = undefined;
  }
}

function dispose(value: object): void {
  const end: unknown = Reflect.get(value, Symbol.dispose);
  if (typeof end === "function") Reflect.apply(end, value, []);
}
