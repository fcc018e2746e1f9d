/** What an argument is, for the error that refuses it. */

/** Operands as they are written, text in quotes, and other objects by their class alone. */
export function described(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return "kind" in value ? String(value) : Object.prototype.toString.call(value);
}
