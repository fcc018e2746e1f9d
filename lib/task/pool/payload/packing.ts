/** Lists that are nothing but numbers. */
import { DOUBLES, INT32S } from "./tags.ts";

/** What is shorter is not worth it. */
const LEAST = 8;

/** The tag of a list of numbers, or 0 for any other, and for a short one. */
export function packingOf(values: readonly unknown[]): number {
  const { length } = values;
  if (length < LEAST) return 0;
  let i = 0;
  for (; i < length; i++) {
    const value = values[i];
    if (typeof value !== "number") return 0;
    if ((value | 0) !== value || Object.is(value, -0)) break;
  }
  if (i === length) return INT32S;
  for (; i < length; i++) if (typeof values[i] !== "number") return 0;
  return DOUBLES;
}
