/**
 * Machine code as functions: what the assembler has made is loaded as a shared library, and called as one.
 *
 * The code becomes an ELF shared object in a sealed file in memory, which the host itself opens: calls take its
 * fastest way, checked by their signature as those of any library, and no page is ever writable and executable.
 * Code that asks for what the CPU lacks is refused, before anything is opened. Like `/ffi` this is `unsafe` by
 * itself: wrong code, or a wrong signature, ends the process.
 *
 * @module
 */
import type { Bindable } from "../../ffi/types.ts";
import type { Library, Signature, SymbolTable } from "../../ffi/mod.ts";
import type { Code, Feature } from "./code.ts";
import { cpu } from "./cpu.ts";
import { openForProcess, openLibrary } from "./library.ts";

/** Code, and how it is called. */
export interface Kernel {
  readonly signature: Signature;
  readonly code: Code;
}

/** Kernels by name. */
export type KernelTable = Readonly<Record<string, Kernel>>;

/** What of kernels `dlopen` is told. */
export type Signatures<T extends KernelTable> = { readonly [K in keyof T]: T[K]["signature"] };

/** What a table of kernels must be besides: one whose signature cannot be bound does not compile. */
export type Loadable<T extends KernelTable> = {
  readonly [K in keyof T]: { readonly signature: Bindable<Signatures<T>>[K] };
};

/** The code asks for parts of x86-64 that this CPU has not, or `OXBOW_CPU` denies it. */
export class MissingFeatureError extends Error {
  override readonly name = "MissingFeatureError";
  /** What is missing. */
  readonly missing: readonly Feature[];

  constructor(what: string, missing: readonly Feature[]) {
    super(
      `cannot load ${what}: it needs ${missing.join(", ")}, which this CPU has not, or OXBOW_CPU denies it`,
    );
    this.missing = missing;
  }
}

/** What is no code is told from what is: by those who write JavaScript it may be forgotten. */
function requireCode(name: string, code: Code | undefined): void {
  if (
    code?.text instanceof Uint8Array && code.rodata instanceof Uint8Array && Array.isArray(code.relocations)
  ) return;
  throw new TypeError(`cannot load ${name}: code is not what the finish() of an Assembler gives`);
}

/** What the shared object is made of, and how its functions are called. */
function prepare(
  kernels: KernelTable,
): { functions: Record<string, Code>; table: Record<string, Signature> } {
  // A kernel may be called __proto__.
  const functions: Record<string, Code> = Object.create(null);
  const table: Record<string, Signature> = Object.create(null);
  for (const [name, { signature, code }] of Object.entries(kernels)) {
    requireCode(name, code);
    // The CPU is asked by code that needs nothing: it is not asked for that.
    const missing = [...code.features].filter((feature) => !cpu().features.has(feature));
    if (missing.length > 0) throw new MissingFeatureError(name, missing);
    functions[name] = code;
    table[name] = { ...signature, symbol: name };
  }
  return { functions, table };
}

/**
 * Loads machine code as typed functions, which are its symbols too: gdb shows them. Disposing it unloads the
 * code, or once the callback that runs is done; a function of it throws from then on, and one that is
 * `unchecked` must not be called. What is loaded already on this thread, byte for byte, is not loaded again.
 * What a worker of `node:worker_threads`, or a thread of a pool, has not disposed is as it ends, by an `exit` listener;
 * but where it is terminated, and in other workers of Deno's own, a descriptor stays open for each.
 *
 * Code may refer to the other functions of its table by their names, and to symbols of libraries.
 * A profiler has no name for a file in memory: set `OXBOW_JIT_DIR` to a folder, and the code is loaded from
 * files there, which perf finds and which stay.
 *
 * Costs a quarter to half a millisecond for each function, most of it the host's own `dlopen`; the first one in a
 * process some milliseconds more.
 *
 * @throws {MissingFeatureError} where the CPU lacks a feature, before anything is opened.
 * @throws {NativeUnavailableError} where no code can be loaded: no x86-64 or no Linux, a denied permission, a
 * kernel or sandbox that forbids it.
 * @throws {TypeError | RangeError} where a name is no symbol, a signature cannot be bound, or code is empty or none.
 * @throws {Error} where a library or a symbol that the code names is missing, or too many files are open.
 *
 * @example
 * ```ts
 * import { Assembler, eax, edi, esi, load } from "@oxbow/oxbow/jit";
 *
 * const a = new Assembler();
 * a.mov(eax, edi);
 * a.imul(eax, esi);
 * a.ret();
 *
 * using kernels = load({
 *   multiply: { signature: { parameters: ["i32", "i32"], result: "i32" }, code: a.finish() },
 * });
 * console.log(kernels.symbols.multiply(6, 7)); // 42
 * ```
 */
export function load<const T extends KernelTable>(kernels: T & Loadable<T>): Library<Signatures<T>>;
export function load(kernels: KernelTable): Library<SymbolTable> {
  const { functions, table } = prepare(kernels);
  return openLibrary({ functions }, table, true);
}

/** As `load`, for kernels of Oxbow's own: their calls throw nothing that a callback has left. */
export function loadQuietly<const T extends KernelTable>(kernels: T & Loadable<T>): Library<Signatures<T>>;
export function loadQuietly(kernels: KernelTable): Library<SymbolTable> {
  const { functions, table } = prepare(kernels);
  return openLibrary({ functions }, table);
}

/**
 * Loads machine code for as long as the process lives, once whichever threads do: handlers of signals, and
 * what they share. `memory` is zeroed bytes by symbol, each from a cache line on, that the code refers to by
 * the symbol; the process has them once.
 *
 * @throws as `load` does, and a {NativeUnavailableError} where the system's loader is not glibc's.
 */
export function loadForProcess<const T extends KernelTable>(
  kernels: T & Loadable<T>,
  memory?: Readonly<Record<string, number>>,
): Library<Signatures<T>>;
export function loadForProcess(
  kernels: KernelTable,
  memory?: Readonly<Record<string, number>>,
): Library<SymbolTable> {
  const { functions, table } = prepare(kernels);
  return openForProcess({ functions, memory }, table, true);
}
