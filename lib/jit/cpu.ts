/**
 * What the CPU is and can do, from the CPU itself: CPUID and XGETBV in a few bytes of machine code, so that no
 * file has to be readable. A feature counts only where the operating system keeps its registers.
 *
 * `OXBOW_CPU` in the environment lowers it for tests: `sse2`, `avx2` or `avx512`. It never raises it.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { dlopenQuietly } from "../../ffi/dlopen.ts";
import { environment } from "../../ffi/environment.ts";
import { LIBC } from "../../ffi/soname.ts";
import { cpuid as cpuidCode, xgetbv as xgetbvCode } from "./assembled.ts";
import type { Feature } from "./code.ts";
import {
  brandOf,
  type Cache,
  cachesOf,
  type Cpuid,
  featuresOf,
  lineOf,
  modelOf,
  threadsPerCoreOf,
  vendorOf,
} from "./cpuid.ts";
import { openLibrary } from "./library.ts";

/** What kernels are written for: the baseline of x86-64, AVX2 with FMA, AVX-512 with VL, BW, CD and DQ. */
export type CpuLevel = "sse2" | "avx2" | "avx512";

/** The CPU that we run on. */
export interface Cpu {
  /** `GenuineIntel`, `AuthenticAMD` and so on. */
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  /** Its name as it was sold. */
  readonly brand: string;
  /** What it can do, of what the assembler knows; no more than `OXBOW_CPU` allows. */
  readonly features: ReadonlySet<Feature>;
  /** The highest that it has all of. */
  readonly level: CpuLevel;
  /** Empty where it does not describe them, as AMD's before 2011. */
  readonly caches: readonly Cache[];
  /** Bytes of a cache's line. */
  readonly line: number;
  /** How many hardware threads this process may use. */
  readonly threads: number;
  readonly threadsPerCore: number;
  /** How many cores those threads are, where they are all of their cores' threads and the cores are alike. */
  readonly cores: number;
}

const LEVELS: Readonly<Record<CpuLevel, readonly Feature[]>> = {
  sse2: ["sse2"],
  avx2: ["avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "lzcnt", "movbe", "popcnt"],
  avx512: ["avx512f", "avx512vl", "avx512bw", "avx512dq", "avx512cd"],
};

/** What a level takes away: all that is not the baseline, or AVX-512 alone. */
const ALLOWS: Readonly<Record<CpuLevel, (feature: Feature) => boolean>> = {
  sse2: (feature) => feature === "sse2",
  avx2: (feature) => !feature.startsWith("avx512"),
  avx512: () => true,
};

function missingFor(level: CpuLevel, features: ReadonlySet<Feature>): Feature[] {
  const lower: Feature[] = level === "avx512" ? missingFor("avx2", features) : [];
  return [...lower, ...LEVELS[level].filter((feature) => !features.has(feature))];
}

function isLevel(name: string): name is CpuLevel {
  return Object.hasOwn(LEVELS, name);
}

/** The level that the environment asks for. */
function forcedLevel(features: ReadonlySet<Feature>): CpuLevel | undefined {
  const name = environment("OXBOW_CPU");
  if (name === undefined) return undefined;
  if (!isLevel(name)) {
    throw new RangeError(`cannot obey OXBOW_CPU=${name}: use one of ${Object.keys(LEVELS).join(", ")}`);
  }
  const missing = missingFor(name, features);
  if (missing.length === 0) return name;
  throw new Error(`cannot obey OXBOW_CPU=${name}, which only lowers: this CPU lacks ${missing.join(", ")}`);
}

const AT_HWCAP2 = 26;
const ZEN_5 = 0x1a;

function hwcap2(): bigint {
  using libc = dlopenQuietly(LIBC, {
    getauxval: { parameters: [/* unsigned long type */ "u64"], result: "u64" },
  });
  return libc.symbols.getauxval(AT_HWCAP2);
}

function refuse(): never {
  throw new TypeError("cannot change the CPU's features: make a new Set of them, or set OXBOW_CPU");
}

/** All who ask share it. */
function readOnly(features: readonly Feature[]): ReadonlySet<Feature> {
  const set = new Set(features);
  for (const method of ["add", "delete", "clear"]) Object.defineProperty(set, method, { value: refuse });
  return set;
}

function identify(): Cpu {
  using library = openLibrary({ functions: { cpuid: cpuidCode, xgetbv: xgetbvCode } }, {
    cpuid: { parameters: ["u32", "u32", "buffer!"], result: "void" },
    xgetbv: { parameters: [], result: "u32" },
  });
  const { symbols } = library;
  const registers = new Uint32Array(4);
  const cpuid: Cpuid = (leaf, subleaf) => {
    symbols.cpuid(leaf, subleaf, registers);
    const [eax, ebx, ecx, edx] = registers;
    return [eax, ebx, ecx, edx];
  };
  const features = featuresOf(cpuid, symbols.xgetbv, hwcap2);
  // Without new microcode, of which CPUID does not tell, Zen 5 gives zeros for random numbers (AMD-SB-7055).
  if (vendorOf(cpuid) === "AuthenticAMD" && modelOf(cpuid).family === ZEN_5) features.delete("rdseed");
  const forced = forcedLevel(features);
  const level = forced ??
    (["avx512", "avx2"] as const).find((level) => missingFor(level, features).length === 0);
  const [threads, threadsPerCore] = [availableParallelism(), threadsPerCoreOf(cpuid)];
  return Object.freeze({
    vendor: vendorOf(cpuid),
    ...modelOf(cpuid),
    brand: brandOf(cpuid),
    features: readOnly([...features].filter(ALLOWS[forced ?? "avx512"])),
    level: level ?? "sse2",
    caches: Object.freeze(cachesOf(cpuid).map((cache) => Object.freeze(cache))),
    line: lineOf(cpuid),
    threads,
    threadsPerCore,
    cores: Math.ceil(threads / threadsPerCore),
  });
}

let known: Cpu | undefined;

/**
 * The CPU, asked once for each thread: it costs what `load` does, for three functions.
 *
 * @throws {NativeUnavailableError} where no machine code can be loaded: the CPU may be no x86-64.
 * @throws {RangeError | Error} where `OXBOW_CPU` is no level, or one that the CPU does not reach.
 *
 * @example
 * ```ts
 * import { cpu } from "@oxbow/oxbow/jit";
 *
 * const { brand, features, caches } = cpu();
 * const kind = features.has("avx512f") ? "AVX-512" : features.has("fma") ? "AVX2" : "SSE2";
 * console.log(brand, kind, caches.map(({ level, size }) => `L${level} ${size >> 10} KiB`));
 * ```
 */
export function cpu(): Cpu {
  return known ??= identify();
}
