/** What a caller may write, checked by name and brought to the one form that backends know. */
import type { Gemm, GemmGroup, Matrix } from "./backend.ts";

/** Which index runs fastest: the column's (`"row"`, as in C) or the row's (`"column"`, as in Fortran). */
export type Layout = "row" | "column";

/** What products of one shape have in common: C = α·op(A)·op(B) + β·C. */
export interface Shape {
  /** Whether op(A) is the transpose of A as it is stored: no where nothing is said. */
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Rows of op(A) and of C. */
  readonly m: number;
  /** Columns of op(B) and of C. */
  readonly n: number;
  /** Columns of op(A) and rows of op(B). */
  readonly k: number;
  /** α: 1 where nothing is said. At 0, A and B are not read. */
  readonly alpha?: number;
  /** Elements from one stored row (or column, by the layout) of A to the next: tight where nothing is said. */
  readonly lda?: number;
  readonly ldb?: number;
  /** β: 0 where nothing is said. At 0, C is not read, and NaN in it vanishes. */
  readonly beta?: number;
  readonly ldc?: number;
}

/** One product. */
export interface SgemmArguments extends Shape {
  /** Row-major where nothing is said. */
  readonly layout?: Layout;
  readonly a: Matrix;
  readonly b: Matrix;
  /** Overwritten with the result. */
  readonly c: Matrix;
}

/** Products of one shape: the i-th is of `a[i]`, `b[i]` and `c[i]`. */
export interface SgemmGroup extends Shape {
  readonly a: readonly Matrix[];
  readonly b: readonly Matrix[];
  readonly c: readonly Matrix[];
}

/** Products of any shapes, by group. */
export interface SgemmBatchArguments {
  readonly layout?: Layout;
  readonly groups: readonly SgemmGroup[];
}

const LARGEST = 2 ** 31 - 1;

function count(where: string, name: string, value: number, least: number, why = ""): number {
  if (typeof value !== "number") throw new TypeError(`${where}${name} is ${value}, not a number`);
  if (!Number.isInteger(value) || value < least || value > LARGEST) {
    throw new RangeError(`${where}${name} is ${value}, not a whole number from ${least}${why} to 2^31 - 1`);
  }
  return value;
}

/** As C takes it, so that one too small for a float32 is 0 on every backend. */
function scalar(where: string, name: string, value: number): number {
  if (typeof value !== "number") throw new TypeError(`${where}${name} is ${value}, not a number`);
  return Math.fround(value);
}

function flag(where: string, name: string, value: boolean): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${where}${name} is ${value}, not true or false`);
  return value;
}

/** Each matrix must hold `lines` lines of `length` elements, `ld` from one to the next. */
interface Extent {
  readonly lines: number;
  readonly length: number;
  readonly ld: number;
}

/** Elements of a typed array, whatever properties it was given. */
const lengthOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Float32Array.prototype), "length")
  ?.get;

function elements(matrix: Matrix): number {
  return lengthOf === undefined ? matrix.length : Reflect.apply(lengthOf, matrix, []);
}

function checkMatrix(where: string, name: string, value: Matrix, { lines, length, ld }: Extent): void {
  if (!(value instanceof Float32Array && value.buffer instanceof ArrayBuffer)) {
    throw new TypeError(`${where}${name} is not a Float32Array over an ArrayBuffer`);
  }
  const needed = lines === 0 || length === 0 ? 0 : (lines - 1) * ld + length;
  if (elements(value) >= needed) return;
  const found = value.buffer.detached ? "its buffer is detached" : `it has ${elements(value)}`;
  throw new RangeError(
    `${where}${name} needs ${needed} elements, for ${lines} × ${length} with ld${name[0]} ${ld}: ${found}`,
  );
}

function checkLayout(call: string, layout: Layout = "row"): boolean {
  if (layout !== "row" && layout !== "column") {
    throw new TypeError(`${call}layout is ${String(layout)}, not "row" or "column"`);
  }
  return layout === "column";
}

/** Checks everything but the matrices' number, and brings column-major products to row-major ones. */
function checkGroup(where: string, columns: boolean, group: SgemmGroup, single: boolean): GemmGroup {
  const transA = flag(where, "transA", group.transA ?? false);
  const transB = flag(where, "transB", group.transB ?? false);
  const m = count(where, "m", group.m, 0);
  const n = count(where, "n", group.n, 0);
  const k = count(where, "k", group.k, 0);
  const alpha = scalar(where, "alpha", group.alpha ?? 1);
  const beta = scalar(where, "beta", group.beta ?? 0);
  // A transposition swaps what is stored, and so does the layout.
  const extent = (swapped: boolean, rows: number, cols: number, name: string, ld?: number): Extent => {
    const [lines, length] = swapped ? [cols, rows] : [rows, cols];
    const least = Math.max(1, length);
    return {
      lines,
      length,
      ld: ld === undefined ? least : count(where, name, ld, least, ", its tight value,"),
    };
  };
  const extents = {
    a: extent(transA !== columns, m, k, "lda", group.lda),
    b: extent(transB !== columns, k, n, "ldb", group.ldb),
    c: extent(columns, m, n, "ldc", group.ldc),
  };
  for (const name of ["a", "b", "c"] as const) {
    for (const [i, matrix] of group[name].entries()) {
      checkMatrix(where, single ? name : `${name}[${i}]`, matrix, extents[name]);
    }
  }
  const [lda, ldb, ldc] = [extents.a.ld, extents.b.ld, extents.c.ld];
  const { a, b, c } = group;
  // To a row-major reader column-major matrices are their transposes, and Cᵀ = op(B)ᵀ·op(A)ᵀ.
  return columns
    ? { transA: transB, transB: transA, m: n, n: m, k, alpha, a: b, lda: ldb, b: a, ldb: lda, beta, c, ldc }
    : { transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc };
}

/** Throws a `TypeError` or `RangeError` that names the argument, or gives the product in row-major form. */
export function checkSgemm(args: SgemmArguments): Gemm {
  const columns = checkLayout("sgemm: ", args.layout);
  const { a: [a], b: [b], c: [c], ...shape } = checkGroup(
    "sgemm: ",
    columns,
    { ...args, a: [args.a], b: [args.b], c: [args.c] },
    true,
  );
  return { ...shape, a, b, c };
}

/** What is checked is what is used: an array of a class of its own could give others the second time. */
function matricesOf(list: readonly Matrix[]): Matrix[] {
  const matrices: Matrix[] = [];
  for (let i = 0; i < list.length; i++) matrices.push(list[i]);
  return matrices;
}

/** The same for all groups: nothing is multiplied before all of them are right. */
export function checkSgemmBatch({ layout, groups }: SgemmBatchArguments): GemmGroup[] {
  const columns = checkLayout("sgemmBatch: ", layout);
  return groups.map((group, i) => {
    const where = `sgemmBatch: groups[${i}].`;
    if (!Array.isArray(group.a) || !Array.isArray(group.b) || !Array.isArray(group.c)) {
      throw new TypeError(`${where}a, b and c must be arrays of matrices`);
    }
    const [a, b, c] = [matricesOf(group.a), matricesOf(group.b), matricesOf(group.c)];
    if (a.length !== c.length || b.length !== c.length) {
      throw new RangeError(
        `${where}a, b and c must be as many, and there are ${a.length}, ${b.length} and ${c.length}`,
      );
    }
    return checkGroup(where, columns, { ...group, a, b, c }, false);
  });
}
