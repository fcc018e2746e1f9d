/** The backend over OpenBLAS. Its own `cblas_sgemm_batch` crashes in releases up to 2026: products are looped. */
import { CblasLayout, CblasTranspose } from "../../ffi/cblas.ts";
import { openblas } from "../../ffi/openblas.ts";
import type { Backend, Gemm } from "./backend.ts";
import { multiplyVector } from "./vector_product.ts";

const { CblasRowMajor } = CblasLayout;
const { CblasNoTrans, CblasTrans } = CblasTranspose;

/** Throws where no OpenBLAS is found. Its threads are the process's: the last one to ask for a number has it. */
export function openBlasBackend(threads: number | undefined): Backend {
  const { library, config, core, chosen } = openblas();
  const { cblas_sgemm, cblas_sgemv, openblas_get_num_threads, openblas_set_num_threads } = library.symbols;
  if (threads !== undefined) openblas_set_num_threads(threads);
  const mended = chosen === undefined ? "" : `, told to since it took this processor for a ${chosen}`;

  return {
    name: "openblas",
    description: `${
      config.split(" ").slice(0, 2).join(" ")
    } from ${library.path}, kernels for ${core}${mended}`,
    threads: openblas_get_num_threads(),
    sgemm(product: Gemm): void {
      const { transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc } = product;
      if (multiplyVector(cblas_sgemv, product)) return;
      const ta = transA ? CblasTrans : CblasNoTrans;
      const tb = transB ? CblasTrans : CblasNoTrans;
      cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    },
  };
}
