/**
 * cblas.h, one to one: the C interface to BLAS, as OpenBLAS, BLIS and MKL export it with 32-bit integers.
 *
 * @module
 */
import type { SymbolTable } from "./types.ts";

/** `CBLAS_LAYOUT`: which index of a matrix runs fastest. */
export const CblasLayout = { CblasRowMajor: 101, CblasColMajor: 102 } as const;

/** `CBLAS_TRANSPOSE`. For real numbers `CblasConjTrans` is `CblasTrans`. */
export const CblasTranspose = { CblasNoTrans: 111, CblasTrans: 112, CblasConjTrans: 113 } as const;

/** Bound unchecked: callers own the arguments, and have checked more than their types. */
export const cblas = {
  cblas_sgemv: {
    parameters: [
      /* CBLAS_LAYOUT layout */ "i32",
      /* CBLAS_TRANSPOSE trans */ "i32",
      /* int m */ "i32",
      /* int n */ "i32",
      /* float alpha */ "f32",
      /* const float *a */ "buffer",
      /* int lda */ "i32",
      /* const float *x */ "buffer",
      /* int incx */ "i32",
      /* float beta */ "f32",
      /* float *y */ "buffer",
      /* int incy */ "i32",
    ],
    result: "void",
    unchecked: true,
  },
  cblas_sgemm: {
    parameters: [
      /* CBLAS_LAYOUT layout */ "i32",
      /* CBLAS_TRANSPOSE transa */ "i32",
      /* CBLAS_TRANSPOSE transb */ "i32",
      /* int m */ "i32",
      /* int n */ "i32",
      /* int k */ "i32",
      /* float alpha */ "f32",
      /* const float *a */ "buffer",
      /* int lda */ "i32",
      /* const float *b */ "buffer",
      /* int ldb */ "i32",
      /* float beta */ "f32",
      /* float *c */ "buffer",
      /* int ldc */ "i32",
    ],
    result: "void",
    unchecked: true,
  },
} as const satisfies SymbolTable;
