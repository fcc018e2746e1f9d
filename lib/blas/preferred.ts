import { hasAvx512, isAmd } from "../../ffi/cpuinfo.ts";

/** The backends as they are best tried on the processor that /proc/cpuinfo tells of. */
export function preferred(info: string): ("mkl" | "openblas" | "portable")[] {
  // MKL has no AVX-512 kernels for AMD; OpenBLAS was 1.5 to 2 times as fast there on two threads.
  const openblasFirst = isAmd(info) && hasAvx512(info);
  return openblasFirst ? ["openblas", "mkl", "portable"] : ["mkl", "openblas", "portable"];
}
