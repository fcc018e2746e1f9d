/**
 * How the programs of this folder are called: `PROGRAM WAY NUMBER...`, where the way is one of ours or a library.
 *
 * @module
 */
import process from "node:process";

/** How the result of a job of ours is waited for. */
export const OURS = ["await", "yield", "waitSync"] as const;

/** What the command line says. */
export interface Arguments {
  readonly way: string;
  readonly numbers: readonly number[];
}

/** Throws where there are fewer numbers than asked for, or one that is none. */
export function programArguments(least: number): Arguments {
  const [way = "", ...texts] = process.argv.slice(2);
  const numbers = texts.map(Number);
  if (numbers.length < least || numbers.some((number) => !(number >= 0))) {
    throw new Error(`${way} ${texts.join(" ")}: there are to be ${least} numbers or more`);
  }
  return { way, numbers };
}
