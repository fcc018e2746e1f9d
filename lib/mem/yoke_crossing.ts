/** How yokes cross to other threads: their cart does, and the view is made again over the same bytes of it. */
import { addressOf, pointerTo } from "../../ffi/mod.ts";
import { crossingOf, registerCrossing } from "./crossing.ts";
import type { StableBytes } from "./stable_bytes.ts";
import { Yoke } from "./yoke.ts";

type ViewClass = new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;

const classes: ReadonlyMap<string, ViewClass> = new Map<string, ViewClass>([
  ["Int8Array", Int8Array],
  ["Uint8Array", Uint8Array],
  ["Uint8ClampedArray", Uint8ClampedArray],
  ["Int16Array", Int16Array],
  ["Uint16Array", Uint16Array],
  ["Int32Array", Int32Array],
  ["Uint32Array", Uint32Array],
  ["Float32Array", Float32Array],
  ["Float64Array", Float64Array],
  ["BigInt64Array", BigInt64Array],
  ["BigUint64Array", BigUint64Array],
  ["DataView", DataView],
]);

/** A view, by where it lies in its cart. The cart crosses by itself. */
interface ViewInFlight {
  readonly cart: StableBytes;
  readonly type: string;
  readonly byteOffset: number;
  /** In bytes, and in elements. */
  readonly byteLength: number;
  readonly length: number;
}

function isCart(value: unknown): value is StableBytes {
  return typeof value === "object" && value !== null && "bytes" in value && "retain" in value &&
    "release" in value;
}

function isViewInFlight(data: unknown): data is ViewInFlight {
  return typeof data === "object" && data !== null && "cart" in data && isCart(data.cart) && "type" in data &&
    typeof data.type === "string" && "byteOffset" in data && typeof data.byteOffset === "number" &&
    "byteLength" in data && typeof data.byteLength === "number" && "length" in data &&
    typeof data.length === "number";
}

/** Where in the cart the view begins, or -1 where it does not lie in it. */
function offsetIn(cart: StableBytes, view: ArrayBufferView): number {
  if (view.byteLength === 0) return 0;
  const first = addressOf(pointerTo(cart.bytes(0, Math.min(cart.byteLength, 1))));
  const offset = Number(addressOf(pointerTo(view)) - first);
  return offset >= 0 && offset + view.byteLength <= cart.byteLength ? offset : -1;
}

function deriveView(data: ViewInFlight, cart: StableBytes): ArrayBufferView {
  const { type, byteOffset, byteLength, length } = data;
  const Class = classes.get(type);
  if (Class === undefined) throw new TypeError(`cannot receive a Yoke: this host has no ${type}`);
  const { buffer, byteOffset: at } = cart.bytes(byteOffset, byteLength);
  return new Class(buffer, at, length);
}

registerCrossing<Yoke<unknown>, ViewInFlight>({
  name: "Yoke",
  type: Yoke,
  give(yoke) {
    const { cart, value } = yoke;
    const type: unknown = ArrayBuffer.isView(value) ? Reflect.get(value, Symbol.toStringTag) : undefined;
    if (cart === null || !ArrayBuffer.isView(value) || typeof type !== "string" || !classes.has(type)) {
      throw new TypeError("it is a Yoke of no view of its cart; send the cart, and derive the value there");
    }
    if (crossingOf(cart) === undefined) {
      throw new TypeError("it is a Yoke whose cart is of this thread alone; take an Mmap or an Arc");
    }
    const byteOffset = offsetIn(cart, value);
    if (byteOffset === -1) throw new TypeError("it is a Yoke of a view of other bytes than its cart's");
    const { byteLength } = value;
    const length = "length" in value ? Number(value.length) : byteLength;
    return { cart, type, byteOffset, byteLength, length };
  },
  isData: isViewInFlight,
  take: (data) => Yoke.attach(data.cart, (cart) => deriveView(data, cart)),
  drop() {},
});
