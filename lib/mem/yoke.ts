/**
 * Values over bytes that somebody must keep: a yoke fastens what was derived from a file, such as its tensors
 * or its text, to the cart that holds the file's bytes, and both can then be moved about, cached and evicted as
 * one. The cart goes with the last yoke on it.
 *
 * In Rust the compiler knows that a slice borrows from its buffer, and a yoke erases that lifetime; in TypeScript
 * nobody knows, and a yoke writes it down. A cart is anything with bytes that stay put (`StableBytes`): an `Mmap`,
 * `PinnedBytes`, an `Rc` over bytes, an `Arc` across workers. A yoke retains it when it is made and releases it when
 * it is disposed; a cart that its own owner disposes in between stays until the last yoke has gone. So `using` frees
 * both: the cart where it was opened, the yoke where it is dropped.
 *
 * Follows https://github.com/unicode-org/icu4x/blob/main/utils/yoke/design_doc.md. It needs no permission of its own.
 *
 * @example
 * ```ts
 * import { PinnedBytes, type StableBytes, Yoke } from "@oxbow/oxbow/yoke";
 *
 * function open(): Yoke<Float32Array, StableBytes> {
 *   using cart = PinnedBytes.copy(new Uint8Array(Float32Array.of(1, 2, 3).buffer));
 *   return Yoke.attach(cart, (cart) => new Float32Array(cart.bytes().buffer, 0, 3));
 * } // the cart stays: the yoke holds it
 *
 * const cache = new Map([["weights", open()]]);
 * using mine = cache.get("weights")?.clone();
 * cache.get("weights")?.[Symbol.dispose](); // evicted
 * console.log(mine?.value[2]); // 3, and gone with the clone
 * ```
 *
 * @module
 */
import { unwatch, watch } from "./forgotten.ts";
import type { StableBytes } from "./stable_bytes.ts";

export { Arc, type ArcHandle, type ArcOptions } from "./arc.ts";
export { PinnedBytes } from "./pinned_bytes.ts";
export { type Bytes, Rc } from "./rc.ts";
export type { StableBytes } from "./stable_bytes.ts";

/** Any cart, or none. */
export type ErasedCart = StableBytes | null;

/** A class, though its constructor may be private. */
// deno-lint-ignore ban-types -- `instanceof` takes nothing else.
export type CartClass<D> = Function & { readonly prototype: D };

interface Held<Y, C> {
  value: Y;
  readonly cart: C;
}

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Yoke");

type AnyYoke = Yoke<unknown, ErasedCart>;

/**
 * Whoever still has a value has its yokes: `attach(…).value` would otherwise lose its bytes at a time that
 * the collector chooses.
 */
const yokes = new WeakMap<WeakKey, AnyYoke | Set<AnyYoke>>();

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function keepWithValue(value: unknown, cart: ErasedCart, yoke: AnyYoke): void {
  // A cart that is its own value is kept by the registry, and would keep the yoke for ever.
  if (cart === null || !isObject(value) || value === cart) return;
  const kept = yokes.get(value);
  if (!(kept instanceof Set)) {
    // A set for a single one would cost as much as all else.
    yokes.set(value, kept === undefined ? yoke : new Set([kept, yoke]));
    return;
  }
  // A yoke that withMut gave another value stays with this one when it is disposed: for each that comes, the two
  // that were looked at longest ago go where they are such.
  let looked = 0;
  for (const other of kept) {
    kept.delete(other);
    if (!other.isDisposed) kept.add(other);
    if (++looked === 2) break;
  }
  kept.add(yoke);
}

function requireFunction(action: string, name: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`cannot ${action} a yoke: ${name} is no function`);
}

function isCart(cart: unknown): boolean {
  if (!isObject(cart) || !("bytes" in cart && "retain" in cart && "release" in cart)) return false;
  const { bytes, retain, release } = cart;
  return typeof bytes === "function" && typeof retain === "function" && typeof release === "function";
}

function requireCart(action: string, cart: unknown): void {
  if (isCart(cart)) return;
  const found = cart === null ? "null" : typeof cart;
  throw new TypeError(
    `cannot ${action} a yoke: cart is ${found}, and no StableBytes; Yoke.alwaysOwned is for values without one`,
  );
}

function isInstance<D>(value: unknown, Class: CartClass<D>): value is D {
  return value instanceof Class;
}

/** A promise would read the cart after the yoke was made, or had gone. */
function atOnce<Y>(value: Y, action: string): Y {
  if (isObject(value) && "then" in value && typeof value.then === "function") {
    throw new TypeError(
      `cannot ${action} a yoke: the function gave a promise; give what needs no waiting, and await before`,
    );
  }
  return value;
}

/** A value of type `Y` and its cart of type `C`, which is `null` for a value that needs none. */
export class Yoke<Y, C extends ErasedCart = ErasedCart> implements Disposable {
  /** Nothing once disposed, or while `withMut` changes it. From here to its release the cart is retained, once. */
  #held: Held<Y, C> | undefined;
  #isChanging = false;

  /** Takes over one retain of `cart`. */
  private constructor(key: symbol, value: Y, cart: C) {
    if (key !== KEY) throw new TypeError("cannot make a yoke: call Yoke.attach");
    this.#held = { value, cart };
    if (cart === null) return;
    watch(this, "a yoke", () => cart.release());
    keepWithValue(value, cart, this);
  }

  static #attached<Y, C extends ErasedCart>(cart: C, action: string, derive: () => Y): Yoke<Y, C> {
    cart?.retain();
    try {
      return new Yoke(KEY, atOnce(derive(), action), cart);
    } catch (error) {
      cart?.release();
      throw error;
    }
  }

  /**
   * Retains `cart` and yokes what `derive` makes of it. Where that throws, or gives a promise, the cart is
   * released and the error thrown. The cart's owner still has to dispose it.
   *
   * A yoke that is forgotten is released once neither it nor its value is in use. A value that the cart itself
   * reaches, such as the `value` of an `Rc`, always is: dispose that yoke, or derive a new object, as `bytes` does.
   *
   * @throws {TypeError} for what is no cart, and what is no function, before anything is retained.
   */
  static attach<Y, C extends StableBytes>(cart: C, derive: (cart: C) => Y): Yoke<Y, C> {
    requireCart("attach", cart);
    requireFunction("attach", "derive", derive);
    return Yoke.#attached(cart, "attach", () => derive(cart));
  }

  /**
   * As `attach`, for what may not be in the cart: where `derive` gives `undefined` or `null`, the cart is
   * released and there is no yoke.
   */
  static tryAttach<Y, C extends StableBytes>(
    cart: C,
    derive: (cart: C) => Y,
  ): Yoke<NonNullable<Y>, C> | undefined {
    requireCart("attach", cart);
    requireFunction("attach", "derive", derive);
    cart.retain();
    let yoke: Yoke<NonNullable<Y>, C> | undefined;
    try {
      const value = atOnce(derive(cart), "attach");
      if (value !== undefined && value !== null) yoke = new Yoke(KEY, value, cart);
      return yoke;
    } finally {
      if (yoke === undefined) cart.release();
    }
  }

  /** A value that owns all it needs, among others that do not. Nothing has to be released. */
  static alwaysOwned<Y>(value: Y): Yoke<Y, null> {
    return new Yoke(KEY, value, null);
  }

  /** The value. Throws on a disposed yoke. A nanosecond or so over a property of an object. */
  get value(): Y {
    const held = this.#held;
    if (held === undefined) throw this.#gone("read");
    return held.value;
  }

  /** The cart, which this yoke holds. Throws on a disposed yoke. */
  get cart(): C {
    return this.#open("read").cart;
  }

  /** Whether it was disposed, or used up by what gives another in its place. */
  get isDisposed(): boolean {
    return this.#held === undefined && !this.#isChanging;
  }

  /** A yoke of what `f` makes of the value, in the place of this one. Where `f` throws, this one stays. */
  map<Z>(f: (value: Y) => Z): Yoke<Z, C> {
    const { value, cart } = this.#open("map");
    requireFunction("map", "f", f);
    const mapped = atOnce(f(value), "map");
    this.#takeCart("map");
    return new Yoke(KEY, mapped, cart);
  }

  /** A yoke of a part of the value, or of what `f` makes of it, on the same cart. This one stays. */
  project<Z>(f: (value: Y) => Z): Yoke<Z, C> {
    const { value, cart } = this.#open("project");
    requireFunction("project", "f", f);
    return Yoke.#attached(cart, "project", () => f(value));
  }

  /** Another yoke on the same cart, with the same value: an object is shared by both, and not copied. */
  clone(): Yoke<Y, C> {
    const { value, cart } = this.#open("clone");
    cart?.retain();
    return new Yoke(KEY, value, cart);
  }

  /**
   * Changes the value: `f` gets an object whose `value` it may replace, or change inside. Meanwhile the yoke can
   * be neither read nor disposed. Where `f` throws, the yoke keeps the value that it had. Gives what `f` gives.
   *
   * What is put in must come from the cart or own itself: bytes of another cart would outlive it.
   */
  withMut<R>(f: (slot: { value: Y }) => R): R {
    const held = this.#open("change");
    requireFunction("change", "f", f);
    const slot = { value: held.value };
    this.#held = undefined;
    this.#isChanging = true;
    try {
      const result = atOnce(f(slot), "change");
      held.value = atOnce(slot.value, "change");
      keepWithValue(held.value, held.cart, this);
      return result;
    } finally {
      this.#isChanging = false;
      this.#held = held;
    }
  }

  /**
   * A yoke of the same value on another cart, in the place of this one. The cart that `f` gives is retained, and
   * has to keep the bytes of the old one where they are, as an `Rc` of it does: nothing checks that, and where
   * it does not, the value's views are empty once the old cart has gone. Where `f` throws, this one stays.
   */
  replaceCart<D extends ErasedCart>(f: (cart: C) => D): Yoke<Y, D> {
    const { value, cart } = this.#open("replace the cart of");
    requireFunction("replace the cart of", "f", f);
    const other = f(cart);
    if (other !== null) requireCart("replace the cart of", other);
    const replaced = Yoke.#attached(other, "replace the cart of", () => value);
    try {
      this.#takeCart("replace the cart of");
    } catch (error) {
      replaced[Symbol.dispose]();
      throw error;
    }
    cart?.release();
    return replaced;
  }

  /** This very yoke, by the type that yokes on any cart have, so that they can be kept together. Costs nothing. */
  erase(): Yoke<Y, ErasedCart> {
    return this;
  }

  /**
   * Drops the value and gives the cart, with this yoke's hold on it: `release` it. What was changed by `withMut` is
   * lost.
   */
  intoCart(): C {
    return this.#takeCart("take the cart of");
  }

  /** As `intoCart` where the cart is a `Class`; otherwise `undefined`, and the yoke stays. Undoes `erase`. */
  tryIntoCart<D>(Class: CartClass<D>): D | undefined {
    const { cart } = this.#open("take the cart of");
    requireFunction("take the cart of", "Class", Class);
    if (!isObject(Class.prototype)) {
      throw new TypeError("cannot take the cart of a yoke: Class is a function, and no class");
    }
    if (!isInstance(cart, Class)) return undefined;
    this.#takeCart("take the cart of");
    return cart;
  }

  /** Drops the value and releases the cart. Does nothing the second time. */
  [Symbol.dispose](): void {
    if (this.isDisposed) return;
    this.#takeCart("dispose")?.release();
  }

  #open(action: string): Held<Y, C> {
    const held = this.#held;
    if (held === undefined) throw this.#gone(action);
    return held;
  }

  /** Ends this yoke: what it held of the cart is the caller's. */
  #takeCart(action: string): C {
    const { value, cart } = this.#open(action);
    this.#held = undefined;
    if (cart === null) return cart;
    unwatch(this);
    const kept = isObject(value) ? yokes.get(value) : undefined;
    if (kept instanceof Set) kept.delete(this);
    return cart;
  }

  #gone(action: string): Error {
    const why = this.#isChanging
      ? "withMut is changing it"
      : "it was disposed, or another has taken its place";
    return new Error(`cannot ${action} a yoke: ${why}`);
  }
}
