/**
 * The loops over the function of eight integers, apart from the others since C's compiler makes its library.
 *
 * @module
 */
import { dlopen } from "../../ffi/mod.ts";
import { libraryPath } from "../peers.ts";
import { CALLS } from "./cases.ts";

const { symbols: { eight, eightRaw } } = dlopen([libraryPath("eight")], {
  eight: { parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"], result: "i32" },
  eightRaw: {
    symbol: "eight",
    unchecked: true,
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
});

/** With the host's own function. */
export function host(): number {
  let sum = 0;
  for (let i = 0; i < CALLS; i++) sum += eightRaw(i, i, i, i, i, i, i, 1);
  return sum;
}

/** With ours. */
export function checked(): number {
  let sum = 0;
  for (let i = 0; i < CALLS; i++) sum += eight(i, i, i, i, i, i, i, 1);
  return sum;
}
