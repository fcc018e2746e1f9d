/** The registers of x86-64, each a value with a type of its own. */
import { described } from "./described.ts";
import { code, type GprKind, type VectorKind } from "./kinds.ts";

export type Scale = 1 | 2 | 4 | 8;

/** Whether a destination is masked: not, merging (`{k1}`), or zeroing (`{k1}{z}`). */
export type Masking = "none" | "k" | "z";

/** Registers that are asked for by number are those of a table. */
function numbered<R>(registers: readonly R[], name: string, index: number): R {
  const register = Number.isInteger(index) ? registers[index] : undefined;
  if (register === undefined) throw new RangeError(`there is no register ${name}${index}`);
  return register;
}

function log2(scale: Scale): number {
  switch (scale) {
    case 1:
      return 0;
    case 2:
      return 1;
    case 4:
      return 2;
    case 8:
      return 3;
    default:
      throw new RangeError(`a scale is 1, 2, 4 or 8, and not ${scale}`);
  }
}

/** A register times a scale, as a term of an address. */
export class Index<K extends "r64" | VectorKind = "r64" | VectorKind> {
  readonly kind: K;
  readonly id: number;
  /** The scale is 2 to this. */
  readonly shift: number;
  readonly name: string;

  constructor(kind: K, id: number, name: string, scale: Scale) {
    this.kind = kind;
    this.id = id;
    this.shift = log2(scale);
    this.name = name;
  }

  toString(): string {
    return `${this.name}*${1 << this.shift}`;
  }
}

/** A general register, of 8 to 64 bits. */
export class Gpr<K extends GprKind = GprKind, Name extends string = string> {
  readonly kind: K;
  readonly code: number;
  readonly id: number;
  readonly masking = "none";
  readonly mask = 0;
  readonly name: Name;
  /** Without a REX prefix `spl` would read as `ah`, and with one `ah` would read as `spl`. */
  readonly rex: "any" | "needed" | "forbidden";

  constructor(kind: K, id: number, name: Name, rex: "any" | "needed" | "forbidden" = "any") {
    this.kind = kind;
    this.code = code[kind];
    this.id = id;
    this.name = name;
    this.rex = rex;
  }

  /** As the index of an address: `ptr(rsi, rcx.times(4))`. Throws for `rsp`, which can be none. */
  times(this: Gpr<"r64">, scale: Scale): Index<"r64"> {
    if (this.id === 4) throw new RangeError("rsp cannot be an index");
    return new Index("r64", this.id, this.name, scale);
  }

  toString(): string {
    return this.name;
  }
}

/** A mask register, `k0` to `k7`. */
export class Mask<M extends Masking = Masking> {
  readonly kind = "k";
  readonly code: number = code.k;
  readonly id: number;
  readonly masking: M;
  /** The number of the mask that the destination is under, or 0. */
  readonly mask: number;

  constructor(id: number, masking: M, mask: number) {
    this.id = id;
    this.masking = masking;
    this.mask = mask;
  }

  /** As a destination under a mask: `k1{k2}`. */
  k(this: Mask<"none">, mask: Mask<"none">): Mask<"k"> {
    return new Mask(this.id, "k", Mask.over(this, mask));
  }

  /** The number of a mask over an operand. Throws for `k0`, which means none, and where there is a mask already. */
  static over(operand: { readonly mask: number }, mask: Mask<"none">): number {
    if (!(mask instanceof Mask) || mask.mask !== 0) {
      throw new TypeError(`an operand is masked by one of k1 to k7, and not by ${described(mask)}`);
    }
    if (operand.mask !== 0) throw new TypeError(`${operand} is under a mask already: it takes no ${mask}`);
    if (mask.id === 0) throw new RangeError("k0 cannot mask: its number says that there is no mask");
    return mask.id;
  }

  toString(): string {
    return this.mask === 0 ? `k${this.id}` : `k${this.id}{k${this.mask}}`;
  }
}

/** A vector register. */
export class Vector<K extends VectorKind = VectorKind, M extends Masking = Masking> {
  readonly kind: K;
  readonly code: number;
  readonly id: number;
  readonly masking: M;
  /** The number of the mask that the destination is under, or 0. */
  readonly mask: number;

  constructor(kind: K, id: number, masking: M, mask: number) {
    this.kind = kind;
    this.code = code[kind];
    this.id = id;
    this.masking = masking;
    this.mask = mask;
  }

  /** As a destination whose lanes outside the mask stay: `zmm1{k2}`. */
  k(this: Vector<K, "none">, mask: Mask<"none">): Vector<K, "k"> {
    return new Vector(this.kind, this.id, "k", Mask.over(this, mask));
  }

  /** As a destination whose lanes outside the mask become 0: `zmm1{k2}{z}`. */
  z(this: Vector<K, "none">, mask: Mask<"none">): Vector<K, "z"> {
    return new Vector(this.kind, this.id, "z", Mask.over(this, mask));
  }

  /** As the index of a gather or scatter: `ptr(rsi, zmm(1).times(4))`. */
  times(this: Vector<K, "none">, scale: Scale): Index<K> {
    if (this.mask !== 0) throw new TypeError(`an index is under no mask, and this is ${this}`);
    return new Index(this.kind, this.id, `${this.kind}${this.id}`, scale);
  }

  toString(): string {
    const mask = this.mask === 0 ? "" : `{k${this.mask}}`;
    return `${this.kind}${this.id}${mask}${this.masking === "z" ? "{z}" : ""}`;
  }
}

export type Xmm = Vector<"xmm", "none">;
export type Ymm = Vector<"ymm", "none">;
export type Zmm = Vector<"zmm", "none">;

function vectors<K extends VectorKind>(kind: K): readonly Vector<K, "none">[] {
  return Array.from({ length: 32 }, (_, id) => new Vector(kind, id, "none", 0));
}

const xmms = vectors("xmm");
const ymms = vectors("ymm");
const zmms = vectors("zmm");

/** The 128-bit register of that number, 0 to 31; from 16 on it needs AVX-512. */
export function xmm(index: number): Xmm {
  return numbered(xmms, "xmm", index);
}

/** The 256-bit register of that number, 0 to 31; from 16 on it needs AVX-512. */
export function ymm(index: number): Ymm {
  return numbered(ymms, "ymm", index);
}

/** The 512-bit register of that number, 0 to 31. */
export function zmm(index: number): Zmm {
  return numbered(zmms, "zmm", index);
}

export const k0: Mask<"none"> = new Mask(0, "none", 0);
export const k1: Mask<"none"> = new Mask(1, "none", 0);
export const k2: Mask<"none"> = new Mask(2, "none", 0);
export const k3: Mask<"none"> = new Mask(3, "none", 0);
export const k4: Mask<"none"> = new Mask(4, "none", 0);
export const k5: Mask<"none"> = new Mask(5, "none", 0);
export const k6: Mask<"none"> = new Mask(6, "none", 0);
export const k7: Mask<"none"> = new Mask(7, "none", 0);

export const rax: Gpr<"r64", "rax"> = new Gpr("r64", 0, "rax");
export const rcx: Gpr<"r64"> = new Gpr("r64", 1, "rcx");
export const rdx: Gpr<"r64"> = new Gpr("r64", 2, "rdx");
export const rbx: Gpr<"r64"> = new Gpr("r64", 3, "rbx");
export const rsp: Gpr<"r64"> = new Gpr("r64", 4, "rsp");
export const rbp: Gpr<"r64"> = new Gpr("r64", 5, "rbp");
export const rsi: Gpr<"r64"> = new Gpr("r64", 6, "rsi");
export const rdi: Gpr<"r64"> = new Gpr("r64", 7, "rdi");
export const r8: Gpr<"r64"> = new Gpr("r64", 8, "r8");
export const r9: Gpr<"r64"> = new Gpr("r64", 9, "r9");
export const r10: Gpr<"r64"> = new Gpr("r64", 10, "r10");
export const r11: Gpr<"r64"> = new Gpr("r64", 11, "r11");
export const r12: Gpr<"r64"> = new Gpr("r64", 12, "r12");
export const r13: Gpr<"r64"> = new Gpr("r64", 13, "r13");
export const r14: Gpr<"r64"> = new Gpr("r64", 14, "r14");
export const r15: Gpr<"r64"> = new Gpr("r64", 15, "r15");

export const eax: Gpr<"r32", "eax"> = new Gpr("r32", 0, "eax");
export const ecx: Gpr<"r32"> = new Gpr("r32", 1, "ecx");
export const edx: Gpr<"r32"> = new Gpr("r32", 2, "edx");
export const ebx: Gpr<"r32"> = new Gpr("r32", 3, "ebx");
export const esp: Gpr<"r32"> = new Gpr("r32", 4, "esp");
export const ebp: Gpr<"r32"> = new Gpr("r32", 5, "ebp");
export const esi: Gpr<"r32"> = new Gpr("r32", 6, "esi");
export const edi: Gpr<"r32"> = new Gpr("r32", 7, "edi");
export const r8d: Gpr<"r32"> = new Gpr("r32", 8, "r8d");
export const r9d: Gpr<"r32"> = new Gpr("r32", 9, "r9d");
export const r10d: Gpr<"r32"> = new Gpr("r32", 10, "r10d");
export const r11d: Gpr<"r32"> = new Gpr("r32", 11, "r11d");
export const r12d: Gpr<"r32"> = new Gpr("r32", 12, "r12d");
export const r13d: Gpr<"r32"> = new Gpr("r32", 13, "r13d");
export const r14d: Gpr<"r32"> = new Gpr("r32", 14, "r14d");
export const r15d: Gpr<"r32"> = new Gpr("r32", 15, "r15d");

export const ax: Gpr<"r16", "ax"> = new Gpr("r16", 0, "ax");
export const cx: Gpr<"r16"> = new Gpr("r16", 1, "cx");
export const dx: Gpr<"r16", "dx"> = new Gpr("r16", 2, "dx");
export const bx: Gpr<"r16"> = new Gpr("r16", 3, "bx");
export const sp: Gpr<"r16"> = new Gpr("r16", 4, "sp");
export const bp: Gpr<"r16"> = new Gpr("r16", 5, "bp");
export const si: Gpr<"r16"> = new Gpr("r16", 6, "si");
export const di: Gpr<"r16"> = new Gpr("r16", 7, "di");
export const r8w: Gpr<"r16"> = new Gpr("r16", 8, "r8w");
export const r9w: Gpr<"r16"> = new Gpr("r16", 9, "r9w");
export const r10w: Gpr<"r16"> = new Gpr("r16", 10, "r10w");
export const r11w: Gpr<"r16"> = new Gpr("r16", 11, "r11w");
export const r12w: Gpr<"r16"> = new Gpr("r16", 12, "r12w");
export const r13w: Gpr<"r16"> = new Gpr("r16", 13, "r13w");
export const r14w: Gpr<"r16"> = new Gpr("r16", 14, "r14w");
export const r15w: Gpr<"r16"> = new Gpr("r16", 15, "r15w");

export const al: Gpr<"r8", "al"> = new Gpr("r8", 0, "al");
export const cl: Gpr<"r8", "cl"> = new Gpr("r8", 1, "cl");
export const dl: Gpr<"r8"> = new Gpr("r8", 2, "dl");
export const bl: Gpr<"r8"> = new Gpr("r8", 3, "bl");
export const spl: Gpr<"r8"> = new Gpr("r8", 4, "spl", "needed");
export const bpl: Gpr<"r8"> = new Gpr("r8", 5, "bpl", "needed");
export const sil: Gpr<"r8"> = new Gpr("r8", 6, "sil", "needed");
export const dil: Gpr<"r8"> = new Gpr("r8", 7, "dil", "needed");
export const r8b: Gpr<"r8"> = new Gpr("r8", 8, "r8b");
export const r9b: Gpr<"r8"> = new Gpr("r8", 9, "r9b");
export const r10b: Gpr<"r8"> = new Gpr("r8", 10, "r10b");
export const r11b: Gpr<"r8"> = new Gpr("r8", 11, "r11b");
export const r12b: Gpr<"r8"> = new Gpr("r8", 12, "r12b");
export const r13b: Gpr<"r8"> = new Gpr("r8", 13, "r13b");
export const r14b: Gpr<"r8"> = new Gpr("r8", 14, "r14b");
export const r15b: Gpr<"r8"> = new Gpr("r8", 15, "r15b");

export const ah: Gpr<"r8"> = new Gpr("r8", 4, "ah", "forbidden");
export const ch: Gpr<"r8"> = new Gpr("r8", 5, "ch", "forbidden");
export const dh: Gpr<"r8"> = new Gpr("r8", 6, "dh", "forbidden");
export const bh: Gpr<"r8"> = new Gpr("r8", 7, "bh", "forbidden");
