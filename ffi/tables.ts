import type { InspectedSignature } from "./signature.ts";

/** The signatures of a library's functions, by the object that has these. */
const tables = new WeakMap<object, ReadonlyMap<string, InspectedSignature>>();

/** `dlopen`'s own. */
export function rememberTable(symbols: object, table: ReadonlyMap<string, InspectedSignature>): void {
  tables.set(symbols, table);
}

/** How a function of an opened library was said to be called; `undefined` for what is none. */
export function signatureIn(symbols: object | undefined, name: string): InspectedSignature | undefined {
  return symbols === undefined ? undefined : tables.get(symbols)?.get(name);
}
