/** Who has buffers over memory that is not the host's, as the garbage collector tells it. */
import { type Pointer, unsafeBufferAt } from "../../ffi/mod.ts";

/**
 * The objects by which a range of memory can be reached: buffers, which their views keep, and what hands them out.
 * That one is gone is heard some time after it is, and at a turn of the event loop at the earliest.
 */
export class Loans {
  static readonly #ownerGone = new FinalizationRegistry<Loans>((loans) => {
    loans.#owners--;
    loans.#lost();
  });
  static readonly #bufferGone = new FinalizationRegistry<Loans>((loans) => {
    loans.#buffers--;
    loans.#lost();
  });

  #owners = 0;
  #buffers = 0;
  #wereMade = false;
  readonly #forgotten: () => void;

  /** `forgotten` is called when the last of the objects is gone. It must not reach any of them. */
  constructor(forgotten: () => void) {
    this.#forgotten = forgotten;
  }

  /** How many buffers somebody may have still: one that was transferred away counts while its first object is there. */
  get outstanding(): number {
    return this.#buffers;
  }

  /** Whether there ever was one. */
  get wereMade(): boolean {
    return this.#wereMade;
  }

  /** Counts what hands out the buffers: for as long as it is there, it may hand out more. */
  hold(owner: object): void {
    this.#owners++;
    Loans.#ownerGone.register(owner, this);
  }

  /** A buffer over `length` bytes from `pointer`. */
  lend(pointer: Pointer, length: number): ArrayBuffer {
    // SAFETY: whoever ends the range detaches its buffers first, and unmaps it when none is outstanding.
    const buffer = unsafeBufferAt(pointer, length);
    this.#buffers++;
    this.#wereMade = true;
    Loans.#bufferGone.register(buffer, this);
    return buffer;
  }

  #lost(): void {
    if (this.#owners + this.#buffers === 0) this.#forgotten();
  }
}
