import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { type Backend, Blas, type SgemmArguments, type SgemmBatchArguments } from "../../lib/blas/mod.ts";

/** Fails where anything reaches it. */
const untouchable: Backend = {
  name: "untouchable",
  description: "a backend for tests",
  threads: 1,
  sgemm() {
    throw new Error("the backend was called");
  },
};

const blas = Blas.open({ backend: untouchable });

/** op(A) is 2 × 4, op(B) 4 × 3, C 2 × 3. */
function right(): SgemmArguments {
  const [a, b, c] = [8, 12, 6].map((length) => new Float32Array(length).fill(7));
  return { m: 2, n: 3, k: 4, a, b, c };
}

type Fault = [patch: Record<string, unknown>, error: typeof TypeError | typeof RangeError, message: string];

function detached(length: number): Float32Array {
  const array = new Float32Array(length);
  array.buffer.transfer();
  return array;
}

const faults: Fault[] = [
  [{ layout: "rows" }, TypeError, 'layout is rows, not "row" or "column"'],
  [{ layout: 101 }, TypeError, 'layout is 101, not "row" or "column"'],
  [{ transA: 111 }, TypeError, "transA is 111, not true or false"],
  [{ transB: "no" }, TypeError, "transB is no, not true or false"],
  [{ m: -1 }, RangeError, "m is -1, not a whole number from 0 to 2^31 - 1"],
  [{ m: undefined }, TypeError, "m is undefined, not a number"],
  [{ m: 2 ** 31 }, RangeError, "m is 2147483648"],
  [{ n: 1.5 }, RangeError, "n is 1.5"],
  [{ n: NaN }, RangeError, "n is NaN"],
  [{ n: 3n }, TypeError, "n is 3, not a number"],
  [{ k: Infinity }, RangeError, "k is Infinity"],
  [{ k: "4" }, TypeError, "k is 4, not a number"],
  [{ alpha: "1" }, TypeError, "alpha is 1, not a number"],
  [{ beta: 1n }, TypeError, "beta is 1, not a number"],
  [{ lda: 3 }, RangeError, "lda is 3, not a whole number from 4, its tight value, to 2^31 - 1"],
  [{ transA: true, lda: 1 }, RangeError, "lda is 1, not a whole number from 2,"],
  [{ layout: "column", lda: 1 }, RangeError, "lda is 1, not a whole number from 2,"],
  [{ layout: "column", transA: true, lda: 3 }, RangeError, "lda is 3, not a whole number from 4,"],
  [{ ldb: 2 }, RangeError, "ldb is 2, not a whole number from 3,"],
  [{ transB: true, ldb: 3 }, RangeError, "ldb is 3, not a whole number from 4,"],
  [{ ldb: 2 ** 31 }, RangeError, "ldb is 2147483648"],
  [{ ldc: 2 }, RangeError, "ldc is 2, not a whole number from 3,"],
  [{ layout: "column", ldc: 1 }, RangeError, "ldc is 1, not a whole number from 2,"],
  [{ ldc: 3.5 }, RangeError, "ldc is 3.5"],
  [{ k: 0, lda: 0 }, RangeError, "lda is 0, not a whole number from 1,"],
  [{ a: new Float32Array(7) }, RangeError, "a needs 8 elements, for 2 × 4 with lda 4: it has 7"],
  [{ lda: 5 }, RangeError, "a needs 9 elements, for 2 × 4 with lda 5: it has 8"],
  [{ transA: true, lda: 3 }, RangeError, "a needs 11 elements, for 4 × 2 with lda 3: it has 8"],
  [{ alpha: 0, a: new Float32Array(7) }, RangeError, "a needs 8 elements"],
  [{ b: new Float32Array(11) }, RangeError, "b needs 12 elements, for 4 × 3 with ldb 3: it has 11"],
  [{ transB: true, ldb: 5 }, RangeError, "b needs 14 elements, for 3 × 4 with ldb 5: it has 12"],
  [{ c: new Float32Array(5) }, RangeError, "c needs 6 elements, for 2 × 3 with ldc 3: it has 5"],
  [{ layout: "column", ldc: 3 }, RangeError, "c needs 8 elements, for 3 × 2 with ldc 3: it has 6"],
  [{ m: 2 ** 31 - 1, lda: 2 ** 31 - 1 }, RangeError, "a needs 46116860119849"],
  [{ c: detached(6) }, RangeError, "c needs 6 elements, for 2 × 3 with ldc 3: its buffer is detached"],
  [{ a: new Float64Array(8) }, TypeError, "a is not a Float32Array over an ArrayBuffer"],
  [{ b: [1, 2, 3] }, TypeError, "b is not a Float32Array"],
  [{ c: undefined }, TypeError, "c is not a Float32Array"],
  [
    { a: new Float32Array(new SharedArrayBuffer(32)) },
    TypeError,
    "a is not a Float32Array over an ArrayBuffer",
  ],
];

describe("sgemm", () => {
  for (const [patch, ErrorType, message] of faults) {
    it(`refuses a product before the backend sees it: ${message}`, () => {
      const args = right();
      const { c } = args;
      assertThrows(() => blas.sgemm(Object.assign(args, patch)), ErrorType, `sgemm: ${message}`);
      assertEquals([...c], [7, 7, 7, 7, 7, 7]);
    });
  }

  it("asks for no element where a matrix has none", () => {
    const none = new Float32Array(0);
    for (const [m, n, k] of [[0, 3, 4], [2, 0, 4], [0, 0, 0]]) {
      blas.sgemm({ m, n, k, a: new Float32Array(8), b: new Float32Array(12), c: none });
    }
    const c = Float32Array.of(NaN, 1);
    blas.sgemm({ m: 1, n: 2, k: 0, a: none, b: none, c });
    assertEquals([...c], [0, 0]);
  });

  it("reads nothing and writes nothing where the reference returns at once", () => {
    const c = Float32Array.of(NaN, 1, -0, Infinity);
    const a = new Float32Array(4).fill(NaN);
    blas.sgemm({ m: 2, n: 2, k: 2, alpha: 0, beta: 1, a, b: a, c });
    blas.sgemm({ m: 2, n: 2, k: 0, beta: 1, a, b: a, c });
    assertEquals([...c], [NaN, 1, -0, Infinity]);
  });

  it("scales only the elements of C, by beta, where alpha or k is 0", () => {
    const a = new Float32Array(4);
    const c = Float32Array.of(1, 2, 9, 3, 4, 9);
    blas.sgemm({ m: 2, n: 2, k: 0, beta: 3, a, b: a, c, ldc: 3 });
    assertEquals([...c], [3, 6, 9, 9, 12, 9]);
    blas.sgemm({ layout: "column", m: 1, n: 2, k: 2, alpha: 0, a, b: a, c, ldc: 3 });
    assertEquals([...c], [0, 6, 9, 0, 12, 9]);
  });

  it("refuses a product after it was disposed", () => {
    const disposed = Blas.open({ backend: untouchable });
    disposed[Symbol.dispose]();
    assertThrows(() => disposed.sgemm(right()), Error, "sgemm: this Blas was disposed");
    assertThrows(() => disposed.sgemmBatch({ groups: [] }), Error, "sgemmBatch: this Blas was disposed");
  });
});

describe("sgemmBatch", () => {
  const shape = { m: 1, n: 1, k: 1 };
  const one = (): Float32Array<ArrayBuffer> => Float32Array.of(7);

  it("names the group, the argument and its index, and multiplies nothing, not even the groups that are right", () => {
    const batch = (patch: Record<string, unknown>): SgemmBatchArguments => ({
      groups: [
        { ...shape, k: 0, a: [one()], b: [one()], c: [kept] },
        Object.assign({ ...shape, a: [one(), one()], b: [one(), one()], c: [one(), one()] }, patch),
      ],
    });
    const kept = one();
    const cases: Fault[] = [
      [{ m: -1 }, RangeError, "groups[1].m is -1"],
      [{ ldb: 0 }, RangeError, "groups[1].ldb is 0"],
      [{ a: [one(), new Float32Array(0)] }, RangeError, "groups[1].a[1] needs 1 elements"],
      [
        { c: [one(), detached(1)] },
        RangeError,
        "groups[1].c[1] needs 1 elements, for 1 × 1 with ldc 1: its buffer is",
      ],
      [{ b: [undefined, one()] }, TypeError, "groups[1].b[0] is not a Float32Array"],
      [{ a: [one()] }, RangeError, "groups[1].a, b and c must be as many, and there are 1, 2 and 2"],
      [{ c: [one(), one(), one()] }, RangeError, "there are 2, 2 and 3"],
      [{ b: one() }, TypeError, "groups[1].a, b and c must be arrays of matrices"],
    ];
    for (const [patch, ErrorType, message] of cases) {
      assertThrows(() => blas.sgemmBatch(batch(patch)), ErrorType, message);
      assertEquals([...kept], [7]);
    }
    assertThrows(() => blas.sgemmBatch(Object.assign(batch({}), { layout: "C" })), TypeError, "layout is C");
  });

  it("does nothing for no groups, and for groups without products", () => {
    blas.sgemmBatch({ groups: [] });
    blas.sgemmBatch({
      groups: [{ ...shape, a: [], b: [], c: [] }, { ...shape, m: 0, a: [one()], b: [one()], c: [one()] }],
    });
    const c = one();
    blas.sgemmBatch({ groups: [{ ...shape, k: 0, a: [one()], b: [one()], c: [c] }] });
    assertEquals([...c], [0]);
  });

  it("believes no length that an array was given, and uses the matrices that it checked", () => {
    const short = new Float32Array(1);
    Object.defineProperty(short, "length", { value: 1e9 });
    assertThrows(() => blas.sgemm({ ...right(), a: short }), RangeError, "a needs 8 elements");
    class Changing extends Array<Float32Array> {
      override *entries(): ArrayIterator<[number, Float32Array]> {}
    }
    const { a, b, c, ...shape } = right();
    const group = { ...shape, a: Changing.of(new Float32Array(1)), b: [b], c: [c] };
    assertEquals(a.length, 8);
    assertThrows(() => blas.sgemmBatch({ groups: [group] }), RangeError, "a[0] needs 8 elements");
  });
});
