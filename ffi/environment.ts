import process from "node:process";

/** The environment's value, or undefined where it is unset, empty, or Deno does not let it be read. */
export function environment(variable: string): string | undefined {
  if (
    Reflect.has(globalThis, "Deno") &&
    Deno.permissions.querySync({ name: "env", variable }).state !== "granted"
  ) return undefined;
  return process.env[variable] || undefined;
}
