/**
 * Products of float32 matrices, one or many at a time, by MKL or OpenBLAS where one is installed and by
 * plain TypeScript where none is.
 *
 * A library is found by `dlopen` when a `Blas` is opened: nothing is built and nothing is linked. Every
 * argument is checked here before anything native sees it, since BLAS itself prints a line and goes on, or
 * reads past the end; and what the reference defines for α = 0, β = 0 and empty matrices is decided here,
 * so that all backends agree on it. Matrices are ordinary `Float32Array`s, mapped files included: no copy
 * is made.
 *
 * Follows netlib's `sgemm.f` and cblas.h, and MKL's groups for batches.
 *
 * Where Deno grants no `--allow-ffi`, `Blas.open()` takes the portable backend. With it, `--allow-env` lets
 * `$OXBOW_LIBRARY_PATH` (folders to search first), `$MKLROOT`, `$VIRTUAL_ENV` and `$CONDA_PREFIX` be read,
 * and `--allow-read=/proc/cpuinfo` lets OpenBLAS be told of a processor that is newer than it.
 *
 * @example
 * ```ts
 * import { Blas } from "@oxbow/oxbow/blas";
 *
 * using blas = Blas.open();
 * const a = Float32Array.of(1, 2, 3, 4, 5, 6); // 2 × 3
 * const b = Float32Array.of(1, 0, 0, 1, 1, 1); // 3 × 2
 * const c = new Float32Array(4); // 2 × 2
 * blas.sgemm({ m: 2, n: 2, k: 3, a, b, c });
 * console.log(blas.backend, c); // such as "openblas", Float32Array(4) [ 4, 5, 10, 11 ]
 * ```
 *
 * @module
 */
import { cpuinfo } from "../../ffi/cpuinfo.ts";
import { checkSgemm, checkSgemmBatch, type SgemmArguments, type SgemmBatchArguments } from "./arguments.ts";
import type { Backend, Gemm, GemmGroup } from "./backend.ts";
import { openBlasBackend } from "./cblas.ts";
import { mklBackend } from "./mkl.ts";
import { portable } from "./portable.ts";
import { preferred } from "./preferred.ts";

export type { Layout, SgemmArguments, SgemmBatchArguments, SgemmGroup, Shape } from "./arguments.ts";
export type { Backend, Gemm, GemmGroup, Matrix } from "./backend.ts";

/**
 * A backend by name: `"auto"` is the first of the others that is there, in this order; but on AMD's processors
 * with AVX-512 OpenBLAS goes before MKL, which has AVX2 kernels only for them.
 */
export type BackendName = "auto" | "mkl" | "openblas" | "portable";

/** What `Blas.open` may be told. */
export interface BlasOptions {
  /** `"auto"` where nothing is said; an object is used as it is. */
  readonly backend?: BackendName | Backend;
  /** At most so many threads for a product; as many as the library likes where nothing is said. */
  readonly threads?: number;
}

const OPENERS = {
  mkl: mklBackend,
  openblas: openBlasBackend,
  portable: () => portable(),
} satisfies Record<Exclude<BackendName, "auto">, (threads: number | undefined) => Backend>;

/** Matrix products on one backend. */
export class Blas implements Disposable {
  readonly #backend: Backend;
  readonly #passedOver: readonly string[];
  #disposed = false;

  private constructor(backend: Backend, passedOver: readonly string[]) {
    this.#backend = backend;
    this.#passedOver = passedOver;
  }

  /**
   * Opens a backend. `"auto"` always finds one, and `explain()` says why it is that one; a library asked
   * for by name that is not installed is an error that lists the paths tried. Libraries stay loaded until
   * the process ends, and their number of threads is the process's own: the last one asked for holds.
   *
   * @throws {Error} where the backend asked for is not found, or cannot be used.
   * @throws {TypeError | RangeError} where `backend` or `threads` is none.
   */
  static open({ backend = "auto", threads }: BlasOptions = {}): Blas {
    if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
      throw new RangeError(`Blas.open: threads is ${threads}, not a whole number from 1 to 1024`);
    }
    if (typeof backend === "object") return new Blas(backend, []);
    if (backend !== "auto") {
      if (!Object.hasOwn(OPENERS, backend)) {
        throw new TypeError(
          `Blas.open: backend is ${backend}, not auto, ${Object.keys(OPENERS).join(", ")} or an object`,
        );
      }
      return new Blas(OPENERS[backend](threads), []);
    }
    const passedOver: string[] = [];
    for (const name of preferred(cpuinfo())) {
      try {
        return new Blas(OPENERS[name](threads), passedOver);
      } catch (error) {
        passedOver.push(`${name}: ${error instanceof Error ? error.message : error}`);
      }
    }
    throw new Error(passedOver.join("\n"));
  }

  /** The backend's name. */
  get backend(): string {
    return this.#backend.name;
  }

  /** How many threads a product could use when this was opened: the number is the process's, and the last to ask has it. */
  get threads(): number {
    return this.#backend.threads;
  }

  /** Which backend this is, from where, and what was tried before it, in lines for people to read. */
  explain(): string {
    const { name, description, threads } = this.#backend;
    const chosen = `${name}: ${description}; ${threads} thread${threads === 1 ? "" : "s"}`;
    return [chosen, ...this.#passedOver.map((why) => `not ${why}`)].join("\n");
  }

  /**
   * C = α·op(A)·op(B) + β·C, with A of m × k, B of k × n and C of m × n after their transpositions, in
   * 2·m·n·k operations. As in netlib's reference: at α = 0 or k = 0 A and B are not read, at β = 0 C is not
   * read. `c` must not share memory with `a` or `b`.
   *
   * @throws {TypeError | RangeError} where an argument is wrong, naming it; `c` is as it was then.
   */
  sgemm(args: SgemmArguments): void {
    this.#check("sgemm");
    const product = checkSgemm(args);
    if (isProduct(product)) this.#backend.sgemm(product);
    else scale(product, product.c);
  }

  /**
   * Many products at once, in groups of equal shape: on MKL one native call for all. No `c` may share memory
   * with another, or with an `a` or `b`.
   *
   * @throws {TypeError | RangeError} where an argument of any group is wrong, naming group, argument and
   * index; every `c` is as it was then.
   */
  sgemmBatch(args: SgemmBatchArguments): void {
    this.#check("sgemmBatch");
    const groups = checkSgemmBatch(args);
    for (const group of groups) {
      if (!isProduct(group)) group.c.forEach((c) => scale(group, c));
    }
    const products = groups.filter((group) => isProduct(group) && group.c.length > 0);
    if (products.length === 0) return;
    if (this.#backend.sgemmBatch !== undefined) return this.#backend.sgemmBatch(products);
    for (const { a, b, c, ...shape } of products) {
      c.forEach((c, i) => this.#backend.sgemm({ ...shape, a: a[i], b: b[i], c }));
    }
  }

  /** Ends this object's use: a product afterwards throws. */
  [Symbol.dispose](): void {
    this.#disposed = true;
  }

  #check(call: string): void {
    if (this.#disposed) throw new Error(`${call}: this Blas was disposed`);
  }
}

/** Whether there is anything to multiply. */
function isProduct({ m, n, k, alpha }: Omit<Gemm | GemmGroup, "a" | "b" | "c">): boolean {
  return m > 0 && n > 0 && k > 0 && alpha !== 0;
}

/** C = β·C, which is what is left of a product without A and B. */
function scale({ m, n, beta, ldc }: Omit<Gemm | GemmGroup, "a" | "b" | "c">, c: Float32Array): void {
  if (beta === 1) return;
  for (let i = 0; i < m; i++) {
    const row = c.subarray(i * ldc, i * ldc + n);
    if (beta === 0) row.fill(0);
    else row.forEach((value, j) => row[j] = beta * value);
  }
}
