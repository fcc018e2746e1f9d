/** One form of an instruction, as its line in a table says it, ready to be matched and encoded. */
import type { Feature } from "./code.ts";
import type { FormOperand } from "./form_operand.ts";

export const encodings = { legacy: 0, vex: 1, evex: 2, jump: 3 } as const;

/** What an encoding says by its own words. */
export interface Encoding {
  encoding: number;
  /** VEX's code for 66, F3 or F2, or the legacy prefix itself, or 0. */
  prefix: number;
  /** Whether 66 sets the size of the operation: it comes before any other prefix. */
  is16: boolean;
  /** The map of VEX: 1 for 0F, 2 for 0F38, 3 for 0F3A. */
  map: number;
  /** W, or REX.W. */
  wide: 0 | 1;
  /** VEX's L, or EVEX's L'L. */
  length: number;
  /** The bytes of the opcode, the first in the lowest 8 bits. */
  opcode: number;
  opcodeBytes: number;
  immediateBytes: number;
  /** What `ModRM:reg` is instead of an operand, or -1. */
  digit: number;
  hasModRm: boolean;
  hasOperandInOpcode: boolean;
  hasIs4: boolean;
  /** EVEX: the unit of a displacement of 8 bits, where it is not the size of the memory, or 0. */
  unit: number;
  /** Which operands go where, where that is not as usual. */
  roles: string;
}

/** Which operand goes where, or -1. */
export interface Places {
  reg: number;
  rm: number;
  vvvv: number;
  inOpcode: number;
  is4: number;
}

export interface Form extends Readonly<Encoding>, Readonly<Places> {
  readonly operands: readonly FormOperand[];
  readonly features: readonly Feature[];
  /** Which operand is the immediate, or -1. */
  readonly immediate: number;
  /** EVEX: the unit of a broadcast, and to how many lanes it goes. */
  readonly element: number;
  readonly lanes: number;
  /** EVEX: which operand is the rounding, or -1; whether exceptions are suppressed. */
  readonly rounding: number;
  readonly suppresses: boolean;
  /** Whether destination, index and mask must be different registers. */
  readonly isGather: boolean;
  /** The same operation with `reg` and `rm` exchanged: shorter in VEX where `rm` is a high register. */
  mirror: Form | undefined;
  /** The mark of the assembler that used it last, so that features are noted once. */
  lastUser: number;
}
