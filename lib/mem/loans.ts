/** Who has buffers over memory that is not the host's, as the garbage collector tells it. */
import { type Pointer, unsafeBufferAt } from "../../ffi/mod.ts";
import { countingLender } from "../jit/lend.ts";
import { giveCount, type LoanCount, takeCount } from "./loan_count.ts";

/**
 * The objects by which a range of memory can be reached: buffers, which their views keep, and what hands them out.
 *
 * Two things are told. That the objects are gone: some time after they are, and at a turn of the event loop at the
 * earliest. And that nobody has the memory of a buffer any more, where the host tells it: not whom the buffer was
 * transferred to, and no call that reads it on another thread.
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
  #count: LoanCount | undefined;
  #wereMade = false;
  readonly #forgotten: () => void;

  /** `forgotten` is called when the last of the objects is gone. It must not reach any of them. */
  constructor(forgotten: () => void) {
    this.#forgotten = forgotten;
  }

  /** Whether there ever was a buffer. */
  get wereMade(): boolean {
    return this.#wereMade;
  }

  /** Whether those are counted too that were transferred away. */
  get areCounted(): boolean {
    return this.#count !== undefined;
  }

  /** Whether somebody may have a buffer still; or its memory, where that is counted. */
  get areOut(): boolean {
    const count = this.#count;
    return count === undefined ? this.#buffers > 0 : Atomics.load(count.words, count.index) > 0;
  }

  /** Counts what hands out the buffers: for as long as it is there, it may hand out more. */
  hold(owner: object): void {
    this.#owners++;
    Loans.#ownerGone.register(owner, this);
  }

  /** A buffer over `length` bytes from `pointer`. */
  lend(pointer: Pointer, length: number): ArrayBuffer {
    // SAFETY: whoever ends the range detaches its buffers first, and unmaps it when none is out.
    const buffer = this.#counted(pointer, length) ?? unsafeBufferAt(pointer, length);
    this.#wereMade = true;
    this.#buffers++;
    Loans.#bufferGone.register(buffer, this);
    return buffer;
  }

  #counted(pointer: Pointer, length: number): ArrayBuffer | undefined {
    const lend = countingLender();
    if (lend === undefined) return undefined;
    const { words, index, pointer: count } = this.#count ??= takeCount();
    Atomics.add(words, index, 1);
    return lend(pointer, length, count);
  }

  #lost(): void {
    if (this.#owners + this.#buffers === 0) this.#forgotten();
  }

  /** When the range is unmapped: its count is another's from now on. */
  [Symbol.dispose](): void {
    if (this.#count === undefined) return;
    giveCount(this.#count);
    this.#count = undefined;
  }
}
