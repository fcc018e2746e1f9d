/** The registers of x86-64, each a value with a type of its own. */
import { described } from "./described.ts";
import { code, type GprKind, type VectorKind } from "./kinds.ts";

/** What an index may be multiplied by. */
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

/** A register of 128 bits, under no mask. */
export type Xmm = Vector<"xmm", "none">;
/** A register of 256 bits, under no mask. */
export type Ymm = Vector<"ymm", "none">;
/** A register of 512 bits, under no mask. */
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

/** The mask registers. All but `k0` can stand over a destination: `zmm(1).k(k1)`. */
export const k0: Mask<"none"> = new Mask(0, "none", 0),
  k1: Mask<"none"> = new Mask(1, "none", 0),
  k2: Mask<"none"> = new Mask(2, "none", 0),
  k3: Mask<"none"> = new Mask(3, "none", 0),
  k4: Mask<"none"> = new Mask(4, "none", 0),
  k5: Mask<"none"> = new Mask(5, "none", 0),
  k6: Mask<"none"> = new Mask(6, "none", 0),
  k7: Mask<"none"> = new Mask(7, "none", 0);

/** The general registers of 64 bits. */
export const rax: Gpr<"r64", "rax"> = new Gpr("r64", 0, "rax"),
  rcx: Gpr<"r64"> = new Gpr("r64", 1, "rcx"),
  rdx: Gpr<"r64"> = new Gpr("r64", 2, "rdx"),
  rbx: Gpr<"r64"> = new Gpr("r64", 3, "rbx"),
  rsp: Gpr<"r64"> = new Gpr("r64", 4, "rsp"),
  rbp: Gpr<"r64"> = new Gpr("r64", 5, "rbp"),
  rsi: Gpr<"r64"> = new Gpr("r64", 6, "rsi"),
  rdi: Gpr<"r64"> = new Gpr("r64", 7, "rdi"),
  r8: Gpr<"r64"> = new Gpr("r64", 8, "r8"),
  r9: Gpr<"r64"> = new Gpr("r64", 9, "r9"),
  r10: Gpr<"r64"> = new Gpr("r64", 10, "r10"),
  r11: Gpr<"r64"> = new Gpr("r64", 11, "r11"),
  r12: Gpr<"r64"> = new Gpr("r64", 12, "r12"),
  r13: Gpr<"r64"> = new Gpr("r64", 13, "r13"),
  r14: Gpr<"r64"> = new Gpr("r64", 14, "r14"),
  r15: Gpr<"r64"> = new Gpr("r64", 15, "r15");

/** Their lower 32 bits: to write these clears the upper 32. */
export const eax: Gpr<"r32", "eax"> = new Gpr("r32", 0, "eax"),
  ecx: Gpr<"r32"> = new Gpr("r32", 1, "ecx"),
  edx: Gpr<"r32"> = new Gpr("r32", 2, "edx"),
  ebx: Gpr<"r32"> = new Gpr("r32", 3, "ebx"),
  esp: Gpr<"r32"> = new Gpr("r32", 4, "esp"),
  ebp: Gpr<"r32"> = new Gpr("r32", 5, "ebp"),
  esi: Gpr<"r32"> = new Gpr("r32", 6, "esi"),
  edi: Gpr<"r32"> = new Gpr("r32", 7, "edi"),
  r8d: Gpr<"r32"> = new Gpr("r32", 8, "r8d"),
  r9d: Gpr<"r32"> = new Gpr("r32", 9, "r9d"),
  r10d: Gpr<"r32"> = new Gpr("r32", 10, "r10d"),
  r11d: Gpr<"r32"> = new Gpr("r32", 11, "r11d"),
  r12d: Gpr<"r32"> = new Gpr("r32", 12, "r12d"),
  r13d: Gpr<"r32"> = new Gpr("r32", 13, "r13d"),
  r14d: Gpr<"r32"> = new Gpr("r32", 14, "r14d"),
  r15d: Gpr<"r32"> = new Gpr("r32", 15, "r15d");

/** Their lower 16 bits. */
export const ax: Gpr<"r16", "ax"> = new Gpr("r16", 0, "ax"),
  cx: Gpr<"r16"> = new Gpr("r16", 1, "cx"),
  dx: Gpr<"r16", "dx"> = new Gpr("r16", 2, "dx"),
  bx: Gpr<"r16"> = new Gpr("r16", 3, "bx"),
  sp: Gpr<"r16"> = new Gpr("r16", 4, "sp"),
  bp: Gpr<"r16"> = new Gpr("r16", 5, "bp"),
  si: Gpr<"r16"> = new Gpr("r16", 6, "si"),
  di: Gpr<"r16"> = new Gpr("r16", 7, "di"),
  r8w: Gpr<"r16"> = new Gpr("r16", 8, "r8w"),
  r9w: Gpr<"r16"> = new Gpr("r16", 9, "r9w"),
  r10w: Gpr<"r16"> = new Gpr("r16", 10, "r10w"),
  r11w: Gpr<"r16"> = new Gpr("r16", 11, "r11w"),
  r12w: Gpr<"r16"> = new Gpr("r16", 12, "r12w"),
  r13w: Gpr<"r16"> = new Gpr("r16", 13, "r13w"),
  r14w: Gpr<"r16"> = new Gpr("r16", 14, "r14w"),
  r15w: Gpr<"r16"> = new Gpr("r16", 15, "r15w");

/** Their lowest 8 bits. */
export const al: Gpr<"r8", "al"> = new Gpr("r8", 0, "al"),
  cl: Gpr<"r8", "cl"> = new Gpr("r8", 1, "cl"),
  dl: Gpr<"r8"> = new Gpr("r8", 2, "dl"),
  bl: Gpr<"r8"> = new Gpr("r8", 3, "bl"),
  spl: Gpr<"r8"> = new Gpr("r8", 4, "spl", "needed"),
  bpl: Gpr<"r8"> = new Gpr("r8", 5, "bpl", "needed"),
  sil: Gpr<"r8"> = new Gpr("r8", 6, "sil", "needed"),
  dil: Gpr<"r8"> = new Gpr("r8", 7, "dil", "needed"),
  r8b: Gpr<"r8"> = new Gpr("r8", 8, "r8b"),
  r9b: Gpr<"r8"> = new Gpr("r8", 9, "r9b"),
  r10b: Gpr<"r8"> = new Gpr("r8", 10, "r10b"),
  r11b: Gpr<"r8"> = new Gpr("r8", 11, "r11b"),
  r12b: Gpr<"r8"> = new Gpr("r8", 12, "r12b"),
  r13b: Gpr<"r8"> = new Gpr("r8", 13, "r13b"),
  r14b: Gpr<"r8"> = new Gpr("r8", 14, "r14b"),
  r15b: Gpr<"r8"> = new Gpr("r8", 15, "r15b");

/** The second 8 bits of the first four, which stand beside nothing that needs a REX prefix. */
export const ah: Gpr<"r8"> = new Gpr("r8", 4, "ah", "forbidden"),
  ch: Gpr<"r8"> = new Gpr("r8", 5, "ch", "forbidden"),
  dh: Gpr<"r8"> = new Gpr("r8", 6, "dh", "forbidden"),
  bh: Gpr<"r8"> = new Gpr("r8", 7, "bh", "forbidden");
