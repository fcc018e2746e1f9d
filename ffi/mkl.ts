/**
 * Intel's Math Kernel Library, one to one with mkl_cblas.h and mkl_service.h, opened with care. `libmkl_rt`
 * decides at its first call which integers and which threads it uses, and ends the process where the
 * threads' library is missing. So both are set before any other call: 32-bit integers, and GNU's OpenMP
 * where it loads, else no threads.
 *
 * The names of the service functions are the capitalised ones: the same in lower case are Fortran's, and
 * take addresses.
 *
 * @module
 */
import { cblas } from "./cblas.ts";
import { dlopenQuietly, type Library } from "./dlopen.ts";
import { openGlobally } from "./loader.ts";
import type { SymbolTable } from "./types.ts";

/** What `MKL_Set_Threading_Layer` takes. */
export const MklThreading = {
  MKL_THREADING_INTEL: 0,
  MKL_THREADING_SEQUENTIAL: 1,
  MKL_THREADING_PGI: 2,
  MKL_THREADING_GNU: 3,
  MKL_THREADING_TBB: 4,
} as const;

/** What `MKL_Set_Interface_Layer` takes: `MKL_INT` of 32 bits, or of 64. */
export const MklInterface = { MKL_INTERFACE_LP64: 0, MKL_INTERFACE_ILP64: 1 } as const;

const table = {
  // mkl_cblas.h
  ...cblas,
  cblas_sgemm_batch: {
    parameters: [
      /* const CBLAS_LAYOUT Layout */ "i32",
      /* const CBLAS_TRANSPOSE *TransA_Array */ "buffer",
      /* const CBLAS_TRANSPOSE *TransB_Array */ "buffer",
      /* const MKL_INT *M_Array */ "buffer",
      /* const MKL_INT *N_Array */ "buffer",
      /* const MKL_INT *K_Array */ "buffer",
      /* const float *alpha_Array */ "buffer",
      /* const float **A_Array */ "buffer",
      /* const MKL_INT *lda_Array */ "buffer",
      /* const float **B_Array */ "buffer",
      /* const MKL_INT *ldb_Array */ "buffer",
      /* const float *beta_Array */ "buffer",
      /* float **C_Array */ "buffer",
      /* const MKL_INT *ldc_Array */ "buffer",
      /* const MKL_INT group_count */ "i32",
      /* const MKL_INT *group_size */ "buffer",
    ],
    result: "void",
    unchecked: true,
  },

  // mkl_service.h
  MKL_Set_Interface_Layer: { parameters: [/* int code */ "i32"], result: "i32" },
  MKL_Set_Threading_Layer: { parameters: [/* int code */ "i32"], result: "i32" },
  MKL_Set_Num_Threads_Local: { parameters: [/* int nth */ "i32"], result: "i32" },
  MKL_Get_Max_Threads: { parameters: [], result: "i32" },
  MKL_Get_Version_String: { parameters: [/* char *buf */ "buffer", /* int len */ "i32"], result: "void" },
} as const satisfies SymbolTable;

/** The opened library, and what it says of itself. */
export interface Mkl {
  readonly library: Library<typeof table>;
  /** Such as `Intel(R) oneAPI Math Kernel Library Version 2026.2-Product Build …`. */
  readonly version: string;
  /** Whose threads it uses: the layer's number, of `MklThreading`. */
  readonly threading: number;
}

const NAMES = ["libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so.1", "libmkl_rt.so"];

let opened: Mkl | undefined;

/**
 * MKL, opened at its first use and never closed. Throws where none is found, and where something else in
 * this process has set it to 64-bit integers.
 */
export function mkl(): Mkl {
  return opened ??= prepare(dlopenQuietly(NAMES, table));
}

function prepare(library: Library<typeof table>): Mkl {
  const { MKL_Set_Interface_Layer, MKL_Set_Threading_Layer, MKL_Get_Version_String } = library.symbols;
  if (MKL_Set_Interface_Layer(MklInterface.MKL_INTERFACE_LP64) !== MklInterface.MKL_INTERFACE_LP64) {
    throw new Error(
      `cannot use ${library.path}: this process has used it with 64-bit integers already, and it keeps to them`,
    );
  }
  const { MKL_THREADING_GNU, MKL_THREADING_SEQUENTIAL } = MklThreading;
  const threading = MKL_Set_Threading_Layer(
    openGlobally("libgomp.so.1") ? MKL_THREADING_GNU : MKL_THREADING_SEQUENTIAL,
  );
  const text = new Uint8Array(256);
  MKL_Get_Version_String(text, text.length);
  const version = new TextDecoder().decode(text.subarray(0, text.indexOf(0))).trim();
  return { library, version, threading };
}
