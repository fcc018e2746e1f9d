/** Operands that are no data: how to round, and which of two encodings to take. */
import { code } from "./kinds.ts";

/** How one instruction rounds, whatever MXCSR says, with its exceptions suppressed. */
export class Rounding {
  readonly kind = "er";
  readonly code: number = code.er;
  readonly id: number;
  readonly masking = "none";
  readonly mask = 0;
  readonly name: string;

  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }

  toString(): string {
    return `{${this.name}}`;
  }
}

/** Exceptions suppressed, with MXCSR's rounding. */
export class Suppress {
  readonly kind = "sae";
  readonly code: number = code.sae;
  readonly id = -1;
  readonly masking = "none";
  readonly mask = 0;

  toString(): string {
    return "{sae}";
  }
}

/** The VEX encoding of an instruction that is EVEX where nothing is said. */
export class Vex {
  readonly kind = "vex";
  readonly code: number = code.vex;
  readonly id = -1;
  readonly masking = "none";
  readonly mask = 0;

  toString(): string {
    return "{vex}";
  }
}

/** To the nearest, ties to even. */
export const rnSae: Rounding = new Rounding(0, "rn-sae");
/** Down. */
export const rdSae: Rounding = new Rounding(1, "rd-sae");
/** Up. */
export const ruSae: Rounding = new Rounding(2, "ru-sae");
/** Towards zero. */
export const rzSae: Rounding = new Rounding(3, "rz-sae");
/** No exceptions, for instructions that do not round. */
export const sae: Suppress = new Suppress();
/** AVX-VNNI where AVX512-VNNI would be taken: `a.vpdpbusd(ymm(0), ymm(1), ymm(2), vex)`. */
export const vex: Vex = new Vex();
