/** What an error is made of, and how it is made again: its class where that is the language's, and its fields. */
import { ERRORS } from "./tags.ts";

/** Of the language's classes by number; one that a host lacks is its `Error`. */
const classes = ERRORS.map((name) => {
  const found: unknown = Reflect.get(globalThis, name);
  return typeof found === "function" ? found : Error;
});

const DOM_EXCEPTION = ERRORS.indexOf("DOMException");

/** The number of the nearest of the language's classes that the error is of. */
export function classOfError(error: object): number {
  if (error instanceof DOMException) return DOM_EXCEPTION;
  for (let at: object | null = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
    const number = classes.findIndex((one) => one.prototype === at);
    if (number >= 0) return number;
  }
  return 0;
}

export interface Field {
  readonly key: string;
  readonly isEnumerable: boolean;
  readonly value: unknown;
}

/** Those that are sent though no loop shows them. */
const HIDDEN = ["name", "message", "stack", "cause", "errors", "error", "suppressed"];

/** What an error's getter gives, or nothing. */
function read(error: object, key: string): unknown {
  try {
    return Reflect.get(error, key);
  } catch {
    return undefined;
  }
}

/** What is sent of an error of that class. */
export function fieldsOf(error: object, number: number): Field[] {
  const isDom = number === DOM_EXCEPTION;
  const fields: Field[] = [];
  for (const key of Object.getOwnPropertyNames(error)) {
    const isEnumerable = Object.getOwnPropertyDescriptor(error, key)?.enumerable === true;
    if (!isEnumerable && !HIDDEN.includes(key)) continue;
    fields.push({ key, isEnumerable, value: read(error, key) });
  }
  const own = new Set(fields.map(({ key }) => key));
  for (const key of isDom ? ["stack"] : ["name", "stack"]) {
    const value = read(error, key);
    if (own.has(key) || typeof value !== "string" || value === ERRORS[number]) continue;
    fields.push({ key, isEnumerable: false, value });
  }
  return fields;
}

/** What a DOMException has inside, or undefined for any other error. */
export function insideOf(error: object): { name: string; message: string } | undefined {
  return error instanceof DOMException ? { name: error.name, message: error.message } : undefined;
}

/** An error of that class with nothing in it yet. */
export function emptyError(number: number, inside?: { name: string; message: string }): object {
  if (inside !== undefined) return new DOMException(inside.message, inside.name);
  return Reflect.construct(classes[number], ERRORS[number] === "AggregateError" ? [[]] : []);
}

export function setField(error: object, { key, isEnumerable, value }: Field): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable: isEnumerable, configurable: true });
}
