import { isAt } from "./latin1.ts";

/** The methods that most requests have, by their lengths. */
const COMMON: readonly (readonly string[])[] = [
  [],
  [],
  [],
  ["GET", "PUT"],
  ["POST", "HEAD"],
  ["PATCH"],
  ["DELETE"],
  ["OPTIONS"],
];

/** The method from `start` to `end`, where it is a common one; else null. */
export function commonMethod(bytes: Uint8Array, start: number, end: number): string | null {
  const length = end - start;
  if (length >= COMMON.length) return null;
  for (const method of COMMON[length]) if (isAt(method, bytes, start)) return method;
  return null;
}
