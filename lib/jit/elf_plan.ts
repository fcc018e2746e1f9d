import type { SharedObject } from "./elf.ts";
import {
  alignUp,
  DYNAMIC_BYTES,
  EHDR_BYTES,
  PHDR_BYTES,
  RELA_BYTES,
  type Section,
  Sections,
  SHF,
  SHT,
  Strings,
  SYMBOL_BYTES,
} from "./elf_format.ts";

const LINE = 64;
export const SLOT_BYTES = 8;

/** A segment each: headers and constants, code, data, and what the loader must know of the dynamic section, relocation and the stack. */
export const SEGMENTS = 6;

/** ASCII, since offsets of the string table count characters; and what a symbol table can hold. */
export function requireName(what: string, name: string): void {
  if (!/^[!-~]+$/.test(name)) {
    throw new TypeError(`cannot name ${what} ${JSON.stringify(name)}: use printable ASCII without spaces`);
  }
}

/** Where pieces of `sizes` lie, each at the next cache line, and how many bytes that takes. */
function stack(sizes: readonly number[]): { offsets: number[]; size: number } {
  let size = 0;
  const offsets = sizes.map((bytes) => {
    const offset = alignUp(size, LINE);
    size = offset + bytes;
    return offset;
  });
  return { offsets, size };
}

/** The names that the code refers to, in the order of their GOT slots, and where the process finds them. */
function slotsOf({ functions, memory = {} }: SharedObject): {
  own: string[];
  imports: string[];
  libraries: string[];
} {
  const names = new Set<string>();
  const libraries = new Set<string>();
  for (const { relocations } of Object.values(functions)) {
    for (const relocation of relocations) {
      if (relocation.kind !== "symbol") continue;
      requireName("a symbol", relocation.name);
      names.add(relocation.name);
      if (relocation.library === undefined) continue;
      requireName("a library", relocation.library);
      libraries.add(relocation.library);
    }
  }
  const isOwn = (name: string): boolean => Object.hasOwn(functions, name) || Object.hasOwn(memory, name);
  return {
    own: [...names].filter(isOwn),
    imports: [...names].filter((name) => !isOwn(name)),
    libraries: [...libraries],
  };
}

/** Everything's place, before a byte of it is written. */
export interface Plan {
  readonly strings: Strings;
  readonly sections: Sections;
  readonly hash: Section;
  readonly dynsym: Section;
  readonly dynstr: Section;
  readonly rela: Section;
  readonly rodata: Section;
  readonly text: Section;
  readonly dynamic: Section;
  readonly got: Section;
  readonly bss: Section;
  /** Where the section headers start. */
  readonly headers: number;
  /** Where the code, the constants and the memory of each lie in `text`, `rodata` and `bss`. */
  readonly texts: readonly number[];
  readonly constants: readonly number[];
  readonly cells: readonly number[];
  /** The names of the GOT's slots: those of this object come first. */
  readonly own: readonly string[];
  readonly imports: readonly string[];
  readonly libraries: readonly string[];
}

export function planOf(object: SharedObject): Plan {
  const { soname, functions, memory = {} } = object;
  const { own, imports, libraries } = slotsOf(object);
  const strings = new Strings();
  const names = [...Object.keys(functions), ...Object.keys(memory), ...imports];
  for (const name of [...names, ...libraries, soname ?? ""]) strings.offsetOf(name);
  const codes = Object.values(functions);
  const texts = stack(codes.map(({ text }) => text.length));
  const constants = stack(codes.map(({ rodata }) => rodata.length));
  const cells = stack(Object.values(memory));
  const symbols = 1 + names.length;
  const slots = own.length + imports.length;
  // Without what there may be none of: hash, symbols (2), strings (2), flags, the end.
  const tags = 7 + libraries.length + (soname === undefined ? 0 : 1) + (slots === 0 ? 0 : 3);

  const { ALLOC, EXECINSTR, WRITE } = SHF;
  const sections = new Sections(EHDR_BYTES + SEGMENTS * PHDR_BYTES);
  const add = (name: string, type: number, flags: number, align: number, size: number, rest = {}): Section =>
    sections.add({ name, type, flags, align, size, ...rest });
  const hash = add(".hash", SHT.HASH, ALLOC, 8, 4 * (2 + 2 * symbols), { link: ".dynsym", entrySize: 4 });
  const dynsym = add(".dynsym", SHT.DYNSYM, ALLOC, 8, symbols * SYMBOL_BYTES, {
    link: ".dynstr",
    info: 1,
    entrySize: SYMBOL_BYTES,
  });
  const dynstr = add(".dynstr", SHT.STRTAB, ALLOC, 1, strings.bytes.length);
  const rela = add(".rela.dyn", SHT.RELA, ALLOC, 8, slots * RELA_BYTES, {
    link: ".dynsym",
    entrySize: RELA_BYTES,
  });
  const rodata = add(".rodata", SHT.PROGBITS, ALLOC, LINE, constants.size);
  sections.startPage();
  const text = add(".text", SHT.PROGBITS, ALLOC | EXECINSTR, LINE, texts.size);
  sections.startPage();
  const dynamic = add(".dynamic", SHT.DYNAMIC, ALLOC | WRITE, 8, tags * DYNAMIC_BYTES, {
    link: ".dynstr",
    entrySize: DYNAMIC_BYTES,
  });
  const got = add(".got", SHT.PROGBITS, ALLOC | WRITE, 8, slots * SLOT_BYTES, { entrySize: SLOT_BYTES });
  sections.startPage();
  const bss = add(".bss", SHT.NOBITS, ALLOC | WRITE, LINE, cells.size);
  return {
    strings,
    sections,
    hash,
    dynsym,
    dynstr,
    rela,
    rodata,
    text,
    dynamic,
    got,
    bss,
    headers: sections.finish(),
    texts: texts.offsets.map((offset) => text.address + offset),
    constants: constants.offsets.map((offset) => rodata.address + offset),
    cells: cells.offsets.map((offset) => bss.address + offset),
    own,
    imports,
    libraries,
  };
}
