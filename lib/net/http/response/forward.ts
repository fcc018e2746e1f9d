/**
 * Gives `prototype` all that instances of a host's class have and it lacks, forwarded to the real instance that
 * `realOf` makes, and puts it behind the host's class for `instanceof` and `constructor`. `sample` is a real instance: Deno's own
 * functions reach into one through symbols that each instance has.
 */
export function forwardToReal<T extends object, R extends object>(
  prototype: T,
  hostPrototype: R,
  sample: R,
  realOf: (self: T) => R,
): void {
  Object.setPrototypeOf(prototype, hostPrototype);
  Reflect.deleteProperty(prototype, "constructor");
  for (const key of [...Object.getOwnPropertyNames(hostPrototype), ...Object.getOwnPropertySymbols(sample)]) {
    if (key === "constructor" || Object.hasOwn(prototype, key)) continue;
    Object.defineProperty(prototype, key, {
      get(this: T): unknown {
        const real = realOf(this);
        const value: unknown = Reflect.get(real, key);
        return typeof value === "function" ? value.bind(real) : value;
      },
      set(this: T, value: unknown): void {
        Reflect.set(realOf(this), key, value);
      },
    });
  }
}
