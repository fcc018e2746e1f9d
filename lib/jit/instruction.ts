/** A mnemonic with its forms, which are read at its first use. */
import { encodings, type Form } from "./form.ts";
import { formsOf } from "./parse.ts";

/** The forms of a jump: with 8 bits, and with 32. */
export interface Jumps {
  readonly short: Form | undefined;
  readonly near: Form | undefined;
}

function jumpsOf(forms: readonly Form[]): Jumps {
  const jumps = forms.filter(({ encoding }) => encoding === encodings.jump);
  return {
    short: jumps.find(({ immediateBytes }) => immediateBytes === 1),
    near: jumps.find(({ immediateBytes }) => immediateBytes === 4),
  };
}

export class Instruction {
  readonly mnemonic: string;
  readonly #lines: readonly string[];
  #jumps: Jumps | undefined;
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

  get jumps(): Jumps {
    return this.#jumps ??= jumpsOf(this.forms);
  }
}
