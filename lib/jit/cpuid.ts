/**
 * What the CPUID instruction says, decoded: features, caches, names. Takes the instruction as a function, so that a
 * CPU other than ours can be decoded too.
 *
 * Source: Intel's Software Developer's Manual, volume 2, CPUID; AMD's Programmer's Manual, volume 3, appendix E.
 */
import type { Feature } from "./code.ts";

/** eax, ebx, ecx and edx, as CPUID leaves them for a leaf and a subleaf. */
export type Cpuid = (leaf: number, subleaf: number) => readonly [number, number, number, number];

/** A cache, as one core sees it. */
export interface Cache {
  readonly level: number;
  readonly type: "data" | "instruction" | "unified";
  /** In bytes. */
  readonly size: number;
  /** Bytes of a line. */
  readonly line: number;
  readonly ways: number;
  /** How many hardware threads may share it, at most. */
  readonly sharedBy: number;
}

const EAX = 0;
const EBX = 1;
const ECX = 2;
const EDX = 3;

/** Where each feature's bit is: leaf, subleaf, register. */
const BITS: readonly (readonly [
  leaf: number,
  subleaf: number,
  register: number,
  features: Partial<Record<Feature, number>>,
])[] = [
  [1, 0, EDX, { sse2: 26 }],
  // Bit 27: the operating system has XSAVE turned on, without which the instructions are illegal.
  [1, 0, ECX, {
    sse3: 0,
    pclmul: 1,
    ssse3: 9,
    fma: 12,
    cx16: 13,
    sse41: 19,
    sse42: 20,
    movbe: 22,
    popcnt: 23,
    aes: 25,
    xsave: 27,
    avx: 28,
    f16c: 29,
    rdrnd: 30,
  }],
  [7, 0, EBX, {
    fsgsbase: 0,
    bmi1: 3,
    avx2: 5,
    bmi2: 8,
    avx512f: 16,
    avx512dq: 17,
    rdseed: 18,
    adx: 19,
    avx512ifma: 21,
    clflushopt: 23,
    clwb: 24,
    avx512cd: 28,
    sha: 29,
    avx512bw: 30,
    avx512vl: 31,
  }],
  [7, 0, ECX, {
    avx512vbmi: 1,
    waitpkg: 5,
    avx512vbmi2: 6,
    gfni: 8,
    vaes: 9,
    vpclmulqdq: 10,
    avx512vnni: 11,
    avx512bitalg: 12,
    avx512vpopcntdq: 14,
    rdpid: 22,
  }],
  [7, 1, EAX, { avxvnni: 4, avx512bf16: 5 }],
  [0x80000001, 0, ECX, { lzcnt: 5, prfchw: 8 }],
  [0x80000001, 0, EDX, { rdtscp: 27 }],
];

/** Those that use the upper halves of ymm registers, besides all of AVX-512. */
const YMM: ReadonlySet<Feature> = new Set<Feature>([
  "avx",
  "avx2",
  "fma",
  "f16c",
  "avxvnni",
  "vaes",
  "vpclmulqdq",
]);
/** In XCR0: the operating system keeps xmm and ymm; and k, zmm and zmm16 to zmm31. */
const XCR0_YMM = 0b110;
const XCR0_ZMM = 0b1110_0110;
/** In AT_HWCAP2: programs may use FSGSBASE. */
const HWCAP2_FSGSBASE = 2n;

function isFeature(name: string, features: Partial<Record<Feature, number>>): name is Feature {
  return Object.hasOwn(features, name);
}

/** A leaf that the CPU knows; of any other it gives the last one's numbers, or none. */
function ask(cpuid: Cpuid, leaf: number, subleaf = 0): readonly [number, number, number, number] {
  const base = leaf >= 0x80000000 ? 0x80000000 : 0;
  return cpuid(base, 0)[EAX] >>> 0 >= leaf ? cpuid(leaf, subleaf) : [0, 0, 0, 0];
}

/**
 * What the CPU can do and the operating system lets it: `xcr0` is what XGETBV gives, and asked for only where
 * that is legal; `hwcap2` is what the kernel says of what CPUID does not tell, its AT_HWCAP2.
 */
export function featuresOf(cpuid: Cpuid, xcr0: () => number, hwcap2: () => bigint): Set<Feature> {
  const found = new Set<Feature>();
  for (const [leaf, subleaf, register, bits] of BITS) {
    const value = ask(cpuid, leaf, subleaf)[register];
    for (const [name, bit] of Object.entries(bits)) {
      if ((value >>> bit & 1) === 1 && isFeature(name, bits)) found.add(name);
    }
  }
  const state = found.has("xsave") ? xcr0() : 0;
  for (const feature of found) {
    const needed = feature.startsWith("avx512") ? XCR0_ZMM : YMM.has(feature) ? XCR0_YMM : 0;
    if ((state & needed) !== needed) found.delete(feature);
  }
  if (found.has("fsgsbase") && (hwcap2() & HWCAP2_FSGSBASE) === 0n) found.delete("fsgsbase");
  return found;
}

const TYPES = ["none", "data", "instruction", "unified"] as const;

/** From leaf 4, which AMD has at 0x8000001D. Empty where the CPU has neither. */
export function cachesOf(cpuid: Cpuid): Cache[] {
  const leaf = [4, 0x8000001d].find((leaf) => (ask(cpuid, leaf)[EAX] & 0x1f) !== 0);
  const caches: Cache[] = [];
  if (leaf === undefined) return caches;
  for (let subleaf = 0;; subleaf++) {
    const [eax, ebx, ecx] = cpuid(leaf, subleaf);
    const type = TYPES[eax & 0x1f] ?? "none";
    if (type === "none") return caches;
    const line = (ebx & 0xfff) + 1;
    const partitions = (ebx >>> 12 & 0x3ff) + 1;
    const ways = (ebx >>> 22) + 1;
    const sets = (ecx >>> 0) + 1;
    const size = line * partitions * ways * sets;
    caches.push({ level: eax >>> 5 & 7, type, size, line, ways, sharedBy: (eax >>> 14 & 0xfff) + 1 });
  }
}

/** How many threads a core has: leaf 0xB. 1 where the CPU does not say it. */
export function threadsPerCoreOf(cpuid: Cpuid): number {
  const [, threads, level] = ask(cpuid, 0xb);
  const SMT = 1;
  return (level >>> 8 & 0xff) === SMT ? Math.max(1, threads & 0xffff) : 1;
}

function text(registers: readonly number[]): string {
  const bytes = new Uint8Array(Int32Array.from(registers).buffer);
  return new TextDecoder("latin1").decode(bytes).replaceAll("\0", " ").trim();
}

/** `GenuineIntel`, `AuthenticAMD` and so on. */
export function vendorOf(cpuid: Cpuid): string {
  const [, ebx, ecx, edx] = cpuid(0, 0);
  return text([ebx, edx, ecx]);
}

/** Its name as it was sold; empty where it does not say it. */
export function brandOf(cpuid: Cpuid): string {
  return text([0x80000002, 0x80000003, 0x80000004].flatMap((leaf) => [...ask(cpuid, leaf)]));
}

/** The family and the model with their extensions, as `/proc/cpuinfo` has them, and the stepping. */
export function modelOf(cpuid: Cpuid): { family: number; model: number; stepping: number } {
  const [eax] = cpuid(1, 0);
  const base = eax >>> 8 & 0xf;
  const family = base === 0xf ? base + (eax >>> 20 & 0xff) : base;
  const model = (eax >>> 4 & 0xf) + (family >= 6 ? (eax >>> 16 & 0xf) << 4 : 0);
  return { family, model, stepping: eax & 0xf };
}

/** Bytes of the line that CLFLUSH flushes, which is the caches'. */
export function lineOf(cpuid: Cpuid): number {
  return (cpuid(1, 0)[EBX] >>> 8 & 0xff) * 8;
}
