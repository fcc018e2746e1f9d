/** Elements of a matrix, wherever they lie: mapped memory as well. */
export type Matrix = Float32Array<ArrayBuffer>;

/** C = α·op(A)·op(B) + β·C, all matrices row-major, op the identity or the transposition. */
export interface Gemm {
  readonly transA: boolean;
  readonly transB: boolean;
  /** Rows of op(A) and C. */
  readonly m: number;
  /** Columns of op(B) and C. */
  readonly n: number;
  /** Columns of op(A), rows of op(B). */
  readonly k: number;
  readonly alpha: number;
  readonly a: Matrix;
  /** Elements from one row of A, as it is stored, to the next; `ldb` and `ldc` likewise. */
  readonly lda: number;
  readonly b: Matrix;
  readonly ldb: number;
  readonly beta: number;
  readonly c: Matrix;
  readonly ldc: number;
}

/** Products of one shape, the i-th of `a[i]`, `b[i]` and `c[i]`. */
export interface GemmGroup extends Omit<Gemm, "a" | "b" | "c"> {
  readonly a: readonly Matrix[];
  readonly b: readonly Matrix[];
  readonly c: readonly Matrix[];
}

/**
 * What multiplies. A backend is handed checked arguments only: sizes of at least 1, α other than 0,
 * matrices that are as long as their sizes need; so it checks nothing, and need not know layouts or the
 * reference's special cases. β = 0 means that C is not read.
 */
export interface Backend {
  /** One word, such as `"mkl"`. */
  readonly name: string;
  /** One line that says which library and version this is. */
  readonly description: string;
  /** How many threads a product may use. */
  readonly threads: number;
  sgemm(product: Gemm): void;
  /** All the products of all the groups in one call; where it is missing, `sgemm` is called for each. */
  sgemmBatch?(groups: readonly GemmGroup[]): void;
}
