import { types } from "node:util";
import { type AnyCrossing, crossingOf } from "../../../mem/crossing.ts";
import { classOf, OutgoingBuffers } from "./buffers.ts";
import { cloneError, type Entry, type Path, shownPath, type Step, why } from "./clone_error.ts";
import { classOfError, fieldsOf, insideOf } from "./errors.ts";
import { kindOf } from "./kinds.ts";
import {
  ARRAY,
  ARRAY_WITH_FIELDS,
  BOXED,
  BUFFER,
  CROSSING,
  DATE,
  DEPTH,
  DOUBLES,
  ERROR,
  FALSE,
  HOLE,
  INT32S,
  LATE,
  MAP,
  NULL,
  OBJECT,
  REFERENCE,
  REGEXP,
  SET,
  SHAPED,
  SHAPES,
  SHARED,
  SPARSE,
  TRUE,
  UNDEFINED,
  VIEW,
} from "./tags.ts";
import { Writer } from "./writer.ts";

/** What a message calls a `SharedArrayBuffer`, which no bytes can carry. Throws an error that says why it cannot. */
export interface SharedNames {
  nameOf(memory: SharedArrayBuffer): number;
}

/** Something deeper than `DEPTH`, to be written late. */
interface Late {
  /** Of the value that it is in. */
  readonly index: number;
  readonly write: () => void;
  readonly path: Path;
}

/** Up to here a list of objects is searched faster than a map. */
const FEW = 8;
/** After so many holes in a row an array is taken to be sparse. */
const HOLES = 64;

const { prototype: OBJECTS } = Object;
const { prototype: ARRAYS } = Array;

function isRecord(_value: object): _value is Record<string, unknown> {
  return true;
}

/** Writes values as a message, one message after another. */
export class Encoder {
  readonly out: Writer = new Writer();
  readonly buffers: OutgoingBuffers = new OutgoingBuffers();
  readonly #shared: SharedNames;
  /** Those that have numbers, in their order. */
  readonly #objects: object[] = [];
  readonly #numbers: Map<object, number> = new Map();
  readonly #shapes: (readonly string[])[] = [];
  readonly #late: Late[] = [];
  readonly #given: { crossing: AnyCrossing; data: unknown }[] = [];
  #call: (index: number) => string = String;
  #index = 0;
  #path: Step[] = [];
  #before: Path | null = null;
  #depth = 0;
  #deepest = DEPTH;

  constructor(shared: SharedNames) {
    this.#shared = shared;
  }

  /**
   * Writes a list of values to `out`, which was begun, and their buffers to `buffers`. Gives whether something crosses.
   * `call` is what errors call one, by its index. Where it throws, nothing is held.
   */
  write(values: readonly unknown[], call: (index: number) => string): boolean {
    try {
      this.#call = call;
      this.out.count(values.length);
      for (let i = 0; i < values.length; i++) {
        this.#index = i;
        this.#depth = -1;
        this.#value(values[i], "");
      }
      this.#writeLate();
      if (!this.buffers.isEmpty) this.buffers.finish(this.out);
      return this.#given.length > 0;
    } catch (error) {
      this.dropGiven();
      throw error;
    } finally {
      this.#forget();
    }
  }

  #forget(): void {
    // Making an empty array empty costs as much as the rest of a short message.
    if (this.#objects.length === 0) return;
    if (this.#objects.length > FEW) this.#numbers.clear();
    this.#objects.length = 0;
    if (this.#shapes.length > 0) this.#shapes.length = 0;
    if (this.#late.length > 0) this.#late.length = 0;
    this.#before = null;
  }

  /** Gives up what was given to the message, where it will not be sent. */
  dropGiven(from = 0): void {
    if (this.#given.length === from) return;
    for (const { crossing, data } of this.#given.splice(from)) crossing.drop(data);
  }

  /** From here on what was given is the message's own. */
  send(): void {
    if (this.#given.length > 0) this.#given.length = 0;
  }

  #writeLate(): void {
    // It grows while it is walked.
    for (const { index, write, path } of this.#late) {
      this.#index = index;
      this.#before = path;
      this.#depth = 0;
      write();
    }
  }

  #value(value: unknown, step: Step): void {
    switch (typeof value) {
      case "number":
        return this.out.number(value);
      case "string":
        return this.out.string(value);
      case "boolean":
        return this.out.byte(value ? TRUE : FALSE);
      case "undefined":
        return this.out.byte(UNDEFINED);
      case "bigint":
        return this.out.bigint(value);
      case "object":
        if (value === null) return this.out.byte(NULL);
        if (this.#depth >= 0) this.#path[this.#depth] = step;
        return this.#object(value);
      default:
        if (this.#depth >= 0) this.#path[this.#depth] = step;
        throw this.#refused(why(value));
    }
  }

  #refused(reason: string, cause?: unknown): DOMException {
    return cloneError(shownPath(this.#call(this.#index), this.#here()), reason, cause);
  }

  #here(): Path {
    return { before: this.#before, steps: this.#path.slice(0, this.#depth + 1) };
  }

  /** The object's number, or -1 where it has none yet, and takes the next. */
  #numberOf(value: object): number {
    const objects = this.#objects;
    const count = objects.length;
    if (count <= FEW) {
      for (let i = 0; i < count; i++) if (objects[i] === value) return i;
      objects.push(value);
      if (count === FEW) { for (let i = 0; i <= FEW; i++) this.#numbers.set(objects[i], i); }
      return -1;
    }
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    this.#numbers.set(value, count);
    objects.push(value);
    return -1;
  }

  #object(value: object): void {
    const known = this.#numberOf(value);
    if (known >= 0) {
      this.out.byte(REFERENCE);
      return this.out.count(known);
    }
    const prototype: object | null = Object.getPrototypeOf(value);
    if (prototype === OBJECTS || prototype === null) return this.#plain(value);
    if (prototype === ARRAYS && Array.isArray(value)) return this.#array(value);
    this.#special(value, prototype);
  }

  #special(value: object, prototype: object): void {
    const kind = kindOf(value, prototype);
    if (kind === "object") return this.#plain(value);
    if (kind === "crossing") return this.#crossing(value);
    if (Array.isArray(value)) return this.#array(value);
    if (ArrayBuffer.isView(value)) return this.#view(value);
    if (types.isMap(value)) return this.#map(value);
    if (types.isSet(value)) return this.#set(value);
    if (types.isDate(value)) {
      this.out.byte(DATE);
      return this.out.double(Date.prototype.getTime.call(value));
    }
    if (types.isRegExp(value)) {
      this.out.byte(REGEXP);
      this.out.string(value.source);
      return this.out.string(value.flags);
    }
    if (value instanceof ArrayBuffer || types.isArrayBuffer(value)) return this.#buffer(value);
    if (types.isSharedArrayBuffer(value)) return this.#sharedMemory(value);
    if (kind === "boxed") return this.#boxed(value);
    if (kind === "error") return this.#error(value);
    throw this.#refused(why(value));
  }

  /** Whether the inside of what the tag stands for is left for late. */
  #isDeep(write: () => void): boolean {
    if (this.#depth < this.#deepest) return false;
    this.out.byte(LATE);
    this.#late.push({ index: this.#index, write, path: this.#here() });
    return true;
  }

  #plain(value: object): void {
    if (this.#depth >= this.#deepest && this.#isDeep(() => this.#record(value))) {
      this.out.byte(OBJECT);
      return;
    }
    this.#depth++;
    this.#record(value);
    this.#depth--;
  }

  #record(value: object): void {
    const keys = Object.keys(value);
    this.#shape(keys);
    if (!isRecord(value)) return;
    for (let i = 0; i < keys.length; i++) this.#value(value[keys[i]], keys[i]);
  }

  #shape(keys: readonly string[]): void {
    const shapes = this.#shapes;
    for (let number = shapes.length - 1; number >= 0; number--) {
      const shape = shapes[number];
      if (shape.length !== keys.length) continue;
      let i = 0;
      while (i < keys.length && shape[i] === keys[i]) i++;
      if (i < keys.length) continue;
      this.out.byte(SHAPED);
      return this.out.count(number);
    }
    if (shapes.length < SHAPES) shapes.push(keys);
    this.out.byte(OBJECT);
    this.out.count(keys.length);
    for (let i = 0; i < keys.length; i++) this.out.string(keys[i]);
  }

  #array(value: readonly unknown[]): void {
    const hasFields = "index" in value || "groups" in value;
    const packed = hasFields ? 0 : packingOf(value);
    if (packed !== 0) {
      this.out.byte(packed);
      this.out.count(value.length);
      return packed === INT32S ? this.out.integers(value) : this.out.doubles(value);
    }
    const tag = hasFields ? ARRAY_WITH_FIELDS : ARRAY;
    if (this.#depth >= this.#deepest && this.#isDeep(() => this.#elements(value, hasFields))) {
      return this.out.byte(tag);
    }
    this.out.byte(tag);
    this.#depth++;
    this.#elements(value, hasFields);
    this.#depth--;
  }

  #elements(value: readonly unknown[], hasFields: boolean): void {
    const { length } = value;
    this.out.count(length);
    let holes = 0;
    for (let i = 0; i < length; i++) {
      const element = value[i];
      if (element !== undefined || Object.hasOwn(value, i)) {
        holes = 0;
        this.#value(element, i);
      } else if (++holes < HOLES) this.out.byte(HOLE);
      else {
        this.#sparse(value, i);
        break;
      }
    }
    if (hasFields) this.#fields(value);
  }

  #sparse(value: readonly unknown[], from: number): void {
    const indices = Object.keys(value).map(Number).filter((index) => index >= from && index < value.length);
    this.out.byte(SPARSE);
    this.out.count(indices.length);
    for (const index of indices) {
      this.out.count(index);
      this.#value(value[index], index);
    }
  }

  #fields(value: object): void {
    if (!isRecord(value)) return;
    const keys = Object.keys(value).filter((key) => String(Number(key) >>> 0) !== key);
    this.out.count(keys.length);
    for (const key of keys) {
      this.out.string(key);
      this.#value(value[key], key);
    }
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    const entries = (): void => {
      // What a getter adds meanwhile is not sent.
      let index = 0;
      for (const [key, element] of [...Map.prototype.entries.call(value)]) {
        this.#value(key, entry("keys", index, key));
        this.#value(element, entry("values", index++, element));
      }
      this.out.byte(HOLE);
    };
    this.#container(MAP, entries);
  }

  #set(value: ReadonlySet<unknown>): void {
    this.#container(SET, () => {
      let index = 0;
      for (const element of [...Set.prototype.values.call(value)]) {
        this.#value(element, entry("values", index++, element));
      }
      this.out.byte(HOLE);
    });
  }

  #container(tag: number, write: () => void): void {
    const isDeep = this.#isDeep(write);
    this.out.byte(tag);
    if (isDeep) return;
    this.#depth++;
    write();
    this.#depth--;
  }

  #buffer(value: ArrayBuffer): void {
    this.out.byte(BUFFER);
    this.out.count(this.#bufferNumber(value, 0, value.byteLength));
  }

  #bufferNumber(buffer: ArrayBuffer, from: number, to: number): number {
    const number = this.buffers.add(buffer, from, to);
    if (number !== undefined) return number;
    throw this.#refused("its bytes were transferred away, or went with their owner");
  }

  #view(value: ArrayBufferView): void {
    const { buffer, byteOffset, byteLength } = value;
    const number = classOf(value);
    const size = ArrayBuffer.isView(value) && "BYTES_PER_ELEMENT" in value
      ? Number(value.BYTES_PER_ELEMENT)
      : 1;
    const isShared = types.isSharedArrayBuffer(buffer);
    // Nobody is told whether a view follows its buffer's length: one that reaches the end does.
    const follows = (isShared ? buffer.growable : buffer.resizable) &&
      byteOffset + byteLength > buffer.byteLength - size;
    this.out.byte(VIEW);
    this.out.byte(number);
    if (isShared) this.#value(buffer, "buffer");
    else {
      this.out.byte(BUFFER);
      this.out.count(this.#bufferNumber(buffer, byteOffset, byteOffset + byteLength));
    }
    this.out.count(byteOffset);
    this.out.count(follows ? 0 : byteLength / size + 1);
  }

  #sharedMemory(value: SharedArrayBuffer): void {
    this.out.byte(SHARED);
    try {
      this.out.count(this.#shared.nameOf(value));
    } catch (error) {
      throw this.#refused(error instanceof Error ? error.message : String(error), error);
    }
  }

  #boxed(value: object): void {
    const primitive = value.valueOf();
    if (typeof primitive === "symbol") throw this.#refused(why(primitive));
    this.out.byte(BOXED);
    this.#value(primitive, "");
  }

  #error(value: object): void {
    const number = classOfError(value);
    const inside = insideOf(value);
    const fields = (): void => this.#errorFields(value, number);
    const isDeep = this.#isDeep(fields);
    this.out.byte(ERROR);
    this.out.byte(number);
    if (inside !== undefined) {
      this.out.string(inside.name);
      this.out.string(inside.message);
    }
    if (isDeep) return;
    this.#depth++;
    fields();
    this.#depth--;
  }

  #errorFields(error: object, number: number): void {
    for (const { key, isEnumerable, value } of fieldsOf(error, number)) {
      this.#attempt(() => {
        this.out.string(key);
        this.out.byte(isEnumerable ? 1 : 0);
        this.#value(value, key);
      });
    }
    this.out.byte(HOLE);
  }

  /** Writes what is left out where it cannot be sent. */
  #attempt(write: () => void): void {
    const { out } = this;
    const [length, objects, shapes, late, given, depth] = [
      out.length,
      this.#objects.length,
      this.#shapes.length,
      this.#late.length,
      this.#given.length,
      this.#depth,
    ];
    try {
      write();
    } catch {
      out.at = out.start + length;
      if (this.#objects.length > FEW) {
        for (const object of this.#objects.slice(objects)) this.#numbers.delete(object);
      }
      this.#objects.length = objects;
      this.#shapes.length = shapes;
      this.#late.length = late;
      this.#depth = depth;
      this.dropGiven(given);
    }
  }

  #crossing(value: object): void {
    const crossing = crossingOf(value);
    if (crossing === undefined) throw this.#refused(why(value));
    let data: unknown;
    try {
      data = crossing.give(value);
    } catch (error) {
      throw this.#refused(error instanceof Error ? error.message : String(error), error);
    }
    this.#given.push({ crossing, data });
    this.out.byte(CROSSING);
    this.out.string(crossing.name);
    const deepest = this.#deepest;
    // It is needed as a whole by the time it is taken.
    this.#deepest = Infinity;
    this.#value(data, "");
    this.#deepest = deepest;
  }
}

function entry(part: Entry["part"], index: number, value: unknown): Step {
  return typeof value === "object" || typeof value === "function" || typeof value === "symbol"
    ? { part, index }
    : "";
}

/** The tag of a list of numbers, or 0 for any other, and for a short one. */
function packingOf(values: readonly unknown[]): number {
  const { length } = values;
  if (length < FEW) return 0;
  let i = 0;
  for (; i < length; i++) {
    const value = values[i];
    if (typeof value !== "number") return 0;
    if ((value | 0) !== value || Object.is(value, -0)) break;
  }
  if (i === length) return INT32S;
  for (; i < length; i++) if (typeof values[i] !== "number") return 0;
  return DOUBLES;
}
