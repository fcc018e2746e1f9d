import { crossingOf } from "../../../mem/crossing.ts";
import { OutgoingBuffers } from "./buffers.ts";
import { cloneError, type Path, shownPath, type Step, why } from "./clone_error.ts";
import { writeArrayFields, writeRest, writeSpecial } from "./encode_special.ts";
import { isRecord, kindOf } from "./kinds.ts";
import { ObjectNumbers } from "./object_numbers.ts";
import { OutgoingCrossings, type SharedNames } from "./outgoing_crossings.ts";
import { packingOf } from "./packing.ts";
import {
  ARRAY,
  ARRAY_WITH_FIELDS,
  CROSSING,
  DEPTH,
  FALSE,
  HOLE,
  INT32S,
  LATE,
  NULL,
  OBJECT,
  REFERENCE,
  SHAPED,
  SHAPES,
  TRUE,
  UNDEFINED,
} from "./tags.ts";
import { Writer } from "./writer.ts";

/** Something deeper than `DEPTH`, to be written late. */
interface Late {
  /** Of the value that it is in. */
  readonly index: number;
  readonly write: () => void;
  readonly path: Path;
}

/** After so many holes in a row an array is taken to be sparse. */
const HOLES = 64;

const { prototype: OBJECTS } = Object;
const { prototype: ARRAYS } = Array;

/** Writes values as a message, one message after another. */
export class Encoder {
  readonly out: Writer = new Writer();
  readonly buffers: OutgoingBuffers = new OutgoingBuffers();
  readonly shared: SharedNames;
  readonly objects: ObjectNumbers = new ObjectNumbers();
  readonly #shapes: (readonly string[])[] = [];
  readonly #late: Late[] = [];
  readonly #given: OutgoingCrossings = new OutgoingCrossings();
  #call: (index: number) => string = String;
  #index = 0;
  #path: Step[] = [];
  #before: Path | null = null;
  #depth = 0;
  #deepest = DEPTH;

  constructor(shared: SharedNames) {
    this.shared = shared;
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
        this.value(values[i], "");
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
    if (this.objects.length === 0) return;
    this.objects.truncate(0);
    if (this.#shapes.length > 0) this.#shapes.length = 0;
    if (this.#late.length > 0) this.#late.length = 0;
    this.#before = null;
  }

  /** Gives up what was given to the message, where it will not be sent. */
  dropGiven(): void {
    this.#given.drop();
  }

  /** From here on what was given is the message's own. */
  send(): void {
    this.#given.send();
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

  /** Writes one, `step` from what it is in. */
  value(value: unknown, step: Step): void {
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
        throw this.refused(why(value));
    }
  }

  /** The error for what is written just now. */
  refused(reason: string, cause?: unknown): DOMException {
    return cloneError(shownPath(this.#call(this.#index), this.#here()), reason, cause);
  }

  #here(): Path {
    return { before: this.#before, steps: this.#path.slice(0, this.#depth + 1) };
  }

  #object(value: object): void {
    const known = this.objects.of(value);
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
    writeSpecial(this, value, kind);
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
    for (let i = 0; i < keys.length; i++) this.value(value[keys[i]], keys[i]);
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
        this.value(element, i);
      } else if (++holes < HOLES) this.out.byte(HOLE);
      else {
        writeRest(this, value, i);
        break;
      }
    }
    if (hasFields) writeArrayFields(this, value);
  }

  /** Writes a tag, what `head` does, and what is inside it: now, or late where it is deep. */
  container(tag: number, write: () => void, head?: () => void): void {
    const isDeep = this.#isDeep(write);
    this.out.byte(tag);
    if (head !== undefined) head();
    if (isDeep) return;
    this.#depth++;
    write();
    this.#depth--;
  }

  /** Writes what is left out where it cannot be sent. */
  attempt(write: () => void): void {
    const { buffers, objects, out } = this;
    const [length, count, shapes, late, given, depth] = [
      out.length,
      objects.length,
      this.#shapes.length,
      this.#late.length,
      this.#given.length,
      this.#depth,
    ];
    try {
      write();
    } catch {
      out.at = out.start + length;
      objects.truncate(count);
      buffers.truncate(count);
      this.#shapes.length = shapes;
      this.#late.length = late;
      this.#depth = depth;
      this.#given.drop(given);
    }
  }

  #crossing(value: object): void {
    const crossing = crossingOf(value);
    if (crossing === undefined) throw this.refused(why(value));
    let data: unknown;
    try {
      data = this.#given.give(crossing, value);
    } catch (error) {
      throw this.refused(error instanceof Error ? error.message : String(error), error);
    }
    this.out.byte(CROSSING);
    this.out.string(crossing.name);
    const deepest = this.#deepest;
    // It is needed as a whole by the time it is taken.
    this.#deepest = Infinity;
    this.value(data, "");
    this.#deepest = deepest;
  }
}
