import { Buffer } from "node:buffer";
import { isDetached } from "./byte_source.ts";

/** The probe of an empty value, whose memory cannot go. */
const ALWAYS_THERE = new Uint8Array(1);
/** The probe once the value was taken out. */
const SPENT = new Uint8Array(0);

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Cow");

/** By kind, as each host makes them: a subclass may have anything made of its `Symbol.species`. */
const KINDS = new Map(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    BigInt64Array,
    BigUint64Array,
    Float16Array,
    Float32Array,
    Float64Array,
  ].map((Kind) => [Kind.name, Kind]),
);

/** The getter of %TypedArray%, which no subclass changes: it knows a `DataView` by having no name for it. */
const nameOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get;

/** A copy in unshared memory of its own. It has the view's prototype; a subclass's constructor is not run. */
function copyOf<T extends ArrayBufferView>(view: T): T {
  const Kind = KINDS.get(kindOf(view));
  const copy = Kind === undefined
    ? new DataView(new Uint8Array(bytesOf(view)).buffer)
    : Reflect.construct(Kind, [view]);
  const prototype = Object.getPrototypeOf(view);
  return Object.getPrototypeOf(copy) === prototype ? copy : Object.setPrototypeOf(copy, prototype);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** `Float32Array`, `DataView`: the kind, whichever subclass it is; of what is no view, what it is. */
function kindOf(view: ArrayBufferView): string {
  if (ArrayBuffer.isView(view)) return nameOf?.call(view) ?? "DataView";
  return Object.prototype.toString.call(view).slice("[object ".length, -1);
}

function isShared({ buffer }: ArrayBufferView): boolean {
  return !(buffer instanceof ArrayBuffer);
}

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength;
}

/** Floats are equal as numbers and not as bits: -0 and 0 are, NaN and NaN are not. */
function areFloats(view: ArrayBufferView): view is Float16Array | Float32Array | Float64Array {
  return kindOf(view).startsWith("Float");
}

function probeOf(view: ArrayBufferView): Uint8Array {
  if (view.byteLength === 0) return ALWAYS_THERE;
  return view instanceof Uint8Array ? view : bytesOf(view);
}

function areEqual(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.byteLength !== b.byteLength || kindOf(a) !== kindOf(b)) return false;
  if (!(areFloats(a) && areFloats(b))) return Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** A view whose elements may be assigned to, also where it was borrowed from a map that is only read. */
export type Writable<T> = T extends { readonly [index: number]: infer E } ? T & { [index: number]: E } : T;

/** A typed array or a `DataView` that is borrowed until it is to change: three words, and no copy before that. */
export class Cow<T extends ArrayBufferView> {
  #value: T;
  #isBorrowed: boolean;
  /** The value's memory, empty where that is gone: of one type always, so that asking it stays cheap. */
  #probe: Uint8Array;

  private constructor(key: symbol, value: T, isBorrowed: boolean) {
    if (key !== KEY) throw new TypeError("cannot make a Cow: call Cow.borrowed or Cow.owned");
    if (!ArrayBuffer.isView(value)) {
      throw new TypeError(`cannot make a Cow: value is ${kindOf(value)}, not a typed array or a DataView`);
    }
    this.#value = value;
    this.#isBorrowed = isBorrowed;
    if (isDetached(value)) throw new TypeError(`cannot make a Cow: ${this.#gone()}`);
    this.#probe = probeOf(value);
  }

  /**
   * Borrows the view: it is read and never written to. It must not change under the Cow. Costs no copy. Throws a
   * `TypeError` for what is no view, or whose memory is gone already.
   */
  static borrowed<T extends ArrayBufferView>(value: T): Cow<T> {
    return new Cow(KEY, value, true);
  }

  /** Takes the view over: it is written to in place, and nobody else should. Throws as `borrowed` does. */
  static owned<T extends ArrayBufferView>(value: T): Cow<T> {
    return new Cow(KEY, value, false);
  }

  /** Whether the value is still the one that was borrowed. */
  get isBorrowed(): boolean {
    return this.#isBorrowed;
  }

  /**
   * The value, to be read: while it is borrowed, a write through it goes to memory that is not the Cow's. Costs one
   * comparison. Throws a `TypeError` where the memory is gone, or `intoOwned` took the value out.
   */
  get value(): T {
    if (this.#probe.length === 0) this.#probeAgain();
    return this.#value;
  }

  /** A view that follows a resizable buffer is there where its probe, which does not, lies outside. */
  #probeAgain(): void {
    if (this.#probe === SPENT) {
      throw new TypeError("cannot use a Cow after intoOwned took its value out");
    }
    if (isDetached(this.#value) || this.#value.byteLength === 0) {
      throw new TypeError(`cannot use the Cow: ${this.#gone()}`);
    }
    this.#probe = probeOf(this.#value);
  }

  #gone(): string {
    return this.#isBorrowed
      ? "the memory that it borrows is gone; was its map disposed, its buffer transferred or cut short?"
      : "its own memory is gone; was its buffer transferred or cut short?";
  }

  /**
   * The value, to be written to. Where it is borrowed it is copied first, into `into` if that is given and into new
   * memory otherwise, which is not filled with zeros before; the Cow owns the copy from then on, so that it is
   * copied at most once. New memory is never shared. The copy has the value's prototype, and the constructor of a
   * subclass is not run for it.
   *
   * `into` is of the same type and length, does not overlap what is borrowed, and is not shared memory where that is:
   * a `TypeError` or `RangeError` where it is not so; it is not looked at where the Cow owns its value. An overlap is
   * seen within one buffer: two buffers over the same pages, of one map or of two maps of a file, cannot be told from
   * any others, and are for the caller to keep apart. If there is no memory for the copy the host's `RangeError` is
   * thrown, and the Cow stays borrowed. Throws as `value` does.
   */
  toMut(options?: { into?: T }): Writable<T>;
  toMut(options: { into?: T } = {}): T {
    const value = this.value;
    if (!this.#isBorrowed) return value;
    if (typeof options !== "object" || options === null) {
      throw new TypeError(`cannot copy the Cow's value: options is ${kindOf(options)}`);
    }
    const { into } = options;
    const copy = into === undefined ? copyOf(value) : copyInto(into, value);
    this.#probe = probeOf(copy);
    this.#value = copy;
    this.#isBorrowed = false;
    return copy;
  }

  /**
   * Takes the value out, copied if it is borrowed. The Cow is spent: using it again is a `TypeError`. Throws as
   * `toMut` does, and then the Cow is as it was.
   */
  intoOwned(): Writable<T>;
  intoOwned(): T {
    const value: T = this.toMut();
    this.#probe = SPENT;
    return value;
  }

  /**
   * Whether both hold equal elements, owned or not. Floats are compared as numbers: -0 equals 0, and NaN nothing.
   * Throws as `value` does, and a `TypeError` where the other is neither a Cow nor a view.
   */
  equals(other: Cow<T> | T): boolean {
    const { value } = this;
    if (other instanceof Cow) return areEqual(value, other.value);
    if (!ArrayBuffer.isView(other)) {
      throw new TypeError(`cannot compare the Cow's value: other is ${kindOf(other)}, no Cow and no view`);
    }
    if (isDetached(other)) throw new TypeError("cannot compare the Cow's value: the memory of other is gone");
    return areEqual(value, other);
  }
}

function copyInto<T extends ArrayBufferView>(into: T, value: T): T {
  const kind = kindOf(value);
  if (!ArrayBuffer.isView(into) || kindOf(into) !== kind) {
    throw new TypeError(`cannot copy the Cow's ${kind}: into is ${kindOf(into)}`);
  }
  if (isDetached(into)) throw new TypeError(`cannot copy the Cow's ${kind}: the memory of into is gone`);
  if (isShared(into) && isShared(value)) {
    throw new TypeError(
      `cannot copy the Cow's ${kind}: into and what it borrows are both shared memory, which may be the same`,
    );
  }
  if (into.byteLength !== value.byteLength) {
    throw new RangeError(
      `cannot copy the Cow's ${value.byteLength} bytes: into has ${into.byteLength}, and takes as many`,
    );
  }
  if (overlap(into, value)) {
    throw new RangeError("cannot copy what the Cow borrows: into overlaps it, and it would be overwritten");
  }
  bytesOf(into).set(bytesOf(value));
  return into;
}
