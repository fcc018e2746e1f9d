/** The backend over Intel's MKL: a batch is one native call, whatever its groups. */
import { CblasLayout, CblasTranspose } from "../../ffi/cblas.ts";
import { mkl, MklThreading } from "../../ffi/mkl.ts";
import { type PointerArray, pointerArray } from "../../ffi/mod.ts";
import type { Backend, Gemm, GemmGroup } from "./backend.ts";
import { multiplyVector } from "./vector_product.ts";

const { CblasRowMajor } = CblasLayout;
const { CblasNoTrans, CblasTrans } = CblasTranspose;

const THREADING: Partial<Record<number, string>> = {
  [MklThreading.MKL_THREADING_INTEL]: "Intel's OpenMP",
  [MklThreading.MKL_THREADING_SEQUENTIAL]: "no threads, for libgomp.so.1 is not installed",
  [MklThreading.MKL_THREADING_GNU]: "GNU's OpenMP",
  [MklThreading.MKL_THREADING_TBB]: "TBB",
};

/** Holds the matrices that C knows by address alone: compiled code may let go of them before the call ends. */
const called: { with: readonly PointerArray[] } = { with: [] };

/** One value a group, as C's `MKL_INT[]`. */
function integers(groups: readonly GemmGroup[], of: (group: GemmGroup) => number): Int32Array<ArrayBuffer> {
  return Int32Array.from(groups, of);
}

/** Throws where no MKL is found. Its number of threads is this thread's: the last one to ask for it has it. */
export function mklBackend(threads: number | undefined): Backend {
  const { library, version, threading } = mkl();
  const { cblas_sgemm, cblas_sgemm_batch, cblas_sgemv } = library.symbols;
  const { MKL_Get_Max_Threads, MKL_Set_Num_Threads_Local } = library.symbols;
  if (threads !== undefined) MKL_Set_Num_Threads_Local(threads);
  const release = /Version (\S+?)-/.exec(version)?.[1] ?? version;
  return {
    name: "mkl",
    description: `MKL ${release} from ${library.path}, ${
      THREADING[threading] ?? `threading layer ${threading}`
    }`,
    threads: MKL_Get_Max_Threads(),
    sgemm(product: Gemm): void {
      if (multiplyVector(cblas_sgemv, product)) return;
      const { transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc } = product;
      const ta = transA ? CblasTrans : CblasNoTrans;
      const tb = transB ? CblasTrans : CblasNoTrans;
      cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    },
    sgemmBatch(groups: readonly GemmGroup[]): void {
      const a = pointerArray(groups.flatMap(({ a }) => a));
      const b = pointerArray(groups.flatMap(({ b }) => b));
      const c = pointerArray(groups.flatMap(({ c }) => c));
      called.with = [a, b, c];
      cblas_sgemm_batch(
        CblasRowMajor,
        integers(groups, ({ transA }) => transA ? CblasTrans : CblasNoTrans),
        integers(groups, ({ transB }) => transB ? CblasTrans : CblasNoTrans),
        integers(groups, ({ m }) => m),
        integers(groups, ({ n }) => n),
        integers(groups, ({ k }) => k),
        Float32Array.from(groups, ({ alpha }) => alpha),
        a.addresses,
        integers(groups, ({ lda }) => lda),
        b.addresses,
        integers(groups, ({ ldb }) => ldb),
        Float32Array.from(groups, ({ beta }) => beta),
        c.addresses,
        integers(groups, ({ ldc }) => ldc),
        groups.length,
        integers(groups, ({ a }) => a.length),
      );
      called.with = [];
    },
  };
}
