/** The backend over OpenBLAS. Its own `cblas_sgemm_batch` crashes in releases up to 2026: products are looped. */
import { CblasLayout, CblasTranspose } from "../../ffi/cblas.ts";
import { openblas } from "../../ffi/openblas.ts";
import type { Backend, Gemm, Matrix } from "./backend.ts";

const { CblasRowMajor } = CblasLayout;
const { CblasNoTrans, CblasTrans } = CblasTranspose;

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

/** Throws where no OpenBLAS is found. Its threads are the process's: the last one to ask for a number has it. */
export function openBlasBackend(threads: number | undefined): Backend {
  const { library, config, core, chosen } = openblas();
  const { cblas_sgemm, cblas_sgemv, openblas_get_num_threads, openblas_set_num_threads } = library.symbols;
  if (threads !== undefined) openblas_set_num_threads(threads);
  const mended = chosen === undefined ? "" : `, told to since it took this processor for a ${chosen}`;

  // The releases of today copy all of B first, even for one row: as a matrix by a vector it is 2 to 3 times faster.
  function multiplyVector({ alpha, beta, c }: Gemm, length: number, gemv: Gemv): void {
    const { trans, rows, columns, matrix, ld, x, incx, incy } = gemv;
    if (beta === 0) {
      for (let i = 0; i < length; i++) c[i * incy] = 0;
    }
    const op = trans ? CblasTrans : CblasNoTrans;
    cblas_sgemv(CblasRowMajor, op, rows, columns, alpha, matrix, ld, x, incx, beta === 0 ? 1 : beta, c, incy);
  }

  return {
    name: "openblas",
    description: `${
      config.split(" ").slice(0, 2).join(" ")
    } from ${library.path}, kernels for ${core}${mended}`,
    threads: openblas_get_num_threads(),
    sgemm(product: Gemm): void {
      const { transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc } = product;
      if (m === 1) return multiplyVector(product, n, ofRow(product));
      if (n === 1) return multiplyVector(product, m, ofColumn(product));
      const ta = transA ? CblasTrans : CblasNoTrans;
      const tb = transB ? CblasTrans : CblasNoTrans;
      cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    },
  };
}
