/** Assembles instructions, labels and constants into code. */
import type { Code, Feature, Relocation } from "./code.ts";
import { Encoder, type Operand } from "./encoder.ts";
import { encodings, type Form } from "./form.ts";
import { type Instructions, instructions } from "./instructions/mod.ts";
import { fillWithNops, type Flexible, Layout } from "./layout.ts";
import { Match } from "./match.ts";
import type { Immediate } from "./notation.ts";
import { Constant, Label, LibrarySymbol } from "./places.ts";

/** So that a form knows whether it was used by this assembler already. */
let assemblers = 0;

export interface Assembler extends Instructions {}

/**
 * Writes machine code: one method for each mnemonic, which takes operands in Intel's order, and `finish`.
 * An instruction costs about a tenth of a microsecond; a form's first use in the process, some more.
 */
export class Assembler {
  readonly #mark = ++assemblers;
  readonly #encoder = new Encoder();
  readonly #match = new Match();
  readonly #features = new Set<Feature>();
  readonly #flexible: Flexible[] = [];
  readonly #labels: Label[] = [];
  #constants = new Uint8Array(0);

  /** A place that `bind` will fix. The name is for errors. */
  label(name = `label ${this.#labels.length}`): Label {
    const label = new Label(this, name);
    this.#labels.push(label);
    return label;
  }

  /** Says that the label is here, and returns it. Throws where it is bound already. */
  bind(label: Label): Label {
    this.#own(label);
    if (label.position !== -1) throw new Error(`${label} is bound already`);
    label.position = this.#encoder.at;
    label.order = this.#flexible.length;
    return label;
  }

  /** Fills with nops up to a multiple of `bytes`, a power of two up to 64, from the start of the code. */
  align(bytes: number): void {
    requireAlignment(bytes);
    const at = this.#encoder.at;
    this.#flexible.push({
      at,
      label: undefined,
      short: 0,
      near: 0,
      shortOpcodeBytes: 0,
      nearOpcodeBytes: 0,
      alignment: bytes,
      size: 0,
    });
  }

  /** Puts bytes among the instructions. */
  data(bytes: ArrayBufferView): void {
    this.#encoder.reserve(bytes.byteLength);
    this.#encoder.bytes.set(bytesOf(bytes), this.#encoder.at);
    this.#encoder.at += bytes.byteLength;
  }

  /**
   * Puts bytes beside the code, at a multiple of `alignment`, a power of two up to 64: `ptr` of what comes
   * back is where they are.
   */
  constant(bytes: ArrayBufferView, alignment = 64): Constant {
    requireAlignment(alignment);
    const offset = Math.ceil(this.#constants.length / alignment) * alignment;
    const constants = new Uint8Array(offset + bytes.byteLength);
    constants.set(this.#constants);
    constants.set(bytesOf(bytes), offset);
    this.#constants = constants;
    return new Constant(this, offset, bytes.byteLength);
  }

  /** The method of that name, with operands that are known at run time alone. */
  emit(mnemonic: string, ...operands: (Operand | Immediate)[]): void {
    const instruction = instructions.get(mnemonic);
    if (instruction === undefined) throw new TypeError(`there is no instruction ${mnemonic}`);
    const form = this.#match.find(instruction, operands);
    if (form.lastUser !== this.#mark) {
      form.lastUser = this.#mark;
      for (const feature of form.features) this.#features.add(feature);
    }
    const [first] = operands;
    if (form.encoding === encodings.jump && first instanceof Label) {
      this.#jump(first, instruction.jumps);
    } else {
      this.#encoder.encode(form, operands, this.#match.immediate);
    }
  }

  #jump(label: Label, [short, near]: readonly [Form | undefined, Form | undefined]): void {
    this.#own(label);
    const shortOpcodeBytes = short?.opcodeBytes ?? 0;
    const nearOpcodeBytes = near?.opcodeBytes ?? 0;
    this.#flexible.push({
      at: this.#encoder.at,
      label,
      short: short?.opcode ?? 0,
      near: near?.opcode ?? 0,
      shortOpcodeBytes,
      nearOpcodeBytes,
      alignment: 0,
      size: short === undefined ? nearOpcodeBytes + 4 : shortOpcodeBytes + 1,
    });
  }

  #own(place: Label | Constant): void {
    if (place.owner !== this) throw new TypeError(`${place} is of another assembler`);
  }

  /** The code. Throws where a label that something refers to is not bound, or a jump does not reach. */
  finish(): Code {
    for (const { label } of this.#flexible) if (label !== undefined) requireBound(label);
    const layout = new Layout(this.#flexible);
    const { bytes, at: end, fixups } = this.#encoder;
    const text = new Uint8Array(layout.place(end, this.#flexible.length));
    let from = 0;
    this.#flexible.forEach((piece, i) => {
      const start = layout.place(piece.at, i);
      text.set(bytes.subarray(from, piece.at), layout.place(from, i));
      from = piece.at;
      const room = text.subarray(start, start + piece.size);
      if (piece.label === undefined) fillWithNops(room);
      else writeJump(room, piece, layout.distance(piece, i));
    });
    text.set(bytes.subarray(from, end), layout.place(from, this.#flexible.length));
    const relocations: Relocation[] = [];
    let order = 0;
    for (const { at, target, addend } of fixups) {
      while (order < this.#flexible.length && this.#flexible[order].at <= at) order++;
      const offset = layout.place(at, order);
      if (target instanceof LibrarySymbol) {
        relocations.push({ kind: "symbol", offset, addend, name: target.name, library: target.library });
        continue;
      }
      this.#own(target);
      if (target instanceof Constant) {
        relocations.push({ kind: "rodata", offset, addend: addend + target.byteOffset });
      } else {
        requireBound(target);
        writeInt32(text, offset, layout.place(target.position, target.order) + addend - offset);
      }
    }
    return { text, rodata: this.#constants.slice(), relocations, features: new Set(this.#features) };
  }

  static {
    for (const mnemonic of instructions.keys()) {
      Object.defineProperty(Assembler.prototype, mnemonic, {
        value(this: Assembler, ...operands: (Operand | Immediate)[]): void {
          this.emit(mnemonic, ...operands);
        },
      });
    }
  }
}

function requireAlignment(bytes: number): void {
  if (![1, 2, 4, 8, 16, 32, 64].includes(bytes)) {
    throw new RangeError(`an alignment is a power of two from 1 to 64, and not ${bytes}`);
  }
}

function requireBound(label: Label): void {
  if (label.position === -1) throw new Error(`${label} is jumped to or read, and bound nowhere`);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function writeJump(room: Uint8Array, piece: Flexible, distance: number): void {
  const isNear = piece.size === piece.nearOpcodeBytes + 4;
  const opcode = isNear ? piece.near : piece.short;
  const opcodeBytes = isNear ? piece.nearOpcodeBytes : piece.shortOpcodeBytes;
  for (let i = 0; i < opcodeBytes; i++) room[i] = opcode >> 8 * i;
  if (isNear) writeInt32(room, opcodeBytes, distance);
  else room[opcodeBytes] = distance;
}

function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >> 8 * i;
}
