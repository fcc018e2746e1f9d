/**
 * The parts of ELF64 that a shared object is made of: its numbers, string tables, hash table, section list.
 *
 * Source: the System V ABI, chapters 4 and 5, and its AMD64 supplement.
 */

export const PAGE = 4096;

export const EHDR_BYTES = 64;
export const PHDR_BYTES = 56;
export const SHDR_BYTES = 64;
export const SYMBOL_BYTES = 24;
export const RELA_BYTES = 24;
export const DYNAMIC_BYTES = 16;

/** Types of segments. */
export const PT = { LOAD: 1, DYNAMIC: 2, GNU_STACK: 0x6474e551, GNU_RELRO: 0x6474e552 } as const;
/** Flags of segments. */
export const PF = { X: 1, W: 2, R: 4 } as const;
/** Types of sections. */
export const SHT = {
  PROGBITS: 1,
  STRTAB: 3,
  RELA: 4,
  HASH: 5,
  DYNAMIC: 6,
  NOBITS: 8,
  DYNSYM: 11,
} as const;
/** Flags of sections. */
export const SHF = { WRITE: 1, ALLOC: 2, EXECINSTR: 4 } as const;
/** Types of symbols. */
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2 } as const;
/** Tags of the dynamic section. */
export const DT = {
  NULL: 0,
  NEEDED: 1,
  HASH: 4,
  STRTAB: 5,
  SYMTAB: 6,
  RELA: 7,
  RELASZ: 8,
  RELAENT: 9,
  STRSZ: 10,
  SYMENT: 11,
  SONAME: 14,
  FLAGS: 30,
} as const;
/** Relocations that the loader makes. */
export const R_X86_64 = { GLOB_DAT: 6, RELATIVE: 8 } as const;

export function alignUp(offset: number, align: number): number {
  return Math.ceil(offset / align) * align;
}

/** A string table: each string once. */
export class Strings {
  #offsets = new Map<string, number>([["", 0]]);
  #text = "\0";

  offsetOf(text: string): number {
    let offset = this.#offsets.get(text);
    if (offset === undefined) {
      offset = this.#text.length;
      this.#offsets.set(text, offset);
      this.#text += `${text}\0`;
    }
    return offset;
  }

  get bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}

/** A stretch of the file and of memory, at the same place in both, with what its header says. */
export interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly align: number;
  readonly size: number;
  readonly entrySize?: number;
  /** The section that `sh_link` means. */
  readonly link?: string;
  /** `sh_info`: of symbols, the index of the first that is global. */
  readonly info?: number;
  readonly address: number;
}

/** Lays sections one behind another. One without bytes is left out of the headers. */
export class Sections {
  readonly list: Section[] = [];
  readonly names: Strings = new Strings();
  #end: number;

  constructor(start: number) {
    this.#end = start;
  }

  add(section: Omit<Section, "address">): Section {
    const address = alignUp(this.#end, section.align);
    const placed = { ...section, address };
    if (section.size === 0) return placed;
    this.list.push(placed);
    this.names.offsetOf(section.name);
    // What has no bytes in the file comes last in memory, and what follows in the file is not mapped.
    if (section.type !== SHT.NOBITS) this.#end = address + section.size;
    return placed;
  }

  /** Goes on at the next page: what follows is another segment's. */
  startPage(): void {
    this.#end = alignUp(this.#end, PAGE);
  }

  /** Adds the section of the names, and gives the place of the headers, which end the file. */
  finish(): number {
    const name = ".shstrtab";
    this.names.offsetOf(name);
    this.add({ name, type: SHT.STRTAB, flags: 0, align: 1, size: this.names.bytes.length });
    return alignUp(this.#end, 8);
  }

  /** A section's number in the headers, of which the first is none: 0 where there is no such section. */
  indexOf(name: string | undefined): number {
    return 1 + this.list.findIndex((section) => section.name === name);
  }
}

/** The hash of the ABI's symbol tables, of an ASCII name. */
function hashOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) {
    hash = (hash << 4) + name.charCodeAt(i);
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

/** DT_HASH over the symbols, of which the first is none. */
export function hashTable(names: readonly string[]): Uint32Array {
  const buckets = names.length;
  const table = new Uint32Array(2 + buckets + names.length);
  table.set([buckets, names.length]);
  for (let i = 1; i < names.length; i++) {
    const bucket = 2 + hashOf(names[i]) % buckets;
    table[2 + buckets + i] = table[bucket];
    table[bucket] = i;
  }
  return table;
}

/** Writes the fields of ELF's tables, one after another. */
export class Writer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  at(offset: number): this {
    this.#at = offset;
    return this;
  }

  u8(...values: number[]): this {
    for (const value of values) this.#view.setUint8(this.#at++, value);
    return this;
  }

  u16(...values: number[]): this {
    for (const value of values) {
      this.#view.setUint16(this.#at, value, true);
      this.#at += 2;
    }
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) {
      this.#view.setUint32(this.#at, value, true);
      this.#at += 4;
    }
    return this;
  }

  u64(...values: number[]): this {
    for (const value of values) this.u32(value % 2 ** 32, Math.floor(value / 2 ** 32));
    return this;
  }

  /** Throws where the value does not fit: the image is larger than an instruction can reach over. */
  i32(value: number): this {
    if ((value | 0) !== value) throw new RangeError("cannot make a shared object of more than 2 GiB");
    this.#view.setInt32(this.#at, value, true);
    this.#at += 4;
    return this;
  }
}
