/**
 * The arguments and results of jobs, as they lie in shared memory: in the job's slot where they are short, else in the
 * arena of the lane that writes them, and in a sealed file in memory where they are 1 MiB or more, or the arena is full.
 * Whoever reads a message frees its place; `drop` does for one that nobody reads.
 *
 * A slot's words of a message, of which there are its arguments and its result:
 *
 *     kind     0 for none, else one of the places below and flags
 *     length   of the message's own bytes, those of its buffers not counted
 *     where    in an arena the offset in the map; a descriptor, and in a second word the file's length
 */
import { closeMessage, mapMessage, writeFile } from "./message_file.ts";
import type { Control } from "../control/control.ts";
import {
  ARG_KIND,
  ARG_LENGTH,
  ARG_WHERE,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_WHERE,
} from "../control/layout.ts";
import { Slots } from "../control/slots.ts";
import { Arena, bytesInUse, giveBack } from "./arena.ts";
import type { Crossings } from "./crossings.ts";
import { Decoder, type Memory } from "./decode.ts";
import { Encoder } from "./encode.ts";

const NONE = 0;
/** Nothing but 32-bit integers, in the slot. */
const INTEGERS = 1;
const INLINE = 2;
const ARENA = 3;
const FILE = 4;
const PLACES = 7;
/** The message has buffers. */
const BUFFERS = 8;
/** Something in the message is by reference, and is to be taken or given back. */
const CROSSES = 16;

/** From here on a message has a file of its own. */
const LARGE = 2 ** 20;
const MOST_INTEGERS = Slots.inlineBytes / 4;

/** Which of a slot's messages. */
interface Fields {
  readonly kind: number;
  readonly length: number;
  readonly where: number;
  /** Tells the two apart where an arena names them. */
  readonly bit: number;
}

const ARGUMENTS: Fields = { kind: ARG_KIND, length: ARG_LENGTH, where: ARG_WHERE, bit: 0 };
const RESULT: Fields = { kind: RESULT_KIND, length: RESULT_LENGTH, where: RESULT_WHERE, bit: 1 };

function argumentAt(index: number): string {
  return `argument ${index + 1}`;
}

function theResult(): string {
  return "the result";
}

function theError(): string {
  return "the error";
}

function isInteger(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value && !Object.is(value, -0);
}

/**
 * Writes and reads the messages of one thread of a pool. A slot is this thread's to write to while it fills or runs it, and
 * to read from while it runs it or owns it; nothing here looks at its phase.
 */
export class Payload {
  readonly #control: Control;
  readonly #slots: Slots;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #memory: Memory;
  readonly #arena: Arena;
  readonly #crossings: Crossings;
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #single: unknown[] = [undefined];

  /** Once for a thread, right after its `Control`: what the lane's last thread had taken, and no slot names, is free then. */
  constructor(control: Control, crossings: Crossings) {
    const { bytes, lane, slots, words } = control;
    this.#control = control;
    this.#slots = slots;
    this.#words = words;
    this.#memory = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
    this.#crossings = crossings;
    this.#encoder = new Encoder(crossings);
    this.#decoder = new Decoder(crossings);
    const { byteOffset, byteLength } = control.arena(lane);
    this.#arena = new Arena(words, byteOffset, byteLength, (user, block) => this.#isNamed(user, block));
  }

  /** Writes the arguments of a job that is filled. Throws a `DataCloneError` that names what cannot be sent. */
  packArguments(slot: number, values: readonly unknown[]): void {
    this.#crossings.receiver = -1;
    this.#pack(slot, ARGUMENTS, values, argumentAt);
  }

  /** Whether the arguments of a job have something that crosses, so that its class is to be loaded before they are read. */
  argumentsCross(slot: number): boolean {
    return (this.#slots.get(slot, ARG_KIND) & CROSSES) !== 0;
  }

  /** The arguments of a job, for its runner. Their place is free then, whether it throws or not. */
  unpackArguments(slot: number): unknown[] {
    return this.#unpack(slot, ARGUMENTS);
  }

  /** Writes what a job has returned. The place of its arguments is free then, read or not. Throws as `packArguments`. */
  packResult(slot: number, value: unknown): void {
    this.#packOne(slot, value, theResult);
  }

  /** What a job has returned, for its owner. */
  unpackResult(slot: number): unknown {
    return this.#unpack(slot, RESULT)[0];
  }

  /**
   * Writes what a job has thrown. Of an error that cannot be sent as it is, what can: never throws but where memory is
   * short.
   */
  packError(slot: number, error: unknown): void {
    try {
      this.#packOne(slot, error, theError);
    } catch {
      this.#packOne(slot, plain(error), theError);
    }
  }

  /** What a job has thrown: an error of the same class where that is the language's. */
  unpackError(slot: number): unknown {
    return this.#unpack(slot, RESULT)[0];
  }

  /** Gives back all that a slot's messages hold, whichever there are: before the slot is freed, unless they were read. */
  drop(slot: number): void {
    this.#drop(slot, ARGUMENTS);
    this.#drop(slot, RESULT);
  }

  /** Of all lanes. */
  get arenaBytesInUse(): number {
    let sum = 0;
    for (let lane = 0; lane < this.#control.shape.lanes; lane++) {
      sum += bytesInUse(this.#words, this.#control.arena(lane).byteOffset);
    }
    return sum;
  }

  #packOne(slot: number, value: unknown, call: () => string): void {
    this.#drop(slot, ARGUMENTS);
    this.#drop(slot, RESULT);
    this.#crossings.receiver = this.#slots.owner(slot);
    this.#single[0] = value;
    try {
      this.#pack(slot, RESULT, this.#single, call);
    } finally {
      this.#single[0] = undefined;
    }
  }

  #pack(slot: number, fields: Fields, values: readonly unknown[], call: (index: number) => string): void {
    if (this.#packIntegers(slot, fields, values)) return;
    const { buffers, out } = this.#encoder;
    const { bytes, view } = this.#memory;
    const at = this.#slots.inlineAt(slot);
    out.begin(bytes, view, at, at + Slots.inlineBytes);
    try {
      const crosses = this.#encoder.write(values, call);
      const flags = (crosses ? CROSSES : 0) | (buffers.isEmpty ? 0 : BUFFERS);
      this.#slots.set(slot, fields.length, out.length);
      const place = this.#place(slot, fields);
      this.#slots.set(slot, fields.kind, place | flags);
      this.#encoder.send();
    } catch (error) {
      this.#encoder.dropGiven();
      throw error;
    } finally {
      if (!out.isInPlace) out.end();
      buffers.clear();
    }
  }

  /** The shortest way, for what most jobs are given and give. */
  #packIntegers(slot: number, fields: Fields, values: readonly unknown[]): boolean {
    const { length } = values;
    if (length > MOST_INTEGERS) return false;
    const words = this.#words;
    const at = this.#slots.inlineAt(slot) / 4;
    for (let i = 0; i < length; i++) {
      const value = values[i];
      if (!isInteger(value)) return false;
      words[at + i] = value;
    }
    this.#slots.set(slot, fields.length, length);
    this.#slots.set(slot, fields.kind, INTEGERS);
    return true;
  }

  /** Puts what was written where there is room for it. */
  #place(slot: number, fields: Fields): number {
    const { buffers, out } = this.#encoder;
    const total = out.length + buffers.byteLength;
    if (out.isInPlace && out.at + buffers.byteLength <= this.#slots.inlineAt(slot) + Slots.inlineBytes) {
      if (!buffers.isEmpty) buffers.copyTo(this.#memory.bytes, out.at);
      return INLINE;
    }
    const block = total < LARGE ? this.#arena.take(total, 2 * slot + fields.bit) : -1;
    if (block === -1) {
      this.#slots.set(slot, fields.where, writeFile(out, buffers));
      this.#slots.set(slot, fields.where + 1, total);
      return FILE;
    }
    this.#slots.set(slot, fields.where, block);
    try {
      const { bytes } = this.#memory;
      bytes.set(out.bytes.subarray(out.start, out.at), block);
      buffers.copyTo(bytes, block + out.length);
      return ARENA;
    } catch (error) {
      this.#arena.give(block);
      throw error;
    }
  }

  #unpack(slot: number, fields: Fields): unknown[] {
    const slots = this.#slots;
    const kind = slots.get(slot, fields.kind);
    const length = slots.get(slot, fields.length) >>> 0;
    const where = slots.get(slot, fields.where) >>> 0;
    const own = (kind & BUFFERS) === 0 ? 0 : length;
    switch (kind & PLACES) {
      case INTEGERS:
        slots.set(slot, fields.kind, NONE);
        return this.#integers(slot, length);
      case INLINE:
        slots.set(slot, fields.kind, NONE);
        return this.#decoder.read(this.#memory, slots.inlineAt(slot), own);
      case ARENA:
        try {
          // Whoever dies from here on leaves what crosses to nobody, and does not have it given back twice.
          slots.set(slot, fields.kind, ARENA);
          return this.#decoder.read(this.#memory, where, own);
        } finally {
          this.#free(where);
          slots.set(slot, fields.kind, NONE);
        }
      case FILE: {
        slots.set(slot, fields.kind, NONE);
        using file = mapMessage(where, slots.get(slot, fields.where + 1) >>> 0);
        return this.#decoder.read(file, 0, own);
      }
      default:
        throw new Error(`cannot read the message of slot ${slot}: there is none`);
    }
  }

  #integers(slot: number, count: number): number[] {
    const words = this.#words;
    const at = this.#slots.inlineAt(slot) / 4;
    // A list that is made as a whole costs half of one that grows.
    if (count === 1) return [words[at]];
    if (count === 2) return [words[at], words[at + 1]];
    if (count === 3) return [words[at], words[at + 1], words[at + 2]];
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(words[at + i]);
    return values;
  }

  #drop(slot: number, fields: Fields): void {
    const slots = this.#slots;
    const kind = slots.get(slot, fields.kind);
    if (kind === NONE) return;
    const own = (kind & BUFFERS) === 0 ? 0 : slots.get(slot, fields.length) >>> 0;
    const where = slots.get(slot, fields.where) >>> 0;
    const place = kind & PLACES;
    const crosses = (kind & CROSSES) !== 0;
    slots.set(slot, fields.kind, place === ARENA ? ARENA : NONE);
    if (place === FILE) {
      if (!crosses) return closeMessage(where);
      using file = mapMessage(where, slots.get(slot, fields.where + 1) >>> 0);
      return this.#decoder.drop(file, 0, own);
    }
    try {
      if (crosses) this.#decoder.drop(this.#memory, place === ARENA ? where : slots.inlineAt(slot), own);
    } finally {
      if (place === ARENA) {
        this.#free(where);
        slots.set(slot, fields.kind, NONE);
      }
    }
  }

  /** Frees a block of whichever lane's arena. */
  #free(block: number): void {
    const control = this.#control;
    const first = control.arena(0).byteOffset;
    const size = control.shape.lanes > 1 ? control.arena(1).byteOffset - first : Infinity;
    const lane = Math.floor((block - first) / size);
    if (lane === control.lane) this.#arena.give(block);
    else giveBack(this.#words, control.arena(lane).byteOffset, block);
  }

  #isNamed(user: number, block: number): boolean {
    const { kind, where } = (user & 1) === 0 ? ARGUMENTS : RESULT;
    const slot = user >>> 1;
    return (this.#slots.get(slot, kind) & PLACES) === ARENA && this.#slots.get(slot, where) >>> 0 === block;
  }
}

/** Of what was thrown, and cannot be sent, what can. */
function plain(error: unknown): Error {
  const isError = error instanceof Error;
  const message = isError ? error.message : "what it threw cannot be sent, and is no error";
  const made = new Error(String(message));
  if (isError) {
    Object.defineProperty(made, "name", { value: String(error.name), configurable: true, writable: true });
    Object.defineProperty(made, "stack", { value: String(error.stack), configurable: true, writable: true });
  }
  return made;
}
