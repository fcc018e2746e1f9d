import { type Fill, type IncomingBuffer, readBuffers } from "./buffers.ts";
import { emptyError, setField } from "./errors.ts";
import { DROPPED, IncomingCrossings, type SharedMemories } from "./incoming_crossings.ts";
import { isBigint, Reader } from "./reader.ts";
import {
  ARRAY,
  ARRAY_WITH_FIELDS,
  BOXED,
  BUFFER,
  BUFFER_OF,
  CROSSING,
  DATE,
  DOUBLE,
  DOUBLES,
  ERROR,
  ERRORS,
  FALSE,
  HOLE,
  INT16,
  INT32,
  INT32S,
  INTEGERS,
  isText,
  LATE,
  LEAST_INTEGER,
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
  TYPED,
  UNDEFINED,
  VIEW,
  VIEWS,
} from "./tags.ts";
import { viewOf } from "./views.ts";

/** Where a message lies: its bytes' own memory, and where in them it begins. */
export interface Memory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** Where the bytes of its buffers are elsewhere. */
  readonly fill?: Fill;
}

/** Reads messages, one after another. */
export class Decoder {
  readonly #in: Reader = new Reader();
  readonly #crossings: IncomingCrossings;
  readonly #objects: object[] = [];
  readonly #shapes: (readonly string[])[] = [];
  readonly #late: (() => void)[] = [];
  #buffers: readonly IncomingBuffer[] = [];

  constructor(shared: SharedMemories) {
    this.#crossings = new IncomingCrossings(shared);
  }

  /** The message's values. `length` is that of its own bytes where it has buffers, and 0 where it has none. */
  read({ bytes, fill, view }: Memory, start: number, length: number): unknown[] {
    const reader = this.#in;
    reader.begin(bytes, view, start);
    try {
      if (length > 0) {
        this.#buffers = readBuffers(reader, length, this.#crossings.isDropping ? leave : fill);
        reader.seek(0);
      }
      const count = reader.count();
      const values: unknown[] = [];
      for (let i = 0; i < count; i++) values.push(this.#value());
      // It grows while it is walked.
      for (const fill of this.#late) fill();
      this.#crossings.check();
      return values;
    } finally {
      this.#forget();
    }
  }

  /** Gives back what crosses in a message that nobody reads. */
  drop(memory: Memory, start: number, length: number): void {
    this.#crossings.isDropping = true;
    this.read(memory, start, length);
  }

  #forget(): void {
    // Making an empty array empty costs as much as the rest of a short message.
    if (this.#objects.length > 0) {
      this.#objects.length = 0;
      if (this.#shapes.length > 0) this.#shapes.length = 0;
      if (this.#late.length > 0) this.#late.length = 0;
      this.#buffers = NO_BUFFERS;
    }
    this.#crossings.forget();
  }

  #value(): unknown {
    return this.#tagged(this.#in.byte());
  }

  #tagged(tag: number): unknown {
    if (tag >= INTEGERS) return tag - INTEGERS + LEAST_INTEGER;
    if (isText(tag)) return this.#in.string(tag);
    switch (tag) {
      case DOUBLE:
        return this.#in.double();
      case INT16:
        return this.#in.int16();
      case INT32:
        return this.#in.int32();
      case UNDEFINED:
        return undefined;
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case REFERENCE:
        return this.#objects[this.#in.count()];
      default:
        return isBigint(tag) ? this.#in.bigint(tag) : this.#object(tag);
    }
  }

  #met<T extends object>(value: T): T {
    this.#objects.push(value);
    return value;
  }

  #object(tag: number): object {
    switch (tag) {
      case OBJECT:
      case SHAPED: {
        const record = this.#met<Record<string, unknown>>({});
        this.#record(record, this.#shape(tag));
        return record;
      }
      case ARRAY:
      case ARRAY_WITH_FIELDS:
        return this.#elements(this.#met<unknown[]>([]), tag);
      case INT32S:
        return this.#met(this.#in.integers());
      case DOUBLES:
        return this.#met(this.#in.doubles());
      case LATE:
        return this.#shell(this.#in.byte());
      default:
        return this.#special(tag);
    }
  }

  #special(tag: number): object {
    switch (tag) {
      case MAP:
        return this.#map(this.#met(new Map<unknown, unknown>()));
      case SET:
        return this.#set(this.#met(new Set<unknown>()));
      case DATE:
        return this.#met(new Date(this.#in.double()));
      case REGEXP:
        return this.#met(new RegExp(this.#in.string(this.#in.byte()), this.#in.string(this.#in.byte())));
      case BOXED:
        return this.#met(Object(this.#value()));
      case ERROR:
        return this.#fields(this.#error());
      case TYPED:
        return this.#met(this.#in.view());
      case BUFFER:
      case BUFFER_OF:
        return this.#met(this.#buffer(tag).buffer);
      case VIEW:
        return this.#view();
      case SHARED:
        return this.#met(this.#crossings.memory(this.#in.count()));
      case CROSSING:
        return this.#crossing();
      default:
        throw this.#in.unknown(tag);
    }
  }

  /** What comes late, empty until then. */
  #shell(tag: number): object {
    switch (tag) {
      case OBJECT: {
        const record = this.#met<Record<string, unknown>>({});
        this.#late.push(() => this.#record(record, this.#shape(this.#in.byte())));
        return record;
      }
      case ARRAY:
      case ARRAY_WITH_FIELDS: {
        const array = this.#met<unknown[]>([]);
        this.#late.push(() => this.#elements(array, tag));
        return array;
      }
      case MAP: {
        const map = this.#met(new Map<unknown, unknown>());
        this.#late.push(() => this.#map(map));
        return map;
      }
      case SET: {
        const set = this.#met(new Set<unknown>());
        this.#late.push(() => this.#set(set));
        return set;
      }
      case ERROR: {
        const error = this.#error();
        this.#late.push(() => this.#fields(error));
        return error;
      }
      default:
        throw this.#in.unknown(tag);
    }
  }

  #shape(tag: number): readonly string[] {
    if (tag === SHAPED) return this.#shapes[this.#in.count()];
    if (tag !== OBJECT) throw this.#in.unknown(tag);
    const count = this.#in.count();
    const keys: string[] = [];
    for (let i = 0; i < count; i++) keys.push(this.#in.key(this.#in.byte()));
    if (this.#shapes.length < SHAPES) this.#shapes.push(keys);
    return keys;
  }

  #record(record: Record<string, unknown>, keys: readonly string[]): void {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      const value = this.#value();
      if (key === "__proto__") define(record, key, value);
      else record[key] = value;
    }
  }

  #elements(array: unknown[], tag: number): unknown[] {
    const length = this.#in.count();
    for (let i = 0; i < length; i++) {
      const tag = this.#in.byte();
      if (tag === SPARSE) {
        for (let rest = this.#in.count(); rest > 0; rest--) {
          const index = this.#in.count();
          array[index] = this.#value();
        }
        break;
      }
      if (tag !== HOLE) array[i] = this.#tagged(tag);
    }
    array.length = length;
    if (tag === ARRAY_WITH_FIELDS) {
      for (let rest = this.#in.count(); rest > 0; rest--) {
        define(array, this.#in.string(this.#in.byte()), this.#value());
      }
    }
    return array;
  }

  #map(map: Map<unknown, unknown>): object {
    for (let tag = this.#in.byte(); tag !== HOLE; tag = this.#in.byte()) {
      const key = this.#tagged(tag);
      map.set(key, this.#value());
    }
    return map;
  }

  #set(set: Set<unknown>): object {
    for (let tag = this.#in.byte(); tag !== HOLE; tag = this.#in.byte()) set.add(this.#tagged(tag));
    return set;
  }

  #error(): object {
    const number = this.#in.byte();
    if (ERRORS[number] !== "DOMException") return this.#met(emptyError(number));
    const name = this.#in.string(this.#in.byte());
    return this.#met(emptyError(number, { name, message: this.#in.string(this.#in.byte()) }));
  }

  #fields(error: object): object {
    for (let tag = this.#in.byte(); tag !== HOLE; tag = this.#in.byte()) {
      const key = this.#in.string(tag);
      const isEnumerable = this.#in.byte() === 1;
      setField(error, { key, isEnumerable, value: this.#value() });
    }
    return error;
  }

  #buffer(tag: number): IncomingBuffer {
    const number = this.#in.count();
    if (tag === BUFFER) return this.#buffers[number];
    const view = this.#objects[number];
    if (ArrayBuffer.isView(view) && view.buffer instanceof ArrayBuffer) {
      return { buffer: view.buffer, from: 0 };
    }
    throw this.#in.unknown(tag);
  }

  #view(): object {
    const place = this.#objects.push(this) - 1;
    const number = this.#in.byte();
    const tag = this.#in.byte();
    const { buffer, from } = tag === BUFFER || tag === BUFFER_OF
      ? this.#buffer(tag)
      : this.#sharedBuffer(tag);
    const byteOffset = this.#in.count() - from;
    const length = this.#in.count() - 1;
    if (this.#crossings.isDropping) return DROPPED;
    if (number >= VIEWS.length) throw this.#in.unknown(number);
    return this.#objects[place] = viewOf(number, buffer, byteOffset, length < 0 ? undefined : length);
  }

  #sharedBuffer(tag: number): { buffer: SharedArrayBuffer; from: number } {
    const buffer = this.#tagged(tag);
    if (buffer instanceof SharedArrayBuffer) return { buffer, from: 0 };
    throw this.#in.unknown(tag);
  }

  #crossing(): object {
    const place = this.#objects.push(this) - 1;
    const name = this.#in.string(this.#in.byte());
    const data = this.#value();
    return this.#objects[place] = this.#crossings.take(name, data);
  }
}

const NO_BUFFERS: readonly IncomingBuffer[] = [];

/** Fills nothing: of what is dropped nobody reads the bytes. */
function leave(): void {}

function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
