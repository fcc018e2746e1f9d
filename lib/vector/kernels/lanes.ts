/**
 * What kernels for AVX2 and for AVX-512 have in common: an assembler that knows how long its vectors are, and
 * how to read and write less than one without touching what lies behind.
 */
import {
  Assembler,
  broadcast,
  type Gpr,
  type Immediate,
  k1,
  type Memory,
  type Operand,
  ptr,
  r11,
  rax,
  type Term,
  type Vector,
  xmm,
  ymm,
  zmm,
} from "../../jit/mod.ts";

/** The levels that there are kernels for. */
export type KernelLevel = "avx2" | "avx512";

export type Register = Vector<"xmm" | "ymm" | "zmm", "none">;
export type Place = Memory<"m", "none">;

/** A constant in each lane: a register, or memory for the operand that may be. */
export type Constant = Register | Memory<"m" | "bcst", "none">;

/** Where AVX2 keeps the mask of a tail. AVX-512 has it in k1. */
const MASK = 15;

export class Lanes {
  readonly a: Assembler = new Assembler();
  readonly level: KernelLevel;
  /** Of a vector. */
  readonly bytes: 32 | 64;
  /** Elements of 32 bits in a vector. */
  readonly count: 8 | 16;
  /** Registers from 0 up to this one are free; the constants come from its end. */
  readonly free: number;

  constructor(level: KernelLevel) {
    this.level = level;
    [this.bytes, this.count, this.free] = level === "avx512" ? [64, 16, 32] : [32, 8, MASK];
  }

  v(index: number): Register {
    return this.level === "avx512" ? zmm(index) : ymm(index);
  }

  /** The lower half of a vector. */
  half(index: number): Register {
    return this.level === "avx512" ? ymm(index) : xmm(index);
  }

  /** An instruction on vectors of whichever length. */
  op(mnemonic: string, ...operands: (Operand | Immediate)[]): void {
    this.a.emit(mnemonic, ...operands);
  }

  zero(register: Register): void {
    if (this.level === "avx512") this.op("vpxord", register, register, register);
    else this.op("vpxor", register, register, register);
  }

  copy(to: Register, from: Register): void {
    this.op("vmovaps", to, from);
  }

  load(to: Register, from: Place): void {
    this.op("vmovups", to, from);
  }

  store(to: Place, from: Register): void {
    this.op("vmovups", to, from);
  }

  /**
   * Each value in all lanes: as a float32, or as the bits that a bigint is. The first ones are in registers
   * from `first` on, as far as there are any.
   */
  constants<Name extends string>(
    first: number,
    values: Readonly<Record<Name, number | bigint>>,
  ): Record<Name, Constant>;
  constants(first: number, values: Readonly<Record<string, number | bigint>>): Record<string, Constant> {
    return Object.fromEntries(
      Object.entries(values).map(([name, value], i) => [name, this.#constant(value, first + i)]),
    );
  }

  #constant(value: number | bigint, register: number): Constant {
    const bytes = typeof value === "bigint" ? Uint32Array.of(Number(value)) : Float32Array.of(value);
    if (register < this.free) {
      this.op("vbroadcastss", this.v(register), ptr(this.a.constant(bytes, 4)));
      return this.v(register);
    }
    if (this.level === "avx512") return broadcast(this.a.constant(bytes, 4));
    const lanes = typeof value === "bigint"
      ? new Uint32Array(this.count).fill(Number(value))
      : new Float32Array(this.count).fill(value);
    return ptr(this.a.constant(lanes, this.bytes));
  }

  /** Sets the mask of a tail to `length` lanes, fewer than there are. Changes `rax` and `r11`. */
  maskTail(length: Gpr<"r64">): void {
    const { a } = this;
    if (this.level === "avx512") {
      a.mov(rax, -1);
      a.bzhi(rax, rax, length);
      a.kmovq(k1, rax);
      return;
    }
    const table = a.constant(new Int32Array(16).fill(-1, 0, 8), 32);
    a.lea(rax, ptr(table, 32));
    a.mov(r11, length);
    a.neg(r11);
    this.op("vmovdqu", this.v(MASK), ptr(rax, r11.times(4)));
  }

  /** The lanes of the tail; 0 in the others. */
  loadTail(to: Register, from: Place): void {
    if (this.level === "avx512") this.op("vmovups", to.z(k1), from);
    else this.op("vmaskmovps", to, this.v(MASK), from);
  }

  /** The lanes of the tail; those of `other` in the others. */
  loadTailOr(to: Register, from: Place, other: Register): void {
    if (this.level === "avx512") {
      this.copy(to, other);
      this.op("vmovups", to.k(k1), from);
    } else {
      this.op("vmaskmovps", to, this.v(MASK), from);
      this.op("vblendvps", to, other, to, this.v(MASK));
    }
  }

  storeTail(to: Place, from: Register): void {
    if (this.level === "avx512") this.op("vmovups", to.k(k1), from);
    else this.op("vmaskmovps", to, this.v(MASK), from);
  }

  /** Makes the lanes outside the tail 0. */
  clearOutsideTail(register: Register): void {
    if (this.level === "avx512") this.op("vmovaps", register.z(k1), register);
    else this.op("vandps", register, register, this.v(MASK));
  }

  /** The lanes of `from`, in double precision: the lower half to one register, the upper to the other. */
  widen(low: Register, high: Register, from: number): void {
    this.op(this.level === "avx512" ? "vextractf32x8" : "vextractf128", this.half(high.id), this.v(from), 1);
    this.op("vcvtps2pd", low, this.half(from));
    this.op("vcvtps2pd", high, this.half(high.id));
  }

  /** Combines all lanes of a register into the lowest. Changes `other`. */
  fold(mnemonic: string, register: number, other: number): void {
    const fold = (r: typeof xmm | typeof ymm): void => this.op(mnemonic, r(register), r(register), r(other));
    if (this.level === "avx512") {
      this.op("vextractf64x4", ymm(other), zmm(register), 1);
      fold(ymm);
    }
    this.op("vextractf128", xmm(other), ymm(register), 1);
    fold(xmm);
    this.op("vpermilpd", xmm(other), xmm(register), 1);
    fold(xmm);
    if (/(?:pd|q)$/.test(mnemonic)) return;
    this.op("vpshufd", xmm(other), xmm(register), 1);
    fold(xmm);
  }

  /** Leaves the sum of the double precision numbers in two registers in the lowest lane of the first. */
  foldTotal(low: Register, high: Register): void {
    this.op("vaddpd", low, low, high);
    this.fold("vaddpd", low.id, high.id);
  }

  return(): void {
    this.a.vzeroupper();
    this.a.ret();
  }
}

/** Bytes from `base` on, of elements of four bytes from the `index`-th. */
export function at(base: Gpr<"r64">, index: Gpr<"r64">, ...more: Term[]): Place {
  return ptr(base, index.times(4), ...more);
}
