import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Blas, type Layout, type SgemmArguments, type SgemmGroup } from "../../lib/blas/mod.ts";
import { skipping } from "../skip.ts";

type Matrix = Float32Array<ArrayBuffer>;

/** Why a backend's tests cannot run here; false where they can. */
function missing(backend: "mkl" | "openblas" | "portable"): string | false {
  try {
    Blas.open({ backend });
    return false;
  } catch (error) {
    return `${backend} is not installed: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
  }
}

/** Numbers from -1 to 1 by mulberry32, one in eight of them 0. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const value = ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
    return (seed & 7) === 0 ? 0 : value;
  };
}

interface Spec {
  layout: Layout;
  transA: boolean;
  transB: boolean;
  m: number;
  n: number;
  k: number;
  alpha: number;
  beta: number;
  /** Added to each tight leading dimension. */
  pads: [number, number, number];
  /** Elements before each matrix in its buffer. */
  offset: number;
  seed: number;
}

type Full = Required<SgemmArguments>;

/** The index of row i and column j of a matrix as it is stored. */
function at(layout: Layout, trans: boolean, ld: number, i: number, j: number): number {
  return (layout === "column") !== trans ? j * ld + i : i * ld + j;
}

/** Random matrices; what must not be read is NaN. */
function build(spec: Spec): Full {
  const { layout, transA, transB, m, n, k, alpha, beta, pads, offset, seed } = spec;
  const next = random(seed);
  const matrix = (
    swapped: boolean,
    rows: number,
    columns: number,
    pad: number,
    unread: boolean,
  ): [Matrix, number] => {
    const [lines, length] = swapped ? [columns, rows] : [rows, columns];
    const ld = Math.max(1, length) + pad;
    const size = lines * length === 0 ? 0 : (lines - 1) * ld + length;
    return [new Float32Array(offset + size + 1).map(() => unread ? NaN : next()).subarray(offset), ld];
  };
  const columns = layout === "column";
  const [a, lda] = matrix(transA !== columns, m, k, pads[0], alpha === 0);
  const [b, ldb] = matrix(transB !== columns, k, n, pads[1], alpha === 0);
  const [c, ldc] = matrix(columns, m, n, pads[2], beta === 0);
  return { layout, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc };
}

/**
 * Compares a product with the naive one in double precision, by the bound of netlib's SMMCH; and what lies
 * between the columns of C with what was there.
 */
function assertProduct(args: Full, before: Matrix, what: unknown): void {
  const { layout, transA, transB, m, n, k, a, lda, b, ldb, c, ldc } = args;
  const [alpha, beta] = [Math.fround(args.alpha), Math.fround(args.beta)];
  const untouched = new Set(c.keys());
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      let size = 0;
      for (let p = 0; p < k && alpha !== 0; p++) {
        const term = a[at(layout, transA, lda, i, p)] * b[at(layout, transB, ldb, p, j)];
        sum += term;
        size += Math.abs(term);
      }
      const to = at(layout, false, ldc, i, j);
      const old = beta === 0 ? 0 : beta * before[to];
      const expected = alpha === 0 ? old : alpha * sum + old;
      const bound = 16 * 2 ** -23 * (Math.abs(alpha) * size + Math.abs(old));
      const good = Number.isFinite(expected)
        ? Math.abs(c[to] - expected) <= bound
        : Object.is(c[to], expected);
      assert(good, `C[${i}, ${j}] is ${c[to]}, not ${expected} ± ${bound}: ${JSON.stringify(what)}`);
      untouched.delete(to);
    }
  }
  for (const i of untouched) assert(Object.is(c[i], before[i]), `c[${i}] changed: ${JSON.stringify(what)}`);
}

const scalar = fc.oneof(fc.constantFrom(0, 1, -1), fc.integer({ min: -400, max: 400 }).map((x) => x / 99));
const pads = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3));
const spec: fc.Arbitrary<Spec> = fc.record({
  layout: fc.constantFrom("row", "column"),
  transA: fc.boolean(),
  transB: fc.boolean(),
  m: fc.nat(17),
  n: fc.nat(19),
  k: fc.nat(21),
  alpha: scalar,
  beta: scalar,
  pads,
  offset: fc.nat(3),
  seed: fc.integer(),
});

for (const backend of ["mkl", "openblas", "portable"] as const) {
  describe(`sgemm on ${backend}`, () => {
    const options = { skip: skipping(missing(backend)) };

    it(
      "is the naive product, for random shapes, layouts, transpositions, paddings, alpha and beta",
      options,
      () => {
        using blas = Blas.open({ backend, threads: 1 });
        fc.assert(
          fc.property(spec, (spec) => {
            const args = build(spec);
            const before = args.c.slice();
            const [a, b] = [args.a.slice(), args.b.slice()];
            blas.sgemm(args);
            assertProduct(args, before, spec);
            assertEquals([args.a, args.b], [a, b]);
          }),
          { numRuns: 300 },
        );
      },
    );

    it("is the naive product of shapes larger than its blocks", options, () => {
      const shapes = [[1, 700, 300], [700, 1, 300], [1, 1, 5000], [131, 17, 1000], [3, 50, 9001], [
        64,
        64,
        64,
      ], [65, 33, 70]];
      for (const threads of [1, 2]) {
        using blas = Blas.open({ backend, threads });
        for (const [m, n, k] of shapes) {
          for (const [transA, transB] of [[false, false], [false, true], [true, false], [true, true]]) {
            const spec: Spec = {
              layout: "row",
              transA,
              transB,
              m,
              n,
              k,
              alpha: 0.5,
              beta: -2,
              pads: [0, 1, 2],
              offset: 0,
              seed: m,
            };
            const args = build(spec);
            const before = args.c.slice();
            blas.sgemm(args);
            assertProduct(args, before, spec);
          }
        }
      }
    });

    it("lets NaN in C vanish at beta = 0, and NaN in A and B at alpha = 0 or k = 0", options, () => {
      using blas = Blas.open({ backend, threads: 1 });
      const [a, b] = [new Float32Array(4).fill(NaN), new Float32Array(4).fill(NaN)];
      const nan = (): Matrix => new Float32Array(4).fill(NaN);
      const run = (shape: { k: number; alpha: number; beta: number }, c: Matrix): number[] => {
        blas.sgemm({ m: 2, n: 2, ...shape, a, b, c });
        return [...c];
      };
      assertEquals(run({ k: 2, alpha: 0, beta: 0 }, nan()), [0, 0, 0, 0]);
      assertEquals(run({ k: 0, alpha: 1, beta: 0 }, nan()), [0, 0, 0, 0]);
      assertEquals(run({ k: 2, alpha: 0, beta: 2 }, Float32Array.of(1, 2, 3, 4)), [2, 4, 6, 8]);
      assertEquals(run({ k: 0, alpha: 1, beta: 2 }, Float32Array.of(1, 2, 3, 4)), [2, 4, 6, 8]);
      assertEquals(run({ k: 2, alpha: 0, beta: 1 }, Float32Array.of(1, NaN, 3, -0)), [1, NaN, 3, -0]);
      assertEquals(run({ k: 2, alpha: 1e-50, beta: 1 }, Float32Array.of(1, 2, 3, 4)), [1, 2, 3, 4]);
      a.fill(1), b.fill(2);
      assertEquals(run({ k: 2, alpha: 1, beta: 0 }, nan()), [4, 4, 4, 4]);
      assertEquals(run({ k: 2, alpha: 1, beta: 1e-50 }, nan()), [4, 4, 4, 4]);
      assertEquals(run({ k: 2, alpha: 1, beta: 1 }, nan()), [NaN, NaN, NaN, NaN]);
      for (const [m, n] of [[1, 4], [4, 1]]) {
        const c = nan();
        blas.sgemm({ m, n, k: 1, a, b, c });
        assertEquals([...c], [2, 2, 2, 2]);
      }
    });

    it(
      "spreads NaN and infinity from A to their rows of C and from B to their columns, and no further",
      options,
      () => {
        using blas = Blas.open({ backend, threads: 1 });
        for (const [m, n, k] of [[9, 11, 5], [2, 2, 1], [33, 20, 40]]) {
          const [a, b, c] = [m * k, k * n, m * n].map((size) => new Float32Array(size).fill(1));
          a[k] = NaN;
          b[n - 1] = Infinity;
          blas.sgemm({ m, n, k, a, b, c });
          const expected = c.map((_, at) => Math.floor(at / n) === 1 ? NaN : at % n === n - 1 ? Infinity : k);
          assertEquals(c, expected);
        }
      },
    );

    it("multiplies every group of a batch, whatever their shapes, and empty ones", options, () => {
      using blas = Blas.open({ backend, threads: 1 });
      const group = fc.tuple(spec, fc.nat(3));
      const layout = fc.constantFrom<Layout>("row", "column");
      fc.assert(
        fc.property(layout, fc.array(group, { maxLength: 4 }), (layout, specs) => {
          const products = specs.map(([spec, count]) =>
            Array.from({ length: count }, (_, i) => build({ ...spec, layout, seed: spec.seed + i }))
          );
          const groups: SgemmGroup[] = specs.map(([spec], i) => ({
            ...build({ ...spec, layout }),
            a: products[i].map(({ a }) => a),
            b: products[i].map(({ b }) => b),
            c: products[i].map(({ c }) => c),
          }));
          const all = products.flat();
          const before = all.map(({ c }) => c.slice());
          blas.sgemmBatch({ layout, groups });
          all.forEach((product, i) => assertProduct(product, before[i], specs));
        }),
        { numRuns: 100 },
      );
    });

    it("multiplies a batch of a thousand, one buffer behind all its matrices", options, () => {
      using blas = Blas.open({ backend, threads: 1 });
      const size = 1000;
      const whole = new Float32Array(size * 12).map((_, i) => i % 7);
      const cut = (from: number): Matrix[] =>
        Array.from(
          { length: size },
          (_, i) => whole.subarray((from * size + i) * 4, (from * size + i + 1) * 4),
        );
      const [a, b, c] = [cut(0), cut(1), cut(2)];
      blas.sgemmBatch({ groups: [{ m: 2, n: 2, k: 2, a, b, c }] });
      for (let i = 0; i < size; i++) {
        const [[p, q, r, s], [t, u, v, w]] = [a[i], b[i]];
        assertEquals([...c[i]], [p * t + q * v, p * u + q * w, r * t + s * v, r * u + s * w]);
      }
    });
  });
}

describe("sgemm on portable, in bits", () => {
  it("gives a row the same bits alone and among others", () => {
    using blas = Blas.open({ backend: "portable" });
    const [m, n, k] = [7, 21, 333];
    const next = random(5);
    const a = new Float32Array(m * k).map(next);
    const b = new Float32Array(n * k).map(next);
    const all = new Float32Array(m * n);
    blas.sgemm({ m, n, k, transB: true, a, b, c: all });
    for (let i = 0; i < m; i++) {
      const row = new Float32Array(n);
      blas.sgemm({ m: 1, n, k, transB: true, a: a.subarray(i * k), b, c: row });
      assertEquals(row, all.subarray(i * n, (i + 1) * n).slice());
    }
  });

  it("rounds each element once", () => {
    using blas = Blas.open({ backend: "portable" });
    const c = new Float32Array(1);
    blas.sgemm({
      m: 1,
      n: 1,
      k: 3,
      a: Float32Array.of(2 ** 24, 1, -(2 ** 24)),
      b: Float32Array.of(1, 1, 1),
      c,
    });
    assertEquals([...c], [1]);
  });
});
