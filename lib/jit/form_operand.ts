/** Operands of forms: which kinds one takes, and what else it asks for. */
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
  integer: 9,
} as const;

/** Immediates: how many bits the operation has, and which values fit. */
export interface Integer {
  readonly bits: number;
  readonly low: number;
  readonly high: number;
}

/** An operand of a form. */
export interface FormOperand {
  /** As in the table, at its length. */
  readonly text: string;
  /** The kinds that it takes: bit i for the kind of code i. */
  readonly kinds: number;
  readonly check: number;
  readonly integer: Integer;
  /** The number of the register that it must be. */
  readonly fixed: number;
  /** How many bytes it has in memory, or 0. */
  readonly memoryBytes: number;
  /** How many bytes are broadcast, or 0. */
  readonly elementBytes: number;
}

/** The lengths that words such as `V` and `R` stand for; with `one`, there are none of them. */
export type Length = "one" | "x" | "y" | "z" | "w" | "d" | "q";

type Words = Readonly<Record<string, string>>;

const words: Readonly<Record<Length, Words>> = {
  one: {},
  x: {
    V: "xmm",
    mV: "m128",
    H: "xmm",
    mH: "m64",
    Q: "xmm",
    mQ: "m32",
    E: "xmm",
    mE: "m16",
    vmV: "vmx",
    vmH: "vmx",
  },
  y: {
    V: "ymm",
    mV: "m256",
    H: "xmm",
    mH: "m128",
    Q: "xmm",
    mQ: "m64",
    E: "xmm",
    mE: "m32",
    vmV: "vmy",
    vmH: "vmx",
  },
  z: {
    V: "zmm",
    mV: "m512",
    H: "ymm",
    mH: "m256",
    Q: "xmm",
    mQ: "m128",
    E: "xmm",
    mE: "m64",
    vmV: "vmz",
    vmH: "vmy",
  },
  w: { R: "r16", mR: "m16", AR: "ax", immR: "imm16", simm8: "simm8w" },
  d: { R: "r32", D: "r32", mR: "m32", mD: "m32", AR: "eax", immR: "imm32", simm8: "simm8d" },
  q: { R: "r64", D: "r64", mR: "m64", mD: "m64", AR: "rax", immR: "simm32" },
};

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
  m: 1 << code.m,
  mem: 0xff << code.m,
  vmx: 1 << code.vmx,
  vmy: 1 << code.vmy,
  vmz: 1 << code.vmz,
  b32: 1 << code.bcst | 1 << code.bcstTo,
  b64: 1 << code.bcst | 1 << code.bcstTo,
};

const memoryKinds: Readonly<Record<string, number>> = {
  m8: code.m8,
  m16: code.m16,
  m32: code.m32,
  m64: code.m64,
  m128: code.m128,
  m256: code.m256,
  m512: code.m512,
};

/** All that has an address. */
export const memoryBits = 0x1fff << code.m;
const vectorBits = 1 << code.xmm | 1 << code.ymm | 1 << code.zmm;
const indexBits = 1 << code.vmx | 1 << code.vmy | 1 << code.vmz;
export const registerBits = 1 << code.r8 | 1 << code.r16 | 1 << code.r32 | 1 << code.r64 | vectorBits |
  1 << code.k;

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

const suffixes: Readonly<Record<string, number>> = {
  "{k}": check.merging,
  "{kz}": check.zeroing,
  "{k!}": check.masked,
};

function checkOf(kinds: number, suffix: string, isEvex: boolean): number {
  if (suffix !== "") return suffixes[suffix];
  if ((kinds & 1 << code.bcst) !== 0) return check.lanes;
  if ((kinds & indexBits) !== 0 && !isEvex) return check.lowIndex;
  if ((kinds & vectorBits) !== 0 && !isEvex) return check.low;
  return (kinds & (memoryBits | vectorBits | 1 << code.k)) !== 0 ? check.unmasked : check.none;
}

function read(text: string, length: Length, isEvex: boolean): FormOperand {
  const brace = text === "{vex}" ? -1 : text.indexOf("{");
  const suffix = brace === -1 ? "" : text.slice(brace);
  const alternatives = (brace === -1 ? text : text.slice(0, brace)).split("/").map((word) =>
    words[length][word] ?? word
  );
  const [first] = alternatives;
  const full = `${alternatives.join("/")}${suffix}`;
  const rest = { text: full, integer: integers.imm8, fixed: 0, memoryBytes: 0, elementBytes: 0 };
  if (integers[first] !== undefined) {
    return { ...rest, kinds: 1 << code.imm, check: check.integer, integer: integers[first] };
  }
  if (named[first] !== undefined) {
    return { ...rest, kinds: named[first][0], check: check.fixed, fixed: named[first][1] };
  }
  let kinds = 0;
  for (const word of alternatives) {
    const memory = memoryKinds[word];
    const bits = memory === undefined ? kindBits[word] : 1 << code.m | 1 << memory;
    if (bits === undefined) throw new SyntaxError(`"${word}" is no operand`);
    kinds |= bits;
    if (memory !== undefined) rest.memoryBytes = Number(word.slice(1)) / 8;
    if (word === "b32") rest.elementBytes = 4;
    if (word === "b64") rest.elementBytes = 8;
  }
  return { ...rest, kinds, check: checkOf(kinds, suffix, isEvex) };
}

/** Tables repeat themselves. */
const known: Map<string, FormOperand> = new Map();

/** Reads an operand of the notation at a length. `isEvex`: high registers may be. */
export function operandOf(text: string, length: Length, isEvex: boolean): FormOperand {
  const key = `${length}${isEvex ? "+" : "-"}${text}`;
  let operand = known.get(key);
  if (operand === undefined) {
    operand = read(text, length, isEvex);
    known.set(key, operand);
  }
  return operand;
}
