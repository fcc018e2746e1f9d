/** Assembles instructions, labels and constants into code. */
import type { Code, Feature, Relocation } from "./code.ts";
import { described } from "./described.ts";
import { Encoder, type Operand } from "./encoder.ts";
import { encodings } from "./form.ts";
import type { Instruction, Jumps } from "./instruction.ts";
import { type Instructions, instructions } from "./instructions/mod.ts";
import { fillWithNops, type Flexible, Layout, type Place, writeInt32, writeJump } from "./layout.ts";
import { Match } from "./match.ts";
import type { Immediate } from "./notation.ts";
import { Constant, Label, LibrarySymbol } from "./places.ts";

/** So that a form knows whether this assembler has used it already. */
let assemblers = 0;

/** Four bytes that hold the distance from one label to another. */
interface Distance {
  readonly at: number;
  readonly order: number;
  readonly from: Label;
  readonly to: Label;
}

export interface Assembler extends Instructions {}

/**
 * Writes machine code: one method for each mnemonic, which takes operands in Intel's order, and `finish`.
 * Operands that no form takes are a TypeError, values that do not fit a RangeError; both say what fits.
 * An instruction costs about a tenth of a microsecond.
 */
export class Assembler {
  readonly #mark = ++assemblers;
  readonly #encoder = new Encoder();
  readonly #match = new Match();
  readonly #features = new Set<Feature>();
  readonly #flexible: Flexible[] = [];
  /** Places of labels by their numbers. */
  readonly #labels: (Place | undefined)[] = [];
  readonly #distances: Distance[] = [];
  readonly #constants: { readonly byteOffset: number; readonly bytes: Uint8Array }[] = [];
  #constantBytes = 0;

  /** A place that `bind` will fix. The name is for errors. */
  label(name = `label ${this.#labels.length}`): Label {
    return new Label(this, this.#labels.push(undefined) - 1, name);
  }

  /** Says that the label is here, and returns it. Throws where it is bound already. */
  bind(label: Label): Label {
    requireLabel(label, "bind");
    this.#own(label);
    if (this.#labels[label.index] !== undefined) throw new Error(`${label} is bound already`);
    this.#labels[label.index] = { at: this.#encoder.at, order: this.#flexible.length };
    return label;
  }

  /** Fills with nops up to a multiple of `bytes`, a power of two up to 64, from the start of the code. */
  align(bytes: number): void {
    requireAlignment(bytes);
    this.#flexible.push({
      at: this.#encoder.at,
      label: undefined,
      short: 0,
      shortOpcodeBytes: 0,
      near: 0,
      nearOpcodeBytes: 0,
      alignment: bytes,
      size: 0,
    });
  }

  /** Puts bytes among the instructions. Throws for what is neither a view nor an `ArrayBuffer`. */
  data(bytes: ArrayBufferView | ArrayBuffer): void {
    const given = bytesOf(bytes);
    const encoder = this.#encoder;
    encoder.reserve(given.length);
    encoder.bytes.set(given, encoder.at);
    encoder.at += given.length;
  }

  /** Puts four bytes among the instructions, how far `to` is from `from`: an entry of a table of jumps. */
  distance(from: Label, to: Label): void {
    requireLabel(from, "distance");
    requireLabel(to, "distance");
    this.#own(from);
    this.#own(to);
    this.#distances.push({ at: this.#encoder.at, order: this.#flexible.length, from, to });
    this.data(new Uint8Array(4));
  }

  /**
   * Puts a copy of the bytes beside the code, at a multiple of `alignment`, a power of two up to 64. They lie
   * where `ptr` of what comes back says. Throws for what is neither a view nor an `ArrayBuffer`.
   */
  constant(bytes: ArrayBufferView | ArrayBuffer, alignment = 64): Constant {
    requireAlignment(alignment);
    const copy = bytesOf(bytes).slice();
    const byteOffset = Math.ceil(this.#constantBytes / alignment) * alignment;
    this.#constants.push({ byteOffset, bytes: copy });
    this.#constantBytes = byteOffset + copy.length;
    return new Constant(this, byteOffset, copy.length);
  }

  /** The method of that name, for operands that are known at run time alone. */
  emit(mnemonic: string, ...operands: (Operand | Immediate)[]): void {
    const instruction = instructions.get(mnemonic);
    if (instruction === undefined) throw new TypeError(`there is no instruction ${mnemonic}`);
    this.#emit(instruction, operands);
  }

  #emit(instruction: Instruction, operands: readonly (Operand | Immediate)[]): void {
    const form = this.#match.find(instruction, operands);
    if (form.encoding === encodings.jump) this.#jump(operands[0], instruction.jumps);
    else this.#encoder.encode(form, operands, this.#match.immediate);
    if (form.lastUser === this.#mark) return;
    form.lastUser = this.#mark;
    for (const feature of form.features) this.#features.add(feature);
  }

  #jump(label: Operand | Immediate, { short, near }: Jumps): void {
    if (!(label instanceof Label)) return;
    this.#own(label);
    const shortOpcodeBytes = short?.opcodeBytes ?? 0;
    const nearOpcodeBytes = near?.opcodeBytes ?? 0;
    this.#flexible.push({
      at: this.#encoder.at,
      label,
      short: short?.opcode ?? 0,
      shortOpcodeBytes,
      near: near?.opcode ?? 0,
      nearOpcodeBytes,
      alignment: 0,
      size: short === undefined ? nearOpcodeBytes + 4 : shortOpcodeBytes + 1,
    });
  }

  #own(place: Label | Constant): void {
    if (place.owner !== this) throw new TypeError(`${place} is of another assembler`);
  }

  /** The code so far. Throws where something refers to a label that is not bound, or does not reach it. */
  finish(): Code {
    const layout = new Layout(this.#flexible, this.#labels);
    const text = this.#text(layout);
    const relocations = this.#relocate(layout, text);
    for (const { at, order, from, to } of this.#distances) {
      writeInt32(text, layout.offset(at, order), layout.offsetOf(to) - layout.offsetOf(from));
    }
    const rodata = new Uint8Array(this.#constantBytes);
    for (const { byteOffset, bytes } of this.#constants) rodata.set(bytes, byteOffset);
    return { text, rodata, relocations, features: new Set(this.#features) };
  }

  #text(layout: Layout): Uint8Array<ArrayBuffer> {
    const { bytes, at: end } = this.#encoder;
    const pieces = this.#flexible;
    const text = new Uint8Array(layout.offset(end, pieces.length));
    let from = 0;
    pieces.forEach((piece, i) => {
      const { at, size, label } = piece;
      const offset = layout.offset(at, i);
      text.set(bytes.subarray(from, at), layout.offset(from, i));
      from = at;
      const room = text.subarray(offset, offset + size);
      if (label === undefined) fillWithNops(room);
      else writeJump(room, piece, layout.distance(piece, i));
    });
    text.set(bytes.subarray(from, end), layout.offset(from, pieces.length));
    return text;
  }

  /** Fills what refers to labels, and returns what only the loader can fill. */
  #relocate(layout: Layout, text: Uint8Array): Relocation[] {
    const relocations: Relocation[] = [];
    let order = 0;
    for (const { at, target, addend } of this.#encoder.fixups) {
      while (order < this.#flexible.length && this.#flexible[order].at <= at) order++;
      const offset = layout.offset(at, order);
      if (target instanceof LibrarySymbol) {
        const { name, library } = target;
        requireReach(target, addend);
        relocations.push({ kind: "symbol", offset, addend, name, library });
        continue;
      }
      this.#own(target);
      if (target instanceof Constant) {
        requireReach(target, addend + target.byteOffset);
        relocations.push({ kind: "rodata", offset, addend: addend + target.byteOffset });
      } else {
        const distance = layout.offsetOf(target) + addend - offset;
        requireReach(target, distance);
        writeInt32(text, offset, distance);
      }
    }
    return relocations;
  }

  static {
    // An object by itself: to put a thousand properties on a class's own takes V8 twenty milliseconds.
    const methods: Record<string, (...operands: (Operand | Immediate)[]) => void> = {};
    for (const [mnemonic, instruction] of instructions) {
      methods[mnemonic] = function (this: Assembler, ...operands) {
        this.#emit(instruction, operands);
      };
    }
    Object.setPrototypeOf(Assembler.prototype, methods);
  }
}

function requireAlignment(bytes: number): void {
  if (![1, 2, 4, 8, 16, 32, 64].includes(bytes)) {
    throw new RangeError(`an alignment is a power of two from 1 to 64, and not ${bytes}`);
  }
}

function requireLabel(label: Label, method: string): void {
  if (!(label instanceof Label)) throw new TypeError(`${method} takes labels, and not ${described(label)}`);
}

/** Of constants and symbols only the addend is known here: the loader adds how far they are. */
function requireReach(target: Label | Constant | LibrarySymbol, distance: number): void {
  if (distance === (distance | 0)) return;
  throw new RangeError(
    `${target} with its displacement is ${distance} bytes away, and rip reaches -2147483648 to 2147483647 alone`,
  );
}

function bytesOf(bytes: ArrayBufferView | ArrayBuffer): Uint8Array {
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  throw new TypeError(`bytes must be a view or an ArrayBuffer, and not ${described(bytes)}`);
}
