/**
 * Machine code as an ELF64 shared object, in memory: what `ld -shared` would make of it, for the system's own
 * loader to map. So the hosts call it as they call any library, no page is ever both writable and executable,
 * and debuggers and profilers find its names.
 *
 * Offsets in the file are addresses, and each segment starts a page: headers, symbols and constants (R), code
 * (RX), dynamic section and GOT (RW until the loader has relocated them, then R), zeroed memory (RW).
 */
import type { Code } from "./code.ts";
import {
  alignUp,
  DT,
  DYNAMIC_BYTES,
  EHDR_BYTES,
  hashTable,
  PAGE,
  PF,
  PHDR_BYTES,
  PT,
  R_X86_64,
  RELA_BYTES,
  type Section,
  Sections,
  SHDR_BYTES,
  SHF,
  SHT,
  Strings,
  STT,
  SYMBOL_BYTES,
  Writer,
} from "./elf_format.ts";

/** What goes into a shared object. */
export interface SharedObject {
  /** The name that the process knows it by: DT_SONAME. */
  readonly soname?: string;
  /** Each under its symbol. */
  readonly functions: Readonly<Record<string, Code>>;
  /**
   * Zeroed, writable memory for the code: the bytes of each symbol, which starts a cache line. Code refers to
   * it, and to the functions, by the symbol.
   */
  readonly memory?: Readonly<Record<string, number>>;
}

const LINE = 64;
const SLOT_BYTES = 8;
/** Of a relocation. */
const FIELD_BYTES = 4;
const INT3 = 0xcc;
/** A segment each: headers and constants, code, data, and what the loader must know of the dynamic section, relocation and the stack. */
const SEGMENTS = 6;
const ELF_64_BIT_LITTLE_ENDIAN = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1];
const EV_CURRENT = 1;
const ET_DYN = 3;
const EM_X86_64 = 62;
const DF_BIND_NOW = 8;
const STB_GLOBAL = 1;

/** ASCII, since offsets of the string table count characters; and what a symbol table can hold. */
function requireName(what: string, name: string): void {
  if (!/^[!-~]+$/.test(name)) {
    throw new TypeError(`cannot name ${what} ${JSON.stringify(name)}: use printable ASCII without spaces`);
  }
}

/** Bytes to run, and fields to fill that are in them. */
function requireCode(name: string, { text, relocations }: Code): void {
  if (text.length === 0) throw new TypeError(`cannot load ${name}: its code is empty`);
  for (const { offset, addend } of relocations) {
    if (!Number.isInteger(offset) || offset < 0 || offset > text.length - FIELD_BYTES) {
      throw new RangeError(
        `cannot load ${name}: a relocation's offset is ${offset}, past its ${text.length} bytes`,
      );
    }
    if (addend !== (addend | 0)) {
      throw new RangeError(`cannot load ${name}: a relocation's addend is ${addend}, no integer of 32 bits`);
    }
  }
}

function requireNames({ soname, functions, memory = {} }: SharedObject): void {
  if (soname !== undefined) requireName("a library", soname);
  const names = Object.keys(functions);
  if (names.length === 0) throw new TypeError("cannot make a shared object: it has no function");
  for (const [name, code] of Object.entries(functions)) {
    requireName("a function", name);
    requireCode(name, code);
  }
  for (const [name, size] of Object.entries(memory)) {
    requireName("memory", name);
    if (Object.hasOwn(functions, name)) {
      throw new TypeError(`cannot name memory ${name}: a function has that name`);
    }
    if (!Number.isSafeInteger(size) || size < 1 || size > 2 ** 31) {
      throw new RangeError(
        `cannot make memory ${name}: its size is ${size}, not a count of bytes up to 2 GiB`,
      );
    }
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
interface Plan {
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

function planOf(object: SharedObject): Plan {
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

/** The segments: those that are mapped, in the order of their addresses, and what the loader must know. */
function writeSegments(writer: Writer, { rodata, text, dynamic, bss }: Plan): void {
  function segment(type: number, flags: number, start: number, end: number, memory = 0): void {
    const align = type === PT.DYNAMIC ? 8 : PAGE;
    writer.u32(type, flags).u64(start, start, start, end - start, end - start + memory, align);
  }
  writer.at(EHDR_BYTES);
  segment(PT.LOAD, PF.R, 0, rodata.address + rodata.size);
  segment(PT.LOAD, PF.R | PF.X, text.address, text.address + text.size);
  // The file has the whole of its last page: what is protected after relocation is protected by pages.
  segment(PT.LOAD, PF.R | PF.W, dynamic.address, bss.address, bss.size);
  segment(PT.DYNAMIC, PF.R | PF.W, dynamic.address, dynamic.address + dynamic.size);
  segment(PT.GNU_RELRO, PF.R, dynamic.address, bss.address);
  segment(PT.GNU_STACK, PF.R | PF.W, 0, 0);
}

function writeSymbols(writer: Writer, { functions, memory = {} }: SharedObject, plan: Plan): void {
  const { sections, dynsym, strings } = plan;
  writer.at(dynsym.address + SYMBOL_BYTES);
  function symbol(
    name: string,
    type: number,
    section: string | undefined,
    address: number,
    size: number,
  ): void {
    writer.u32(strings.offsetOf(name)).u8(STB_GLOBAL << 4 | type, 0).u16(sections.indexOf(section)).u64(
      address,
      size,
    );
  }
  for (const [i, [name, { text }]] of Object.entries(functions).entries()) {
    symbol(name, STT.FUNC, ".text", plan.texts[i], text.length);
  }
  for (const [i, [name, size]] of Object.entries(memory).entries()) {
    symbol(name, STT.OBJECT, ".bss", plan.cells[i], size);
  }
  for (const name of plan.imports) symbol(name, STT.NOTYPE, undefined, 0, 0);
  const names = ["", ...Object.keys(functions), ...Object.keys(memory), ...plan.imports];
  writer.at(plan.hash.address).u32(...hashTable(names));
}

/** The address of a symbol of this object. */
function addressOf(name: string, { functions, memory = {} }: SharedObject, plan: Plan): number {
  const function_ = Object.keys(functions).indexOf(name);
  return function_ === -1 ? plan.cells[Object.keys(memory).indexOf(name)] : plan.texts[function_];
}

/** What the loader puts into the GOT. */
function writeRelocations(writer: Writer, object: SharedObject, plan: Plan): void {
  const { own, imports, got, rela } = plan;
  const firstImport = 1 + Object.keys(object.functions).length + Object.keys(object.memory ?? {}).length;
  writer.at(rela.address);
  for (const [i, name] of own.entries()) {
    writer.u64(got.address + SLOT_BYTES * i).u32(R_X86_64.RELATIVE, 0).u64(addressOf(name, object, plan));
  }
  for (let i = 0; i < imports.length; i++) {
    const slot = got.address + SLOT_BYTES * (own.length + i);
    writer.u64(slot).u32(R_X86_64.GLOB_DAT, firstImport + i).u64(0);
  }
}

function writeCode(writer: Writer, { functions }: SharedObject, plan: Plan): void {
  const { text, own, imports, got } = plan;
  const slots = new Map([...own, ...imports].map((name, i) => [name, got.address + SLOT_BYTES * i]));
  writer.bytes.fill(INT3, text.address, text.address + text.size);
  for (const [i, code] of Object.values(functions).entries()) {
    const [start, constants] = [plan.texts[i], plan.constants[i]];
    writer.bytes.set(code.text, start);
    writer.bytes.set(code.rodata, constants);
    for (const relocation of code.relocations) {
      const { offset, addend } = relocation;
      const target = relocation.kind === "rodata" ? constants : slots.get(relocation.name) ?? 0;
      writer.at(start + offset).i32(target + addend - (start + offset));
    }
  }
}

function writeDynamic(writer: Writer, { soname }: SharedObject, plan: Plan): void {
  const { strings, libraries, dynamic, hash, dynsym, dynstr, rela } = plan;
  writer.at(dynamic.address);
  for (const library of libraries) writer.u64(DT.NEEDED, strings.offsetOf(library));
  if (soname !== undefined) writer.u64(DT.SONAME, strings.offsetOf(soname));
  writer.u64(DT.HASH, hash.address, DT.STRTAB, dynstr.address, DT.STRSZ, dynstr.size);
  writer.u64(DT.SYMTAB, dynsym.address, DT.SYMENT, SYMBOL_BYTES);
  if (rela.size > 0) writer.u64(DT.RELA, rela.address, DT.RELASZ, rela.size, DT.RELAENT, RELA_BYTES);
  writer.u64(DT.FLAGS, DF_BIND_NOW, DT.NULL, 0);
}

/** The section headers, which nothing but debuggers and profilers reads. */
function writeSections(writer: Writer, { sections, headers }: Plan): void {
  writer.at(headers + SHDR_BYTES);
  for (const section of sections.list) {
    const { name, type, flags, address, size, link, info = 0, align, entrySize = 0 } = section;
    writer.u32(sections.names.offsetOf(name), type).u64(flags, flags === 0 ? 0 : address, address, size);
    writer.u32(sections.indexOf(link), info).u64(align, entrySize);
  }
}

function writeHeader(writer: Writer, { sections, headers }: Plan): void {
  const count = 1 + sections.list.length;
  writer.at(0).u8(...ELF_64_BIT_LITTLE_ENDIAN).at(16).u16(ET_DYN, EM_X86_64).u32(EV_CURRENT);
  writer.u64(0, EHDR_BYTES, headers).u32(0);
  writer.u16(EHDR_BYTES, PHDR_BYTES, SEGMENTS, SHDR_BYTES, count, sections.indexOf(".shstrtab"));
}

/**
 * The bytes of a shared object with the code's relocations resolved: those to constants here, those to symbols
 * by the loader, through a GOT that is read-only by the time that code runs. A symbol of a function or memory
 * of this object is that one, whatever else the process has under the name; any other is looked for in the
 * process and in the libraries that the code names. It is asked for without a version, so that of a symbol
 * which glibc keeps in several versions it is the oldest.
 *
 * @throws {TypeError} where there is no function, or an empty one, or a name that no symbol table holds.
 * @throws {RangeError} where memory has no size, a relocation is past its code, or the whole spans more than 2 GiB.
 */
export function sharedObject(object: SharedObject): Uint8Array<ArrayBuffer> {
  requireNames(object);
  const plan = planOf(object);
  const { sections, headers, strings, dynstr } = plan;
  const writer = new Writer(headers + SHDR_BYTES * (1 + sections.list.length));
  writeHeader(writer, plan);
  writeSegments(writer, plan);
  writeSymbols(writer, object, plan);
  writer.bytes.set(strings.bytes, dynstr.address);
  writeRelocations(writer, object, plan);
  writeCode(writer, object, plan);
  writeDynamic(writer, object, plan);
  writer.bytes.set(sections.names.bytes, sections.list[sections.list.length - 1].address);
  writeSections(writer, plan);
  return writer.bytes;
}
