import { checkRange } from "./byte_range.ts";
import { unwatch, watch } from "./forgotten.ts";
import type { StableBytes } from "./stable_bytes.ts";

/** What makes an `Rc` over it a cart. */
export type Bytes = Uint8Array<ArrayBuffer> | StableBytes;

interface Box<T> {
  readonly value: T;
  readonly drop: () => void;
  /** Of all handles and holds. At 0 the value was dropped, or unwrapped. */
  count: number;
}

/** A handle's part of the count, which outlives the handle if that is forgotten. */
interface Share {
  isDisposed: boolean;
  holds: number;
}

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Rc");

function disposeIfDisposable(value: unknown): void {
  if (typeof value !== "object" || value === null || !(Symbol.dispose in value)) return;
  const dispose = value[Symbol.dispose];
  if (typeof dispose === "function") Reflect.apply(dispose, value, []);
}

function subtract<T>(box: Box<T>, shares: number): void {
  if (shares === 0) return;
  box.count -= shares;
  if (box.count === 0) box.drop();
}

function byteLengthOf<T>(value: T): T extends Bytes ? number : undefined;
function byteLengthOf(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null || !("byteLength" in value)) return undefined;
  return typeof value.byteLength === "number" ? value.byteLength : undefined;
}

/**
 * A value with several owners in one thread, counted: the last of them to be disposed drops it. Rust's `Rc`.
 *
 * `Rc.of` makes the first handle, `clone` each other; a handle is disposed by whoever has it, and throws from
 * then on. The value is the count's own: nobody else should dispose it. An `Rc` over bytes is a cart, which its
 * type says; over a value that can be transferred away, such as an ordinary `Uint8Array`, it keeps nobody from
 * doing so: copy it into `PinnedBytes` where that matters.
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
  readonly #share: Share = { isDisposed: false, holds: 0 };

  private constructor(key: symbol, box: Box<T>) {
    if (key !== KEY) throw new TypeError("cannot make an Rc: call Rc.of");
    this.#box = box;
    box.count++;
    const share = this.#share;
    watch(this, "a handle of an Rc", () => subtract(box, share.holds + (share.isDisposed ? 0 : 1)));
  }

  /**
   * The first handle on `value`. The last one calls `drop`; where none is given, the value's own
   * `[Symbol.dispose]`, if it has one.
   */
  static of<T>(value: T, drop: (value: T) => void = disposeIfDisposable): Rc<T> {
    return new Rc<T>(KEY, { value, drop: () => drop(value), count: 0 });
  }

  /** The value. Throws on a disposed handle. */
  get value(): T {
    if (this.#share.isDisposed) throw new Error("cannot read an Rc: this handle was disposed");
    return this.#box.value;
  }

  /** How many handles there are, and holds by `retain`. 0 once the value was dropped. */
  get count(): number {
    return this.#box.count;
  }

  /** Whether this handle was disposed: others may not be. */
  get isDisposed(): boolean {
    return this.#share.isDisposed;
  }

  /** Another handle on the value. Throws on a disposed one. */
  clone(): Rc<T> {
    if (this.#share.isDisposed) throw new Error("cannot clone an Rc: this handle was disposed");
    return new Rc(KEY, this.#box);
  }

  /**
   * The value, if this is its only owner: the handle ends then and nothing is dropped. Otherwise `undefined`, and
   * the handle stays. Throws on a disposed one.
   */
  tryUnwrap(): T | undefined {
    const { value } = this;
    if (this.#box.count > 1) return undefined;
    this.#box.count = 0;
    this.#share.isDisposed = true;
    unwatch(this);
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
    const { value } = this.#held("read");
    if (!(value instanceof Uint8Array)) return value.bytes(offset, length);
    if (value.buffer.detached) {
      throw new TypeError("cannot read an Rc: the buffer under its bytes was transferred away");
    }
    checkRange("an Rc", value.byteLength, offset, length);
    return value.subarray(offset, offset + length);
  }

  /** Counts one owner more, through this handle, which may be disposed then: what a yoke does. */
  retain(): void {
    this.#held("retain").count++;
    this.#share.holds++;
  }

  /** Ends one `retain`. The last owner drops the value. */
  release(): void {
    if (this.#share.holds === 0) throw new Error("cannot release an Rc: this handle is not retained");
    this.#share.holds--;
    this.#end();
  }

  /** Gives up this handle's part of the count, and drops the value with the last. Again, it does nothing. */
  [Symbol.dispose](): void {
    if (this.#share.isDisposed) return;
    this.#share.isDisposed = true;
    this.#end();
  }

  #held(action: string): Box<T> {
    const { isDisposed, holds } = this.#share;
    if (isDisposed && holds === 0) throw new Error(`cannot ${action} an Rc: this handle was disposed`);
    return this.#box;
  }

  #end(): void {
    if (this.#share.isDisposed && this.#share.holds === 0) unwatch(this);
    subtract(this.#box, 1);
  }
}
