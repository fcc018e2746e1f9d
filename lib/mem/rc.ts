import { checkRange } from "./byte_range.ts";
import { type Count, Part } from "./part.ts";
import type { StableBytes } from "./stable_bytes.ts";

/** What makes an `Rc` over it a cart. */
export type Bytes = Uint8Array<ArrayBuffer> | StableBytes;

/** A value that moves and ends unless it is retained. */
type Cart = Pick<StableBytes, "retain" | "release">;

function isCart(value: unknown): value is Cart {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return false;
  if (byteLengthOf(value) === undefined || !("retain" in value && "release" in value)) return false;
  return typeof value.retain === "function" && typeof value.release === "function";
}

class Box<T> implements Count {
  readonly value: T;
  #drop: () => void;
  /** Of all handles and holds. At 0 the value was dropped, or unwrapped. */
  total = 1;
  #holds = 0;
  /** The value, retained once for all holds. */
  #held: Cart | undefined;

  constructor(value: T, drop: (value: T) => void) {
    this.value = value;
    this.#drop = () => drop(value);
  }

  add(kind: "handle" | "hold"): void {
    if (kind === "hold") {
      if (this.#holds === 0 && isCart(this.value)) {
        this.value.retain();
        this.#held = this.value;
      }
      this.#holds++;
    }
    this.total++;
  }

  /** The last owner takes the value with it. */
  unwrap(): void {
    this.#drop = () => {};
  }

  subtract(handles: number, holds: number): void {
    this.total -= handles + holds;
    this.#holds -= holds;
    const held = this.#holds === 0 ? this.#held : undefined;
    if (held !== undefined) this.#held = undefined;
    try {
      held?.release();
    } finally {
      if (this.total === 0) this.#drop();
    }
  }
}

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Rc");

function disposeIfDisposable(value: unknown): void {
  if (typeof value !== "object" || value === null || !(Symbol.dispose in value)) return;
  const dispose = value[Symbol.dispose];
  if (typeof dispose === "function") Reflect.apply(dispose, value, []);
}

function byteLengthOf<T>(value: T): T extends Bytes ? number : undefined;
function byteLengthOf(value: unknown): number | undefined {
  const isObject = typeof value === "object" && value !== null;
  if (!isObject || !("byteLength" in value && "bytes" in value || value instanceof Uint8Array)) {
    return undefined;
  }
  return typeof value.byteLength === "number" ? value.byteLength : undefined;
}

/**
 * A value with several owners in one thread, counted: the last of them to be disposed drops it. Rust's `Rc`.
 *
 * `Rc.of` makes the first handle, `clone` each other; a handle is disposed by whoever has it, and throws from
 * then on. The value is the count's own: nobody else should dispose it. An `Rc` over bytes is a cart, which its
 * type says; over a value that can be transferred away, such as an ordinary `Uint8Array`, it keeps nobody from
 * doing so: copy it into `PinnedBytes` where that matters. A value that is a cart itself, such as a map, is retained
 * while the `Rc` is, by a yoke or by hand: it stays where it is then, whoever disposes it.
 *
 * Values that hold a handle on themselves are never dropped, as in Rust. A handle that was collected without
 * having been disposed gives its part of the count back then.
 *
 * @example
 * ```ts
 * import { Rc } from "@oxbow/oxbow/yoke";
 *
 * using one = Rc.of(["a", "b"], () => console.log("dropped"));
 * {
 *   using other = one.clone();
 *   console.log(other.value, other.count); // [ "a", "b" ] 2
 * }
 * console.log(one.count); // 1, and at the end: dropped
 * ```
 */
export class Rc<T> implements Disposable {
  readonly #box: Box<T>;
  readonly #part: Part;

  private constructor(key: symbol, box: Box<T>) {
    if (key !== KEY) throw new TypeError("cannot make an Rc: call Rc.of");
    this.#box = box;
    this.#part = new Part("an Rc's handle", box);
    this.#part.watch(this);
  }

  /**
   * The first handle on `value`. The last one calls `drop`; where none is given, the value's own
   * `[Symbol.dispose]`, if it has one. Throws a `TypeError` where `drop` is no function.
   */
  static of<T>(value: T, drop: (value: T) => void = disposeIfDisposable): Rc<T> {
    if (typeof drop !== "function") throw new TypeError("cannot make an Rc: drop is no function");
    return new Rc<T>(KEY, new Box(value, drop));
  }

  /** The value. Throws on a disposed handle. */
  get value(): T {
    this.#part.requireOpen("read");
    return this.#box.value;
  }

  /** How many handles there are, and holds by `retain`. 0 once the value was dropped. */
  get count(): number {
    return this.#box.total;
  }

  /** Whether this handle was disposed: others may not be. */
  get isDisposed(): boolean {
    return this.#part.isDisposed;
  }

  /** Another handle on the value. Throws on a disposed one. */
  clone(): Rc<T> {
    this.#part.requireOpen("clone");
    this.#box.add("handle");
    return new Rc(KEY, this.#box);
  }

  /**
   * The value, if this is its only owner: the handle ends then and nothing is dropped. Otherwise `undefined`, and
   * the handle stays. Throws on a disposed one.
   */
  tryUnwrap(): T | undefined {
    const { value } = this;
    if (this.#box.total > 1) return undefined;
    this.#box.unwrap();
    this.#part.dispose(this);
    return value;
  }

  /** In bytes, of a value that has such; `undefined` of another, which therefore is no cart. */
  get byteLength(): T extends Bytes ? number : undefined {
    return byteLengthOf(this.#box.value);
  }

  /**
   * The value's bytes, or `length` of them from `offset`, without a copy. Throws a `RangeError` outside of them, and
   * once the value was dropped.
   */
  bytes(
    this: Rc<Bytes>,
    offset = 0,
    length: number = this.#box.value.byteLength - offset,
  ): Uint8Array<ArrayBuffer> {
    this.#part.requireHeld("read");
    const { value } = this.#box;
    if (!(value instanceof Uint8Array)) return value.bytes(offset, length);
    if (value.buffer.detached) {
      throw new TypeError("cannot read an Rc: the buffer under its bytes was transferred away");
    }
    checkRange("an Rc", value.byteLength, offset, length);
    return value.subarray(offset, offset + length);
  }

  /** Counts one owner more, through this handle, which may be disposed then: what a yoke does. */
  retain(): void {
    this.#part.retain();
  }

  /** Ends one `retain`. The last owner drops the value. */
  release(): void {
    this.#part.release(this);
  }

  /** Gives up this handle's part of the count, and drops the value with the last. Again, it does nothing. */
  [Symbol.dispose](): void {
    this.#part.dispose(this);
  }
}
