/** What an object is to the encoder: by what it has inside, as structuredClone goes by, and not by its class's name. */
import { types } from "node:util";
import { crossingOf } from "../../../mem/crossing.ts";

export type Kind =
  | "object"
  | "array"
  | "map"
  | "set"
  | "date"
  | "regexp"
  | "boxed"
  | "error"
  | "buffer"
  | "shared"
  | "view"
  | "crossing"
  | "none";

const tests: readonly (readonly [Kind, (value: object) => boolean])[] = [
  ["array", Array.isArray],
  ["view", ArrayBuffer.isView],
  ["map", types.isMap],
  ["set", types.isSet],
  ["date", types.isDate],
  ["regexp", types.isRegExp],
  ["error", isError],
  ["buffer", types.isArrayBuffer],
  ["shared", types.isSharedArrayBuffer],
  ["boxed", types.isBoxedPrimitive],
  ["crossing", (value) => crossingOf(value) !== undefined],
  ["none", isBound],
  ["object", () => true],
];

/** What the objects of a prototype were, each to be tested again: anybody may give an object any prototype. */
const known: WeakMap<object, (typeof tests)[number]> = new WeakMap();

/** `prototype` is the object's. */
export function kindOf(value: object, prototype: object): Kind {
  const before = known.get(prototype);
  if (before !== undefined && before[1](value)) return before[0];
  for (const test of tests) {
    if (!test[1](value)) continue;
    if (test[0] !== "object" || hasNothingInside(prototype)) known.set(prototype, test);
    return test[0];
  }
  return "object";
}

/** Fields of any object can be asked for. */
export function isRecord(_value: object): _value is Record<string, unknown> {
  return true;
}

const { toString } = Function.prototype;

/** Whether all objects of the prototype are plain: no class of the language's is above them. */
function hasNothingInside(prototype: object): boolean {
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at)) {
    if (at === Object.prototype) return true;
    const { constructor }: { constructor: unknown } = at;
    if (typeof constructor !== "function" || toString.call(constructor).endsWith("[native code] }")) {
      return false;
    }
  }
  return false;
}

function isError(value: object): boolean {
  return types.isNativeError(value) || value instanceof DOMException;
}

/** Of the host's classes, whose objects are bound to their thread, or to nothing that could be cloned. */
const BOUND = [
  "AbortController",
  "AbortSignal",
  "Blob",
  "BroadcastChannel",
  "CryptoKey",
  "EventTarget",
  "FinalizationRegistry",
  "FormData",
  "Headers",
  "Iterator",
  "MessageChannel",
  "MessagePort",
  "ReadableStream",
  "Request",
  "Response",
  "TextDecoder",
  "TextEncoder",
  "TransformStream",
  "URL",
  "URLSearchParams",
  "WeakRef",
  "Worker",
  "WritableStream",
];

const bound = [
  ...BOUND.map((name) => Reflect.get(globalThis, name)),
  ...Object.values(Reflect.get(globalThis, "WebAssembly") ?? {}),
]
  .filter((found) => typeof found === "function" && typeof found.prototype === "object");

function isBound(value: object): boolean {
  return types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value) ||
    types.isGeneratorObject(value) ||
    bound.some((found) => value instanceof found);
}
