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
  DT,
  EHDR_BYTES,
  hashTable,
  PAGE,
  PF,
  PHDR_BYTES,
  PT,
  R_X86_64,
  RELA_BYTES,
  SHDR_BYTES,
  STT,
  SYMBOL_BYTES,
  Writer,
} from "./elf_format.ts";
import { type Plan, planOf, requireName, SEGMENTS, SLOT_BYTES } from "./elf_plan.ts";

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

/** Of a relocation. */
const FIELD_BYTES = 4;
const INT3 = 0xcc;

const ELF_64_BIT_LITTLE_ENDIAN = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1];
const EV_CURRENT = 1;
const ET_DYN = 3;
const EM_X86_64 = 62;
const DF_BIND_NOW = 8;
const STB_GLOBAL = 1;

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
