/** A mnemonic with its forms, which are read at its first use. */
import { encodings, type Form } from "./form.ts";
import { formsOf } from "./parse.ts";

export class Instruction {
  readonly mnemonic: string;
  readonly #lines: readonly string[];
  #forms: readonly Form[] | undefined;
  /** To the kinds of the operands of a call the forms that take them, in the order of preference. */
  readonly byKinds: Map<number, readonly Form[]> = new Map();

  constructor(mnemonic: string, lines: readonly string[]) {
    this.mnemonic = mnemonic;
    this.#lines = lines;
  }

  get forms(): readonly Form[] {
    return this.#forms ??= formsOf(this.#lines);
  }

  /** The forms of a jump: with 8 bits, and with 32. */
  get jumps(): readonly [short: Form | undefined, near: Form | undefined] {
    const jumps = this.forms.filter(({ encoding }) => encoding === encodings.jump);
    return [
      jumps.find(({ immediateBytes }) => immediateBytes === 1),
      jumps.find(({ immediateBytes }) => immediateBytes === 4),
    ];
  }
}
