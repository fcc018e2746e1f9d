/** Who has buffers over memory that is not the host's, as the garbage collector tells it. */
import { type Pointer, unsafeBufferAt } from "../../ffi/mod.ts";
import type { Lender } from "../../ffi/lend.ts";
import { countingLender } from "../jit/lend.ts";
import { giveCount, type LoanCount, takeCount } from "./loan_count.ts";

const COUNT_BYTES = 4;

/**
 * Each buffer's token, which nobody else has: a buffer that is counted as well, and collected with it. What is
 * detached has let go of its memory and lives on, in the hands of a host's call that still has its address.
 */
const tokens = new WeakMap<ArrayBuffer, ArrayBuffer>();

function lendOnce(lend: Lender, pointer: Pointer, length: number, count: LoanCount): ArrayBuffer {
  Atomics.add(count.words, count.index, 1);
  try {
    return lend(pointer, length, count.pointer);
  } catch (error) {
    Atomics.sub(count.words, count.index, 1);
    throw error;
  }
}

/**
 * The objects by which a range of memory can be reached: buffers, which their views keep, and what hands them out.
 *
 * Two things are told. That the objects are gone: some time after they are, and at a turn of the event loop at the
 * earliest. And, where the host tells it, as soon as it is so: that neither a buffer is there any more, nor anybody who
 * has its memory, be it that it was transferred to him or that he reads it on another thread.
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

  /** Asked for with the map: it takes a descriptor, once. */
  readonly #lend = countingLender();
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
    return this.#lend !== undefined;
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
    const lend = this.#lend;
    if (lend === undefined) return undefined;
    const count = this.#count ??= takeCount();
    const buffer = lendOnce(lend, pointer, length, count);
    tokens.set(buffer, lendOnce(lend, count.pointer, COUNT_BYTES, count));
    return buffer;
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
