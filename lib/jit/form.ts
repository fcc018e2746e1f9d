/** One form of an instruction, as its line in a table says it, ready to be matched and encoded. */
import type { Feature } from "./code.ts";
import { code } from "./kinds.ts";

/** What an operand must be beside its kind. */
export const check = {
  none: 0,
  /** A vector below 16, and under no mask. */
  low: 1,
  unmasked: 2,
  merging: 3,
  zeroing: 4,
  masked: 5,
  fixed: 6,
  lanes: 7,
  lowIndex: 8,
  /** One of `integers`, below. */
  integer: 9,
} as const;

/** Immediates: how many bits the operation has, and which values fit. Those of 64 bits are written apart. */
export interface Integer {
  readonly bits: number;
  readonly low: number;
  readonly high: number;
}

const integers: Readonly<Record<string, Integer>> = {
  1: { bits: 8, low: 1, high: 1 },
  imm8: { bits: 8, low: -128, high: 255 },
  imm16: { bits: 16, low: -(2 ** 15), high: 2 ** 16 - 1 },
  imm32: { bits: 32, low: -(2 ** 31), high: 2 ** 32 - 1 },
  imm64: { bits: 64, low: -Infinity, high: Infinity },
  simm8w: { bits: 16, low: -128, high: 127 },
  simm8d: { bits: 32, low: -128, high: 127 },
  simm8: { bits: 64, low: -128, high: 127 },
  simm32: { bits: 64, low: -(2 ** 31), high: 2 ** 31 - 1 },
};

export const encodings = { legacy: 0, vex: 1, evex: 2, jump: 3 } as const;

const kindBits: Readonly<Record<string, number>> = {
  er: 1 << code.er,
  sae: 1 << code.sae,
  "{vex}": 1 << code.vex,
  symbol: 1 << code.symbol,
  rel8: 1 << code.label,
  rel32: 1 << code.label,
  r8: 1 << code.r8,
  r16: 1 << code.r16,
  r32: 1 << code.r32,
  r64: 1 << code.r64,
  xmm: 1 << code.xmm,
  ymm: 1 << code.ymm,
  zmm: 1 << code.zmm,
  k: 1 << code.k,
  m8: 1 << code.m | 1 << code.m8,
  m16: 1 << code.m | 1 << code.m16,
  m32: 1 << code.m | 1 << code.m32,
  m64: 1 << code.m | 1 << code.m64,
  m128: 1 << code.m | 1 << code.m128,
  m256: 1 << code.m | 1 << code.m256,
  m512: 1 << code.m | 1 << code.m512,
  m: 1 << code.m,
  mem: 0xff << code.m,
  vmx: 1 << code.vmx,
  vmy: 1 << code.vmy,
  vmz: 1 << code.vmz,
  b32: 1 << code.bcst | 1 << code.bcstTo,
  b64: 1 << code.bcst | 1 << code.bcstTo,
};

export const registerBits = 1 << code.r8 | 1 << code.r16 | 1 << code.r32 | 1 << code.r64 | 1 << code.xmm |
  1 << code.ymm | 1 << code.zmm | 1 << code.k;
const vectorBits = 1 << code.xmm | 1 << code.ymm | 1 << code.zmm;
/** All that has an address. */
export const memoryBits = 0x1fff << code.m;

/** Registers by name: the kind's bit and the number. */
const named: Readonly<Record<string, readonly [bits: number, id: number]>> = {
  al: [kindBits.r8, 0],
  cl: [kindBits.r8, 1],
  ax: [kindBits.r16, 0],
  dx: [kindBits.r16, 2],
  eax: [kindBits.r32, 0],
  rax: [kindBits.r64, 0],
  xmm0: [kindBits.xmm, 0],
};

/** An operand of a form. */
export interface FormOperand {
  /** As in the table, lengths filled in. */
  readonly text: string;
  /** The kinds that it takes: bit i for the kind of code i. */
  readonly kinds: number;
  readonly check: number;
  readonly integer: Integer;
  /** The number of the register that it must be. */
  readonly fixed: number;
}

/** Reads an operand of the notation. `isEvex`: high registers may be. */
export function operandOf(text: string, isEvex: boolean): FormOperand {
  const [, words, suffix] = /^(\{vex\}|[^{]+)(\{.+\})?$/.exec(text) ?? [];
  if (words === undefined) throw new SyntaxError(`"${text}" is no operand`);
  const integer = integers[words];
  if (integer !== undefined) {
    return { text, kinds: 1 << code.imm, check: check.integer, integer, fixed: 0 };
  }
  const name = named[words];
  if (name !== undefined) {
    return { text, kinds: name[0], check: check.fixed, integer: integers.imm8, fixed: name[1] };
  }
  let kinds = 0;
  for (const word of words.split("/")) {
    if (kindBits[word] === undefined) throw new SyntaxError(`"${word}" is no operand`);
    kinds |= kindBits[word];
  }
  return { text, kinds, check: checkOf(kinds, suffix, isEvex), integer: integers.imm8, fixed: 0 };
}

function checkOf(kinds: number, suffix: string | undefined, isEvex: boolean): number {
  if (suffix === "{k}") return check.merging;
  if (suffix === "{kz}") return check.zeroing;
  if (suffix === "{k!}") return check.masked;
  if ((kinds & 1 << code.bcst) !== 0) return check.lanes;
  if ((kinds & (1 << code.vmx | 1 << code.vmy | 1 << code.vmz)) !== 0) {
    return isEvex ? check.unmasked : check.lowIndex;
  }
  if ((kinds & vectorBits) !== 0) return isEvex ? check.unmasked : check.low;
  return (kinds & (memoryBits | 1 << code.k)) !== 0 ? check.unmasked : check.none;
}

/** Where the opcode, the prefixes and the operands go. */
export interface Form {
  /** The line of the table, lengths filled in. */
  readonly text: string;
  readonly operands: readonly FormOperand[];
  readonly encoding: number;
  readonly features: readonly Feature[];
  /** VEX's code for 66, F3 or F2, or the legacy prefix itself, or 0. */
  readonly prefix: number;
  /** Whether 66 sets the size of the operation: it comes before any other prefix. */
  readonly is16: boolean;
  /** The map of VEX: 1 for 0F, 2 for 0F38, 3 for 0F3A. */
  readonly map: number;
  /** W, or REX.W. */
  readonly wide: 0 | 1;
  /** VEX's L, or EVEX's L'L. */
  readonly length: number;
  /** The bytes of the opcode, the first in the lowest 8 bits. */
  readonly opcode: number;
  readonly opcodeBytes: number;
  /** Which operands go where, or -1. */
  readonly reg: number;
  readonly rm: number;
  readonly vvvv: number;
  readonly inOpcode: number;
  readonly is4: number;
  readonly immediate: number;
  readonly immediateBytes: number;
  /** What `ModRM:reg` is instead of an operand, or -1 where there is no ModRM. */
  readonly digit: number;
  readonly hasModRm: boolean;
  /** EVEX: the unit of a displacement of 8 bits, and that of a broadcast. */
  readonly unit: number;
  readonly element: number;
  /** EVEX: to how many lanes a broadcast goes. */
  readonly lanes: number;
  /** EVEX: where the rounding is, or -1; whether exceptions are suppressed. */
  readonly rounding: number;
  readonly suppresses: boolean;
  /** Whether destination, index and mask must be different registers. */
  readonly isGather: boolean;
  /** The same operation with `reg` and `rm` exchanged: shorter in VEX where `rm` is a high register. */
  mirror: Form | undefined;
  /** The mark of the assembler that used it last, so that features are noted once. */
  lastUser: number;
}
