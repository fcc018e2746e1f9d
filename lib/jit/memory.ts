/** Memory operands: what lies at a sum of a base, a scaled index and a displacement. */
import { described } from "./described.ts";
import { code, type MemoryKind } from "./kinds.ts";
import { Gpr, Index, Mask, type Masking } from "./registers.ts";
import { Constant, Label, LibrarySymbol } from "./places.ts";

/** What an address is summed of. Labels, constants and symbols are relative to `rip` and go with numbers alone. */
export type Term = Gpr<"r64"> | Index<"r64"> | number | Label | Constant | LibrarySymbol;

const sizes: Readonly<Record<MemoryKind, string>> = {
  m: "",
  m8: "byte ptr ",
  m16: "word ptr ",
  m32: "dword ptr ",
  m64: "qword ptr ",
  m128: "xmmword ptr ",
  m256: "ymmword ptr ",
  m512: "zmmword ptr ",
  bcst: "",
  vmx: "",
  vmy: "",
  vmz: "",
};

/** An address without its size. */
interface Address {
  /** The number of the base register, or -1. */
  base: number;
  baseName: string;
  index: Index | undefined;
  displacement: number;
  target: Label | Constant | LibrarySymbol | undefined;
  /** The prefix of the segment, or 0. */
  segment: number;
}

/** A memory operand. Made by `ptr` and its kin; it never changes. `L` is to how many lanes a broadcast goes. */
export class Memory<
  K extends MemoryKind = MemoryKind,
  M extends Masking = Masking,
  L extends number = number,
> {
  readonly kind: K;
  readonly code: number;
  readonly id = -1;
  readonly masking: M;
  /** The number of the mask that the destination is under, or 0. */
  readonly mask: number;
  /** Of a broadcast: how many lanes get the element, where that was said, or 0. */
  readonly lanes: L;
  /** The number of the base register, or -1. */
  readonly base: number;
  /** The number of the index register, or -1. */
  readonly index: number;
  /** The index is multiplied by 2 to this. */
  readonly shift: number;
  readonly displacement: number;
  /** What the address is relative to, if it is relative to `rip`. */
  readonly target: Label | Constant | LibrarySymbol | undefined;
  /** The prefix of the segment, or 0. */
  readonly segment: number;
  readonly #address: Address;

  constructor(kind: K, address: Address, masking: M, mask: number, lanes: L) {
    this.kind = kind;
    this.code = lanes === 0 ? code[kind] : code.bcstTo;
    this.masking = masking;
    this.mask = mask;
    this.lanes = lanes;
    this.base = address.base;
    this.index = address.index === undefined ? -1 : address.index.id;
    this.shift = address.index === undefined ? 0 : address.index.shift;
    this.displacement = address.displacement;
    this.target = address.target;
    this.segment = address.segment;
    this.#address = address;
  }

  /** As a destination whose lanes outside the mask stay, or a gather's source: `[rax]{k1}`. */
  k(this: Memory<K, "none", L>, mask: Mask<"none">): Memory<K, "k", L> {
    return new Memory(this.kind, this.#address, "k", Mask.over(this, mask), this.lanes);
  }

  /** Of a broadcast: to how many lanes, where the registers do not say it. */
  to<N extends 2 | 4 | 8 | 16>(this: Memory<"bcst", "none", 0>, lanes: N): Memory<"bcst", "none", N> {
    if (this.kind !== "bcst" || this.mask !== 0 || this.lanes !== 0) {
      throw new TypeError(
        `only a broadcast, unmasked, is said to go to ${lanes} lanes, and once: this is ${this}`,
      );
    }
    if (![2, 4, 8, 16].includes(lanes)) {
      throw new RangeError(`a broadcast goes to 2, 4, 8 or 16 lanes, and not to ${lanes}`);
    }
    return new Memory("bcst", this.#address, "none", 0, lanes);
  }

  /** Relative to the segment `fs`, where thread-local storage begins. */
  fs(): Memory<K, M, L> {
    return this.#relativeTo(0x64);
  }

  /** Relative to the segment `gs`. */
  gs(): Memory<K, M, L> {
    return this.#relativeTo(0x65);
  }

  #relativeTo(segment: number): Memory<K, M, L> {
    if (this.segment !== 0) throw new TypeError(`${this} is relative to a segment already`);
    return new Memory(this.kind, { ...this.#address, segment }, this.masking, this.mask, this.lanes);
  }

  toString(): string {
    const { baseName, index, displacement, target, segment } = this.#address;
    const terms = [];
    if (target !== undefined) terms.push("rip", String(target));
    if (baseName !== "") terms.push(baseName);
    if (index !== undefined) terms.push(String(index));
    const sum = terms.join("+");
    const sign = displacement < 0 ? "-" : terms.length > 0 ? "+" : "";
    const rest = displacement === 0 && terms.length > 0
      ? ""
      : `${sign}0x${Math.abs(displacement).toString(16)}`;
    const prefix = segment === 0 ? "" : segment === 0x64 ? "fs:" : "gs:";
    const lanes = this.kind === "bcst" ? `{1to${this.lanes || "N"}}` : "";
    const mask = this.mask === 0 ? "" : `{k${this.mask}}`;
    return `${sizes[this.kind]}${prefix}[${sum}${rest}]${lanes}${mask}`;
  }
}

function addressOf(terms: readonly (Term | Index)[]): Address {
  const sum: Address = {
    base: -1,
    baseName: "",
    index: undefined,
    displacement: 0,
    target: undefined,
    segment: 0,
  };
  for (const term of terms) addTerm(sum, term);
  if (!(Math.abs(sum.displacement + 0.5) < 2 ** 31)) {
    throw new RangeError(`the displacement ${sum.displacement} does not fit 32 bits`);
  }
  if (sum.target !== undefined && (sum.base !== -1 || sum.index !== undefined)) {
    throw new TypeError(`${sum.target} is relative to rip and takes no register beside it: lea it first`);
  }
  return sum;
}

function addTerm(sum: Address, term: Term | Index): void {
  if (typeof term === "number") {
    if (!Number.isInteger(term)) throw new RangeError(`the displacement ${term} is no integer`);
    sum.displacement += term;
  } else if (term instanceof Index) {
    if (sum.index !== undefined) throw new TypeError(`an address has one index: ${sum.index} or ${term}`);
    sum.index = term;
  } else if (term instanceof Gpr) {
    addRegister(sum, term);
  } else if (term instanceof Label || term instanceof Constant || term instanceof LibrarySymbol) {
    if (sum.target !== undefined) {
      throw new TypeError(`an address is relative to ${sum.target} or ${term}, not both`);
    }
    sum.target = term;
  } else {
    throw new TypeError(`${described(term)} is no term of an address`);
  }
}

function addRegister(sum: Address, register: Gpr): void {
  if (!is64(register)) throw new TypeError(`an address takes registers of 64 bits, and ${register} is none`);
  if (sum.base === -1) {
    sum.base = register.id;
    sum.baseName = register.name;
  } else if (sum.index !== undefined) {
    throw new TypeError(`an address takes a base and an index, and ${register} would be the third`);
  } else if (register.id === 4 && sum.base !== 4) {
    sum.index = new Index("r64", sum.base, sum.baseName, 1);
    sum.base = register.id;
    sum.baseName = register.name;
  } else {
    sum.index = register.times(1);
  }
}

function is64(register: Gpr): register is Gpr<"r64"> {
  return register.kind === "r64";
}

/**
 * What lies at the sum of the terms, of the size that the instruction's registers say:
 * `ptr(rsi, rcx.times(4), 64)` is `[rsi + rcx*4 + 64]`. With a vector as index it is what gathers and
 * scatters take. Relative to `rip` with a constant, a label, or a library's symbol, whose address lies there.
 *
 * Throws a TypeError or RangeError for a sum that is no address.
 */
export function ptr(...terms: Term[]): Memory<"m", "none">;
export function ptr(...terms: (Term | Index<"xmm">)[]): Memory<"vmx", "none">;
export function ptr(...terms: (Term | Index<"ymm">)[]): Memory<"vmy", "none">;
export function ptr(...terms: (Term | Index<"zmm">)[]): Memory<"vmz", "none">;
export function ptr(...terms: (Term | Index)[]): Memory<MemoryKind, "none"> {
  const address = addressOf(terms);
  switch (address.index?.kind) {
    case "xmm":
      return new Memory("vmx", address, "none", 0, 0);
    case "ymm":
      return new Memory("vmy", address, "none", 0, 0);
    case "zmm":
      return new Memory("vmz", address, "none", 0, 0);
    default:
      return new Memory("m", address, "none", 0, 0);
  }
}

function sized<K extends MemoryKind>(kind: K, terms: readonly Term[]): Memory<K, "none", 0> {
  return new Memory(kind, addressOf(terms), "none", 0, 0);
}

/** The 8 bits there. */
export function byte(...terms: Term[]): Memory<"m8", "none"> {
  return sized("m8", terms);
}

/** The 16 bits there. */
export function word(...terms: Term[]): Memory<"m16", "none"> {
  return sized("m16", terms);
}

/** The 32 bits there. */
export function dword(...terms: Term[]): Memory<"m32", "none"> {
  return sized("m32", terms);
}

/** The 64 bits there. */
export function qword(...terms: Term[]): Memory<"m64", "none"> {
  return sized("m64", terms);
}

/** The 128 bits there. */
export function xmmword(...terms: Term[]): Memory<"m128", "none"> {
  return sized("m128", terms);
}

/** The 256 bits there. */
export function ymmword(...terms: Term[]): Memory<"m256", "none"> {
  return sized("m256", terms);
}

/** The 512 bits there. */
export function zmmword(...terms: Term[]): Memory<"m512", "none"> {
  return sized("m512", terms);
}

/** One element there, for all lanes of the vector: AVX-512's `[rax]{1to16}`. */
export function broadcast(...terms: Term[]): Memory<"bcst", "none", 0> {
  return sized("bcst", terms);
}
