/**
 * Products whose C is one row or one column, as a matrix by a vector. Libraries of today copy all of B
 * before a product even for one row: as `cblas_sgemv` it is 2 to 3 times faster.
 */
import { CblasLayout, CblasTranspose } from "../../ffi/cblas.ts";
import type { Gemm, Matrix } from "./backend.ts";

const { CblasRowMajor } = CblasLayout;
const { CblasNoTrans, CblasTrans } = CblasTranspose;

/** cblas.h: y = α·op(A)·x + β·y. */
export type Sgemv = (
  layout: number,
  trans: number,
  m: number,
  n: number,
  alpha: number,
  a: Matrix,
  lda: number,
  x: Matrix,
  incx: number,
  beta: number,
  y: Matrix,
  incy: number,
) => void;

/** y = α·op(M)·x + y, for M as it is stored: cblas_sgemv's arguments. */
interface Gemv {
  readonly trans: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly matrix: Matrix;
  readonly ld: number;
  readonly x: Matrix;
  readonly incx: number;
  readonly incy: number;
}

/** A product whose C is one row: Cᵀ = op(B)ᵀ·op(A)ᵀ. */
function ofRow({ transA, transB, n, k, a, lda, b, ldb }: Gemm): Gemv {
  const [rows, columns] = transB ? [n, k] : [k, n];
  return { trans: !transB, rows, columns, matrix: b, ld: ldb, x: a, incx: transA ? lda : 1, incy: 1 };
}

/** A product whose C is one column. */
function ofColumn({ transA, transB, m, k, a, lda, b, ldb, ldc }: Gemm): Gemv {
  const [rows, columns] = transA ? [k, m] : [m, k];
  return { trans: transA, rows, columns, matrix: a, ld: lda, x: b, incx: transB ? 1 : ldb, incy: ldc };
}

/** Does the product by `sgemv` if its C is one row or one column; whether it did. */
export function multiplyVector(sgemv: Sgemv, product: Gemm): boolean {
  const { m, n, alpha, beta, c } = product;
  if (m !== 1 && n !== 1) return false;
  const { trans, rows, columns, matrix, ld, x, incx, incy } = m === 1 ? ofRow(product) : ofColumn(product);
  // At β = 0 some would have a NaN in C outlast the product.
  if (beta === 0) {
    for (let i = 0; i < m * n; i++) c[i * incy] = 0;
  }
  const op = trans ? CblasTrans : CblasNoTrans;
  sgemv(CblasRowMajor, op, rows, columns, alpha, matrix, ld, x, incx, beta === 0 ? 1 : beta, c, incy);
  return true;
}
