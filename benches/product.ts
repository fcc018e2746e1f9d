/**
 * Claim: a batch of products of 64 × 64 runs at the speed, within 5 %, of C on the same library. Smaller
 * ones have no target yet: they show what checking and converting the arguments of each product costs.
 *
 * For each backend that is found: `Blas.sgemmBatch` over 1,000 separate products of n × n, a C program that
 * opens the same library and makes the same calls (one for the batch on MKL, one a product on OpenBLAS), and
 * the host's own way, which is a triple loop. All on one thread. Elements are small integers, so products
 * are exact, and every element is checked.
 *
 * @module
 */
import { mkl } from "../ffi/mkl.ts";
import { openblas } from "../ffi/openblas.ts";
import { Blas } from "../lib/blas/mod.ts";
import { compare, type Contender, timed } from "./compare.ts";
import { buildPeer, runPeer } from "./peers.ts";

type Matrices = Float32Array<ArrayBuffer>[];

/** C that calls the library of a backend; there is none for the portable one. */
interface Native {
  /** The peer's arguments before and after the size. */
  readonly library: readonly string[];
  readonly options: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

interface Batch {
  readonly n: number;
  readonly a: Matrices;
  readonly b: Matrices;
  /** The right products. */
  readonly expected: Matrices;
}

const HOST = "a triple loop";
const TARGET_SIZE = 64;
const SAMPLE_MS = { quick: 2, full: 300 };

function matrices(count: number, n: number, element: () => number): Matrices {
  const all = Float32Array.from({ length: count * n * n }, element);
  return Array.from({ length: count }, (_, i) => all.subarray(i * n * n, (i + 1) * n * n));
}

function multiply(n: number, a: Float32Array, b: Float32Array, c: Float32Array): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
      c[i * n + j] = sum;
    }
  }
}

function multiplyAll({ n, a, b }: Batch, c: Matrices): void {
  for (let i = 0; i < c.length; i++) multiply(n, a[i], b[i], c[i]);
}

/** A batch and its products, made by another loop than the contender's. */
function makeBatch(n: number, count: number): Batch {
  const element = (): number => Math.floor(9 * Math.random()) - 4;
  const [a, b] = [matrices(count, n, element), matrices(count, n, element)];
  const expected = matrices(count, n, () => 0);
  expected.forEach((c, p) => {
    for (let at = 0; at < n * n * n; at++) {
      const [row, inner, column] = [Math.floor(at / n / n), Math.floor(at / n) % n, at % n];
      c[row * n + column] += a[p][row * n + inner] * b[p][inner * n + column];
    }
  });
  return { n, a, b, expected };
}

function nativeOf(backend: string): Native | undefined {
  if (backend === "openblas") {
    const { library, core } = openblas();
    // The library is told its core where it would take a worse one; C must have the same.
    return { library: [backend, library.path], options: [], environment: { OPENBLAS_CORETYPE: core } };
  }
  if (backend === "mkl") {
    const { library, threading } = mkl();
    return { library: [backend, library.path], options: [String(threading)], environment: {} };
  }
  return undefined;
}

function openAll(): Blas[] {
  const found = [];
  for (const backend of ["mkl", "openblas", "portable"] as const) {
    try {
      found.push(Blas.open({ backend, threads: 1 }));
    } catch (error) {
      const [reason] = String(error instanceof Error ? error.message : error).split("\n");
      console.log(`no ${backend}: ${reason}`);
    }
  }
  return found;
}

function oursOn({ backend }: Blas): string {
  return `Oxbow, ${backend}`;
}

/** The contenders on one backend, the baseline first. */
function contenders(blas: Blas, batch: Batch, peer: string | undefined, quick: boolean): Contender[] {
  const { n, a, b, expected } = batch;
  const operations = 2 * n ** 3 * a.length;
  function products(name: string, run: (c: Matrices) => void): Contender {
    const c = matrices(a.length, n, () => NaN);
    function check(): void {
      const right = expected.every((matrix, p) => matrix.every((value, i) => value === c[p][i]));
      if (!right) throw new Error(`${name} gave a wrong product for n = ${n}`);
    }
    return timed({ name, quick, run: () => run(c), check, figure: (ns) => operations / ns });
  }
  const { backend } = blas;
  const ours = products(
    oursOn(blas),
    (c) => blas.sgemmBatch({ groups: [{ m: n, n, k: n, a, b, c }] }),
  );
  const loop = products(HOST, (c) => multiplyAll(batch, c));
  const native = nativeOf(backend);
  if (peer === undefined || native === undefined) return [loop, ours];
  const sizes = [n, a.length, quick ? SAMPLE_MS.quick : SAMPLE_MS.full].map(String);
  const inC = {
    name: `C, ${backend}`,
    sample(): Promise<readonly number[]> {
      const [ns] = runPeer(peer, [...native.library, ...sizes, ...native.options], native.environment);
      return Promise.resolve([operations / ns]);
    },
  };
  return [inC, ours, loop];
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const peer = buildPeer("gemm_batch");
  const backends = openAll();
  for (const blas of backends) console.log(blas.explain());
  for (const n of [4, 8, 16, 32, TARGET_SIZE]) {
    const batch = makeBatch(n, quick ? 50 : 1000);
    for (const blas of backends) {
      const rows = contenders(blas, batch, peer, quick);
      await compare({
        title: `${batch.a.length} products of ${n} × ${n}, ${blas.backend}`,
        units: ["GFLOP/s"],
        baseline: rows[0].name,
        contenders: rows,
        quick,
        targets: n === TARGET_SIZE ? [{ name: oursOn(blas), atLeast: 0.95 }] : [],
      });
    }
  }
}
