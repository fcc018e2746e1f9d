/** The kinds of operands. An operand carries its kind's number, and the kinds of a call make one key. */

export type GprKind = "r8" | "r16" | "r32" | "r64";
export type VectorKind = "xmm" | "ymm" | "zmm";
/** `m` says no size; `vmx`, `vmy` and `vmz` have a vector as index; `bcst` is one element for all lanes. */
export type MemoryKind =
  | ("m" | "m8" | "m16" | "m32" | "m64" | "m128" | "m256" | "m512")
  | ("bcst" | "vmx" | "vmy" | "vmz");
export type OtherKind = "k" | "imm" | "label" | "symbol" | "er" | "sae" | "vex";
export type Kind = GprKind | VectorKind | MemoryKind | OtherKind;

/** Less than 32 of them: a set is an integer, and six make a key of 30 bits. None is 0: that is no operand. */
export const code = {
  r8: 1,
  r16: 2,
  r32: 3,
  r64: 4,
  xmm: 5,
  ymm: 6,
  zmm: 7,
  k: 8,
  imm: 9,
  label: 10,
  symbol: 11,
  er: 12,
  sae: 13,
  vex: 14,
  m: 16,
  m8: 17,
  m16: 18,
  m32: 19,
  m64: 20,
  m128: 21,
  m256: 22,
  m512: 23,
  bcst: 24,
  /** A broadcast that says to how many lanes it goes. */
  bcstTo: 28,
  vmx: 25,
  vmy: 26,
  vmz: 27,
} as const satisfies Record<Kind | "bcstTo", number>;
