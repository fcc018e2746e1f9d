/** Writes one form with its operands as bytes: prefixes, opcode, ModRM, SIB, displacement, immediate. */
import { encodings, type Form } from "./form.ts";
import { Memory } from "./memory.ts";
import type { Rounding, Suppress, Vex } from "./modifiers.ts";
import { type Constant, type Label, LibrarySymbol } from "./places.ts";
import type { Immediate } from "./notation.ts";
import { Gpr, type Mask, type Vector } from "./registers.ts";

/** What a method may be given, immediates aside. */
export type Operand = Gpr | Vector | Mask | Memory | Label | LibrarySymbol | Rounding | Suppress | Vex;

/** Four bytes relative to the end of their instruction, to be filled when the target's place is known. */
export interface Fixup {
  readonly at: number;
  readonly target: Label | Constant | LibrarySymbol;
  /** What to add to the target's place less the field's own. */
  readonly addend: number;
}

/** No instruction of x86-64 is longer than 15 bytes. */
const LONGEST = 16;

export class Encoder {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  at = 0;
  readonly fixups: Fixup[] = [];

  /** Makes room for `byteLength` bytes more. */
  reserve(byteLength: number): void {
    if (this.at + byteLength <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(2 * this.bytes.length, this.at + byteLength));
    bytes.set(this.bytes);
    this.bytes = bytes;
  }

  /** Writes the instruction. `immediate` is what goes after it, of as many bytes as the form says. */
  encode(form: Form, operands: readonly (Operand | Immediate)[], immediate: Immediate): void {
    this.reserve(LONGEST);
    switch (form.encoding) {
      case encodings.legacy:
        this.#legacy(form, operands);
        break;
      case encodings.vex:
        this.#vex(form, operands);
        break;
      default:
        this.#evex(form, operands);
    }
    if (form.immediateBytes !== 0) this.#immediate(immediate, form.immediateBytes);
  }

  #legacy(form: Form, operands: readonly (Operand | Immediate)[]): void {
    const { reg, rm, inOpcode, prefix } = form;
    const target = rm === -1 ? undefined : operands[rm];
    const bytes = this.bytes;
    let at = this.at;
    let rex = form.wide << 3;
    if (target instanceof Memory) {
      if (target.segment !== 0) bytes[at++] = target.segment;
      if (target.base > 7) rex |= 1;
      if (target.index > 7) rex |= 2;
    } else if (rm !== -1) rex |= idOf(target) >> 3;
    if (reg !== -1) rex |= idOf(operands[reg]) >> 3 << 2;
    if (inOpcode !== -1) rex |= idOf(operands[inOpcode]) >> 3;
    if (rex !== 0) rex |= 0x40;
    rex = withByteRegisters(rex, operands);
    if (form.is16) bytes[at++] = 0x66;
    if (prefix !== 0) bytes[at++] = prefix;
    if (rex !== 0) bytes[at++] = rex;
    let opcode = form.opcode;
    for (let i = form.opcodeBytes; i > 1; i--) {
      bytes[at++] = opcode & 0xff;
      opcode >>= 8;
    }
    bytes[at++] = inOpcode === -1 ? opcode : opcode | idOf(operands[inOpcode]) & 7;
    this.at = at;
    if (form.hasModRm) this.#modRm(form, reg === -1 ? form.digit : idOf(operands[reg]), target, 1);
  }

  #vex(given: Form, operands: readonly (Operand | Immediate)[]): void {
    let form = given;
    if (form.mirror !== undefined && idOf(operands[form.rm]) > 7 && idOf(operands[form.reg]) < 8) {
      form = form.mirror;
    }
    const { reg, rm, vvvv } = form;
    const target = rm === -1 ? undefined : operands[rm];
    const bytes = this.bytes;
    let at = this.at;
    let b = 0;
    let x = 0;
    if (target instanceof Memory) {
      if (target.segment !== 0) bytes[at++] = target.segment;
      b = target.base > 7 ? 1 : 0;
      x = target.index > 7 ? 1 : 0;
    } else if (rm !== -1) b = idOf(target) >> 3;
    const r = reg === -1 ? 0 : idOf(operands[reg]);
    const last = (vvvv === -1 ? 15 : ~idOf(operands[vvvv]) & 15) << 3 | form.length << 2 | form.prefix;
    if (b === 0 && x === 0 && form.map === 1 && form.wide === 0) {
      bytes[at++] = 0xc5;
      bytes[at++] = (r < 8 ? 0x80 : 0) | last;
    } else {
      bytes[at++] = 0xc4;
      bytes[at++] = (r < 8 ? 0x80 : 0) | (1 - x) << 6 | (1 - b) << 5 | form.map;
      bytes[at++] = form.wide << 7 | last;
    }
    bytes[at++] = form.opcode;
    this.at = at;
    if (form.hasModRm) this.#modRm(form, form.digit === -1 ? r : form.digit, target, 1);
    if (form.is4 !== -1) this.bytes[this.at++] = idOf(operands[form.is4]) << 4;
  }

  #evex(form: Form, operands: readonly (Operand | Immediate)[]): void {
    const { reg, rm, vvvv } = form;
    const target = operands[rm];
    const bytes = this.bytes;
    let at = this.at;
    // R, X, B, R' and V' are written inverted.
    let inverted = 0;
    let v = vvvv === -1 ? 0 : idOf(operands[vvvv]);
    let unit = form.unit;
    let broadcasts = 0;
    if (target instanceof Memory) {
      if (target.segment !== 0) bytes[at++] = target.segment;
      if (target.base > 7) inverted |= 0x20;
      if ((target.index & 8) !== 0 && target.index !== -1) inverted |= 0x40;
      if (target.index > 15) v |= 16;
      if (target.kind === "bcst") {
        unit = form.element;
        broadcasts = 0x10;
      }
    } else inverted |= (idOf(target) & 8) << 2 | (idOf(target) & 16) << 2;
    const r = reg === -1 ? form.digit : idOf(operands[reg]);
    if (reg !== -1) inverted |= (r & 8) << 4 | (r & 16);
    const first = operands[0];
    let length = form.length;
    if (form.rounding !== -1) {
      broadcasts = 0x10;
      length = idOf(operands[form.rounding]);
    } else if (form.suppresses) {
      broadcasts = 0x10;
      length = 0;
    }
    bytes[at++] = 0x62;
    bytes[at++] = inverted ^ 0xf0 | form.map;
    bytes[at++] = form.wide << 7 | (~v & 15) << 3 | 4 | form.prefix;
    bytes[at++] = zeroing(first) | length << 5 | broadcasts | (v & 16 ^ 16) >> 1 | maskOf(operands);
    bytes[at++] = form.opcode;
    this.at = at;
    this.#modRm(form, r, target, unit);
  }

  /** ModRM, SIB and displacement. A displacement of 8 bits counts in `unit`. */
  #modRm(form: Form, reg: number, target: Operand | Immediate | undefined, unit: number): void {
    const bytes = this.bytes;
    const middle = (reg & 7) << 3;
    if (target instanceof LibrarySymbol) {
      bytes[this.at++] = middle | 5;
      this.#relative(target, 0, 0);
    } else if (!(target instanceof Memory)) {
      bytes[this.at++] = 0xc0 | middle | idOf(target) & 7;
    } else if (target.target !== undefined) {
      bytes[this.at++] = middle | 5;
      this.#relative(target.target, target.displacement, form.immediateBytes + (form.is4 === -1 ? 0 : 1));
    } else {
      this.#address(middle, target, unit);
    }
  }

  #address(middle: number, { base, index, shift, displacement }: Memory, unit: number): void {
    const bytes = this.bytes;
    const low = index === -1 ? 4 : index & 7;
    if (base === -1) {
      bytes[this.at++] = middle | 4;
      bytes[this.at++] = shift << 6 | low << 3 | 5;
      this.#int32(displacement);
      return;
    }
    const short = displacement / unit;
    const isShort = short === (short | 0) && short >= -128 && short < 128;
    const mode = displacement === 0 && (base & 7) !== 5 ? 0 : isShort ? 0x40 : 0x80;
    if (index !== -1 || (base & 7) === 4) {
      bytes[this.at++] = mode | middle | 4;
      bytes[this.at++] = shift << 6 | low << 3 | base & 7;
    } else {
      bytes[this.at++] = mode | middle | base & 7;
    }
    if (mode === 0x40) bytes[this.at++] = short;
    else if (mode === 0x80) this.#int32(displacement);
  }

  #relative(target: Label | Constant | LibrarySymbol, displacement: number, trailing: number): void {
    this.fixups.push({ at: this.at, target, addend: displacement - 4 - trailing });
    this.#int32(0);
  }

  #int32(value: number): void {
    const bytes = this.bytes;
    const at = this.at;
    bytes[at] = value;
    bytes[at + 1] = value >> 8;
    bytes[at + 2] = value >> 16;
    bytes[at + 3] = value >> 24;
    this.at = at + 4;
  }

  #immediate(value: Immediate, byteLength: number): void {
    if (byteLength === 8) {
      const bits = BigInt.asUintN(64, BigInt(value));
      this.#int32(Number(bits & 0xffffffffn) | 0);
      this.#int32(Number(bits >> 32n) | 0);
    } else {
      const number = Number(value);
      for (let i = 0; i < byteLength; i++) this.bytes[this.at++] = number >> 8 * i;
    }
  }
}

/** The number of a register; 0 for what has none. */
export function idOf(operand: Operand | Immediate | undefined): number {
  return typeof operand === "object" ? operand.id : 0;
}

function zeroing(operand: Operand | Immediate): number {
  return typeof operand === "object" && operand.masking === "z" ? 0x80 : 0;
}

function maskOf(operands: readonly (Operand | Immediate)[]): number {
  const first = operands[0];
  return typeof first === "object" && first.mask !== 0 ? first.mask : 0;
}

/** A register of 8 bits may need a REX prefix, or bear none. */
function withByteRegisters(rex: number, operands: readonly (Operand | Immediate)[]): number {
  let result = rex;
  let high: Gpr | undefined;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    if (!(operand instanceof Gpr) || operand.rex === "any") continue;
    if (operand.rex === "needed") result |= 0x40;
    else high = operand;
  }
  if (high !== undefined && result !== 0) {
    throw new RangeError(`${high} cannot stand beside what needs a REX prefix: ${operands.join(", ")}`);
  }
  return result;
}
