/**
 * The notation of the tables, as types. A line is `operands | encoding | features`, in the terms of Intel's
 * manual, and the methods' types are computed from it.
 *
 * - **Operands**, with commas between: `r8` to `r64`, `xmm` to `zmm`, `k`, `m8` to `m512` (`mem` has any of them, `m` none),
 *   `vmx` to `vmz` (a vector as index), `imm8` to `imm64`, `simm8` and `simm32` (extended by sign), `1`,
 *   `rel8` and `rel32` (a label), `symbol`, and registers by name. `/` is "or"; `b32` or `b64` is a broadcast.
 * - One line stands for several lengths: `V` is each vector, `H`, `Q` and `E` the one of half, quarter and eighth
 *   of its length; `R` is `r16`, `r32` and `r64` and `D` the latter two, with their prefixes; `mV`, `mH`, `mR`…
 *   is memory of that length, `vmV` and `vmH` an index, `immR` an immediate, `AR` the accumulator.
 * - `{k}` and `{kz}`: a destination under a mask; `{k!}`: only under one. `{er}` and `{sae}`: rounding or `sae`
 *   may follow that operand, which then is a register. `{vex}`: the word `vex`, to choose the encoding.
 * - **Encoding**: `66 0F 58 /r`, `REX.W 83 /0 ib`, `VEX.V.66.0F38.W0 98 /r`, `EVEX.512.…` as in the manual. `WD` is
 *   the W that `D` says. The operand with memory is `ModRM:r/m`, or else the last register; then come
 *   `ModRM:reg` and `vvvv`. Where that is not so, a word says it: `MVR`. `N4` is the unit of a `vmV`'s
 *   displacement of 8 bits.
 * - **Features**: `avx512bw`, `+` between several. With commas, for each length by itself, `-` where the length
 *   does not exist: `avx,avx2`. EVEX at 128 and 256 bits implies `avx512vl`; `EVEX.LIG` does not.
 */
import type { Gpr, Mask, Vector, Xmm, Ymm, Zmm } from "./registers.ts";
import type { Memory } from "./memory.ts";
import type { Label, LibrarySymbol } from "./places.ts";
import type { Rounding, Suppress, Vex } from "./modifiers.ts";

/** Mnemonics, each with its forms in the order of preference. */
export type Table = Readonly<Record<string, readonly string[]>>;

/** An integer that an instruction holds. */
export type Immediate = number | bigint;

/** Of that size, or of none. */
type MemoryOf<K extends "m8" | "m16" | "m32" | "m64" | "m128" | "m256" | "m512"> = Memory<"m" | K, "none">;

/** What a word of the notation takes. */
interface Words {
  r8: Gpr<"r8">;
  r16: Gpr<"r16">;
  r32: Gpr<"r32">;
  r64: Gpr<"r64">;
  al: Gpr<"r8", "al">;
  cl: Gpr<"r8", "cl">;
  ax: Gpr<"r16", "ax">;
  eax: Gpr<"r32", "eax">;
  rax: Gpr<"r64", "rax">;
  dx: Gpr<"r16", "dx">;
  xmm: Xmm;
  xmm0: Xmm;
  ymm: Ymm;
  zmm: Zmm;
  k: Mask<"none">;
  m8: MemoryOf<"m8">;
  m16: MemoryOf<"m16">;
  m32: MemoryOf<"m32">;
  m64: MemoryOf<"m64">;
  m128: MemoryOf<"m128">;
  m256: MemoryOf<"m256">;
  m512: MemoryOf<"m512">;
  m: Memory<"m", "none">;
  mem: MemoryOf<"m8" | "m16" | "m32" | "m64" | "m128" | "m256" | "m512">;
  vmx: Memory<"vmx", "none">;
  vmy: Memory<"vmy", "none">;
  vmz: Memory<"vmz", "none">;
  imm8: Immediate;
  imm16: Immediate;
  imm32: Immediate;
  imm64: Immediate;
  simm8: Immediate;
  simm32: Immediate;
  1: Immediate;
  rel8: Label;
  rel32: Label;
  symbol: LibrarySymbol;
  er: Rounding;
  sae: Suppress;
  vex: Vex;
}

/** What a word that stands for several lengths takes at one of them. */
interface Lengths {
  x: Vectors<"xmm", "m128", "xmm", "m64", "m32", "m16", "vmx", "vmx">;
  y: Vectors<"ymm", "m256", "xmm", "m128", "m64", "m32", "vmy", "vmx">;
  z: Vectors<"zmm", "m512", "ymm", "m256", "m128", "m64", "vmz", "vmy">;
  w: Registers<"r16", "m16", "ax">;
  d: Registers<"r32", "m32", "eax">;
  q: Registers<"r64", "m64", "rax">;
  "": Record<never, never>;
}

interface Vectors<V, MV, H, MH, MQ, ME, VMV, VMH> {
  V: V;
  mV: MV;
  H: H;
  mH: MH;
  Q: "xmm";
  mQ: MQ;
  E: "xmm";
  mE: ME;
  vmV: VMV;
  vmH: VMH;
}

interface Registers<R, MR, AR> {
  R: R;
  D: R;
  mR: MR;
  mD: MR;
  AR: AR;
  immR: "imm32";
}

type Length = keyof Lengths;

type Word<W extends string, L extends Length> = W extends keyof Words ? Words[W]
  : W extends keyof Lengths[L] ? Lengths[L][W] extends infer F extends keyof Words ? Words[F] : never
  : never;

type OneOf<Words extends string, L extends Length> = Words extends `${infer Before}/b${infer Bits}`
  ? OneOf<Before, L> | Memory<"bcst", "none", 0 | Lanes<Before, `b${Bits}`, L>>
  : Words extends `${infer First}/${infer Rest}` ? Word<First, L> | OneOf<Rest, L>
  : Word<Words, L>;

/** How many elements fill the memory that stands before them. */
interface LaneCounts {
  m64: { b32: 2; b64: never };
  m128: { b32: 4; b64: 2 };
  m256: { b32: 8; b64: 4 };
  m512: { b32: 16; b64: 8 };
}

type Lanes<Before extends string, B extends string, L extends Length> = Before extends
  `${string}/m${infer Size}`
  ? (`m${Size}` extends keyof Lengths[L] ? Lengths[L][`m${Size}`] : `m${Size}`) extends
    infer M extends keyof LaneCounts ? B extends keyof LaneCounts[M] ? LaneCounts[M][B] : never
  : never
  : never;

/** The same operand under a mask. */
type Under<T, Z extends "k" | "z"> = T extends Vector<infer K, "none"> ? Vector<K, Z>
  : T extends Memory<infer K, "none"> ? Memory<K, "k">
  : T extends Mask<"none"> ? Mask<"k">
  : never;

type Operand<W extends string, L extends Length> = W extends `${infer Words}{kz}`
  ? OneOf<Words, L> | Under<OneOf<Words, L>, "k" | "z">
  : W extends `${infer Words}{k}` ? OneOf<Words, L> | Under<OneOf<Words, L>, "k">
  : W extends `${infer Words}{k!}` ? Under<OneOf<Words, L>, "k">
  : W extends "{vex}" ? Vex
  : OneOf<W, L>;

type Operands<S extends string, L extends Length> = S extends "" ? []
  : S extends `${infer First}, ${infer Rest}` ? [Operand<First, L>, ...Operands<Rest, L>]
  : [Operand<S, L>];

type WithoutMemory<S extends string> = S extends `${infer Before}/m${string}` ? Before : S;

/** With what may follow an operand, and without. */
type Rounded<S extends string, L extends Length> = S extends `${infer Before}{er}${infer After}`
  ? Operands<`${Before}${After}`, L> | Exact<`${WithoutMemory<Before>}, er${After}`, L>
  : S extends `${infer Before}{sae}${infer After}`
    ? Operands<`${Before}${After}`, L> | Exact<`${WithoutMemory<Before>}, sae${After}`, L>
  : Operands<S, L>;

/** Vectors round at their full length alone. */
type Exact<S extends string, L extends Length> = L extends "x" | "y" ? never : Operands<S, L>;

type VectorLengths<Rest extends string> = Rest extends `${string} | -,-,${string}` ? "z"
  : Rest extends `${string} | -,${string}` ? "y" | LongLength<Rest>
  : "x" | "y" | LongLength<Rest>;

type LongLength<Rest extends string> = Rest extends `${string}EVEX.${string}` ? "z" : never;

type EachLength<S extends string, L extends Length> = L extends Length ? Rounded<S, L> : never;

type Form<F extends string> = F extends `${infer S} | ${infer Rest}`
  ? Rest extends `${string}EX.V.${string}` ? EachLength<S, VectorLengths<Rest>>
  : ` ${S}` extends `${string}${" " | "m" | "/" | "A"}R${string}` ? EachLength<S, "w" | "d" | "q">
  : ` ${S}` extends `${string}${" " | "m" | "/"}D${string}` ? EachLength<S, "d" | "q">
  : Rounded<S, "">
  : never;

/** The methods of a table: each mnemonic takes the operands of any of its forms. */
export type Methods<T extends Table> = {
  [Mnemonic in keyof T]: (...operands: Form<T[Mnemonic][number]>) => void;
};
