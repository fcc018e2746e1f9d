/** What the assembler hands to the loader: bytes, what they refer to, and what the CPU must have. */

/** A part of x86-64 that not every CPU has, by the name that Linux and GNU `as` give it. */
export type Feature =
  | ("sse2" | "sse3" | "ssse3" | "sse41" | "sse42" | "popcnt" | "lzcnt" | "bmi1" | "bmi2" | "adx" | "movbe")
  | ("aes" | "pclmul" | "sha" | "gfni" | "vaes" | "vpclmulqdq" | "cx16" | "fsgsbase" | "rdtscp" | "rdpid")
  | ("rdrnd" | "rdseed" | "clflushopt" | "clwb" | "prfchw" | "waitpkg" | "xsave")
  | (
    | "avx"
    | "avx2"
    | "fma"
    | "f16c"
    | "avxvnni"
    | "avx512f"
    | "avx512cd"
    | "avx512vl"
    | "avx512bw"
    | "avx512dq"
  )
  | ("avx512ifma" | "avx512vbmi" | "avx512vbmi2" | "avx512vnni" | "avx512bitalg" | "avx512vpopcntdq")
  | "avx512bf16";

/**
 * A field of four bytes in `text` that only the loader can fill, with
 * `target + addend - address of the field`: ELF's `R_X86_64_PC32`.
 */
export type Relocation =
  /** The target is the start of `rodata`. */
  | { readonly kind: "rodata"; readonly offset: number; readonly addend: number }
  /** The target is a slot of eight bytes that holds the address of the symbol: ELF's `R_X86_64_GOTPCREL`. */
  | {
    readonly kind: "symbol";
    readonly offset: number;
    readonly addend: number;
    /** As `dlsym` takes it. */
    readonly name: string;
    /** The library that has it, as `dlopen` takes it, where the process has not loaded it anyway. */
    readonly library: string | undefined;
  };

/** One piece of machine code, entered at its first byte. */
export interface Code {
  /** To be loaded at a multiple of 64 bytes, readable and executable. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** Constants, to be loaded at a multiple of 64 bytes, read-only, within 2 GiB of `text`. May be empty. */
  readonly rodata: Uint8Array<ArrayBuffer>;
  /** In the order of their offsets. */
  readonly relocations: readonly Relocation[];
  /** What the CPU must have, or an instruction is illegal. */
  readonly features: ReadonlySet<Feature>;
}
