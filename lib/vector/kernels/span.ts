/** Passes over elements that lie in a row, by whole vectors and one tail. */
import type { Gpr } from "../../jit/mod.ts";
import { at, type Lanes } from "./lanes.ts";

/** The registers of a pass. `length` and `index` are neither `rax` nor `r11`. */
export interface Span {
  /** How many elements there are. */
  readonly length: Gpr<"r64">;
  /** How many of them whole vectors hold. */
  readonly whole: Gpr<"r64">;
  /** The first element of a step. */
  readonly index: Gpr<"r64">;
}

/** Computes `whole` and the mask of the tail, for any number of passes. Changes `rax`, `r11` and `index`. */
export function prepare(lanes: Lanes, { length, whole, index }: Span): void {
  const { a } = lanes;
  a.mov(index, length);
  a.and(index, lanes.count - 1);
  lanes.maskTail(index);
  a.mov(whole, length);
  a.sub(whole, index);
}

/** Runs `vector` for each whole vector of elements, and `tail` once where some are left. */
export function pass(
  lanes: Lanes,
  { length, whole, index }: Span,
  vector: () => void,
  tail: () => void,
): void {
  const { a } = lanes;
  const [loop, rest, done] = ["loop", "rest", "done"].map((name) => a.label(name));
  a.xor(index, index);
  a.test(whole, whole);
  a.jz(rest);
  a.align(32);
  a.bind(loop);
  vector();
  a.add(index, lanes.count);
  a.cmp(index, whole);
  a.jb(loop);
  a.bind(rest);
  a.cmp(index, length);
  a.jae(done);
  tail();
  a.bind(done);
}

/** Runs `body` for each of `rows` rows that lie one behind another at each of the pointers, and returns. */
export function eachRow(
  lanes: Lanes,
  span: Span,
  rows: Gpr<"r64">,
  pointers: readonly Gpr<"r64">[],
  body: () => void,
): void {
  const { a } = lanes;
  const row = a.label("row");
  prepare(lanes, span);
  a.bind(row);
  body();
  for (const pointer of pointers) a.lea(pointer, at(pointer, span.length));
  a.dec(rows);
  a.jnz(row);
  lanes.return();
}
