import { Buffer } from "node:buffer";
import { isDetached } from "./byte_source.ts";

/** The probe of an empty value, whose memory cannot go. */
const ALWAYS_THERE = new Uint8Array(1);
/** The probe once the value was taken out. */
const SPENT = new Uint8Array(0);

/** %TypedArray%'s own, which fills its copy in place of zeros, and knows subclasses: `Buffer`'s gives a view. */
const { slice } = Object.getPrototypeOf(Uint8Array.prototype);

function copyOf<T extends ArrayBufferView>(view: T): T {
  if ("BYTES_PER_ELEMENT" in view) return slice.call(view);
  const { buffer, byteOffset, byteLength } = view;
  return Reflect.construct(view.constructor, [buffer.slice(byteOffset, byteOffset + byteLength)]);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** `Float32Array`, `DataView`: the kind, whichever subclass it is. */
function kindOf(view: ArrayBufferView): string {
  return Object.prototype.toString.call(view).slice("[object ".length, -1);
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

  private constructor(value: T, isBorrowed: boolean) {
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
    return new Cow(value, true);
  }

  /** Takes the view over: it is written to in place, and nobody else should. Throws as `borrowed` does. */
  static owned<T extends ArrayBufferView>(value: T): Cow<T> {
    return new Cow(value, false);
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
   * copied at most once. A copy of shared memory is not shared.
   *
   * `into` is of the same type and length, and does not overlap what is borrowed: a `TypeError` or `RangeError`
   * where it is not so; it is not looked at where the Cow owns its value. If there is no memory for the copy the
   * host's `RangeError` is thrown, and the Cow stays borrowed. Throws as `value` does.
   */
  toMut(options?: { into?: T }): Writable<T>;
  toMut({ into }: { into?: T } = {}): T {
    const value = this.value;
    if (!this.#isBorrowed) return value;
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
   * Throws as `value` does.
   */
  equals(other: Cow<T> | T): boolean {
    return areEqual(this.value, other instanceof Cow ? other.value : other);
  }
}

function copyInto<T extends ArrayBufferView>(into: T, value: T): T {
  const kind = kindOf(value);
  if (!ArrayBuffer.isView(into) || kindOf(into) !== kind) {
    throw new TypeError(`cannot copy the Cow's ${kind}: into is ${kindOf(into)}`);
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
