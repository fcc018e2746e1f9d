/** All instructions of the tables. */
import { Instruction } from "../instruction.ts";
import type { Methods, Table } from "../notation.ts";
import { arithmetic } from "./arithmetic.ts";
import { atomic } from "./atomic.ts";
import { avx512Float } from "./avx512_float.ts";
import { avxArithmetic } from "./avx_arithmetic.ts";
import { avxCompare } from "./avx_compare.ts";
import { avxConvert } from "./avx_convert.ts";
import { avxDot } from "./avx_dot.ts";
import { avxInteger } from "./avx_integer.ts";
import { avxLanes } from "./avx_lanes.ts";
import { avxMoves } from "./avx_moves.ts";
import { avxPermute } from "./avx_permute.ts";
import { avxShifts } from "./avx_shifts.ts";
import { bits } from "./bits.ts";
import { control } from "./control.ts";
import { crypto } from "./crypto.ts";
import { fma } from "./fma.ts";
import { masks } from "./masks.ts";
import { moves } from "./moves.ts";
import { sse } from "./sse.ts";
import { sseInteger } from "./sse_integer.ts";
import { system } from "./system.ts";

/** The methods of the assembler that are instructions. */
export interface Instructions
  extends
    Methods<typeof arithmetic>,
    Methods<typeof atomic>,
    Methods<typeof avx512Float>,
    Methods<typeof avxArithmetic>,
    Methods<typeof avxCompare>,
    Methods<typeof avxConvert>,
    Methods<typeof avxDot>,
    Methods<typeof avxInteger>,
    Methods<typeof avxLanes>,
    Methods<typeof avxMoves>,
    Methods<typeof avxPermute>,
    Methods<typeof avxShifts>,
    Methods<typeof bits>,
    Methods<typeof control>,
    Methods<typeof crypto>,
    Methods<typeof fma>,
    Methods<typeof masks>,
    Methods<typeof moves>,
    Methods<typeof sse>,
    Methods<typeof sseInteger>,
    Methods<typeof system> {}

const tables: readonly Table[] = [
  arithmetic,
  atomic,
  avx512Float,
  avxArithmetic,
  avxCompare,
  avxConvert,
  avxDot,
  avxInteger,
  avxLanes,
  avxMoves,
  avxPermute,
  avxShifts,
  bits,
  control,
  crypto,
  fma,
  masks,
  moves,
  sse,
  sseInteger,
  system,
];

/** To each mnemonic its forms. */
export const instructions: ReadonlyMap<string, Instruction> = new Map(
  tables.flatMap((table) => Object.entries(table)).map((
    [name, lines],
  ) => [name, new Instruction(name, lines)]),
);
