/**
 * OpenBLAS, opened with care. A release picks its kernels by the processors that it knew of, and falls back
 * to the oldest it has on one that came later: OpenBLAS 0.3.21 takes some processors of 2023 for a Prescott
 * of 2004, at a twelfth of their speed. `OPENBLAS_CORETYPE` mends it, but is read while the library loads.
 * So the library is asked which core it chose; where that has no AVX2 and the processor has, it is closed,
 * and opened once more with the variable set.
 */
import { cblas } from "./cblas.ts";
import { cpuinfo, flagsOf, hasAvx512, isAmd } from "./cpuinfo.ts";
import { dlopenQuietly, type Library } from "./dlopen.ts";
import { withEnvironment } from "./loader.ts";
import type { SymbolTable } from "./types.ts";

/** cblas.h as OpenBLAS extends it. */
const table = {
  ...cblas,
  openblas_get_config: { parameters: [], result: "cstring" },
  openblas_get_corename: { parameters: [], result: "cstring" },
  openblas_get_num_threads: { parameters: [], result: "i32" },
  openblas_set_num_threads: { parameters: [/* int num_threads */ "i32"], result: "void" },
} as const satisfies SymbolTable;

/** The opened library, and what it says of itself. */
export interface OpenBlas {
  readonly library: Library<typeof table>;
  /** Such as `OpenBLAS 0.3.21 … MAX_THREADS=64`. */
  readonly config: string;
  /** The processor whose kernels it uses. */
  readonly core: string;
  /** The core that it chose by itself, where that was mended. */
  readonly chosen?: string;
}

const NAMES = ["libopenblas.so.0", "libopenblas.so"];

function open(): Library<typeof table> {
  return dlopenQuietly(NAMES, table);
}

const AVX2_CORES = ["Haswell", "Zen", "Excavator", "SkylakeX", "Cooperlake", "SapphireRapids"];

/** The core to ask for on the processor that /proc/cpuinfo tells of; undefined where it has no AVX2. */
export function coreFor(info: string): string | undefined {
  const flags = flagsOf(info);
  if (!flags.has("avx2") || !flags.has("fma")) return undefined;
  if (hasAvx512(info)) return "SkylakeX";
  return isAmd(info) ? "Zen" : "Haswell";
}

function describe(library: Library<typeof table>): OpenBlas {
  const { openblas_get_config, openblas_get_corename } = library.symbols;
  return { library, config: openblas_get_config() ?? "", core: openblas_get_corename() ?? "" };
}

let opened: OpenBlas | undefined;

/**
 * OpenBLAS, opened at its first use and never closed. Throws where none is found, and where the one found
 * takes 64-bit integers.
 */
export function openblas(): OpenBlas {
  return opened ??= prepare(describe(open()));
}

function prepare(found: OpenBlas): OpenBlas {
  const { library, config, core } = found;
  if (config.includes("USE64BITINT")) {
    library.close();
    throw new Error(`cannot use ${library.path}: it is built for 64-bit integers; install the usual build`);
  }
  if (AVX2_CORES.includes(core)) return found;
  const better = coreFor(cpuinfo());
  if (better === undefined) return found;
  library.close();
  const again = describe(withEnvironment("OPENBLAS_CORETYPE", better, open));
  return again.core === core ? again : { ...again, chosen: core };
}
