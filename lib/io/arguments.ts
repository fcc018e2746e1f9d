/** How errors show a wrong argument, and what can be wrong with any options. */

/** Text in quotes, a bigint with its `n`, the rest as it says itself where it does. Never throws. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  try {
    return String(value);
  } catch {
    return "an object";
  }
}

/** Throws for what is no object of options, and for an option that is none of `names`. */
export function requireNames(what: string, kind: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`${what}: ${kind} no object`);
  }
  const wrong = Object.keys(options).find((name) => !names.includes(name));
  if (wrong !== undefined) {
    throw new TypeError(`${what}: there is no option ${shown(wrong)}, only ${names.join(", ")}`);
  }
}

/** Throws for what are no bytes. */
export function requireBytes(what: string, name: string, bytes: unknown): asserts bytes is Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${what}: ${name} is no Uint8Array`);
}

/** Throws for what is no boolean: `"false"` and what was left out are none. */
export function requireBoolean(what: string, on: unknown): void {
  if (typeof on !== "boolean") throw new TypeError(`${what}: on is ${shown(on)}, and no boolean`);
}

/** Throws for what is neither a boolean nor left out. */
export function requireFlag(what: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") {
    throw new TypeError(`${what}: ${name} is ${shown(value)}, and no boolean`);
  }
}
