import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { Kernels } from "../../lib/vector/kernel.ts";
import { vectorLevel } from "../../lib/vector/mod.ts";
import { portable } from "../../lib/vector/portable.ts";
import { tiered } from "../tier.ts";
import { moduleUrl, runChild } from "../child.ts";
import { GuardedPage, type Side } from "./guarded.ts";
import { inMachineCode, itHolds, withVnni } from "./implementations.ts";
import { skipping } from "../skip.ts";

/** Up to 200, as many as the tier has time for, and a few around the kernels' blocks. */
const LENGTHS = [
  255,
  256,
  257,
  511,
  512,
  513,
  1000,
  1023,
  1024,
  ...Array.from({ length: 201 }, (_, length) => length)
    .filter((length) => length > 0 && (length < 70 || length % tiered({ quick: 7, full: 1, soak: 1 }) === 0)),
];

/** Small multiples of 1/8, whose sums and products are exact in float32. */
function eighths(length: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => ((i * 37 + seed * 11) % 61 - 30) / 8);
}

function bytes(length: number, seed: number): Int8Array<ArrayBuffer> {
  return Int8Array.from({ length }, (_, i) => (i * 91 + seed * 57) % 256 - 128);
}

/** Runs `check` for each length at either side of pages: at the end every alignment comes up. */
function forEachPlace(check: (length: number, side: Side, pages: readonly GuardedPage[]) => void): void {
  const pages = Array.from({ length: 4 }, () => new GuardedPage());
  for (const length of LENGTHS) {
    for (const side of ["start", "end"] as const) check(length, side, pages);
  }
}

function assertClose(actual: Float32Array, expected: Float32Array, what: string): void {
  actual.forEach((value, i) => {
    const bound = 2 ** -20 * Math.max(1, Math.abs(expected[i]));
    assert(Math.abs(value - expected[i]) <= bound, `${what}: element ${i} is ${value}, not ${expected[i]}`);
  });
}

type Map = (kernels: Kernels, x: Float32Array, out: Float32Array, length: number) => void;

/** Checks a kernel from `x` to `out`, in place too. */
function checkMap(kernels: Kernels, map: Map): void {
  forEachPlace((length, side, [px, pout]) => {
    const elements = eighths(length, 1);
    const expected = new Float32Array(length);
    map(portable, elements, expected, length);
    const [x, out] = [px.floats(side, elements), pout.floats(side, new Float32Array(length))];
    map(kernels, x, out, length);
    assertClose(out, expected, `${length} at the ${side}`);
    assertEquals(x, elements);
    map(kernels, x, x, length);
    assertClose(x, expected, `${length} at the ${side}, in place`);
    assert(px.isIntactBeside(side, x.byteLength) && pout.isIntactBeside(side, x.byteLength));
  });
}

describe("a kernel touches nothing beside its arrays, whatever their length and alignment", () => {
  itHolds("dot", ({ dot }) => {
    forEachPlace((length, side, [px, py]) => {
      const [x, y] = [px.floats(side, eighths(length, 1)), py.floats("end", eighths(length, 2))];
      assertEquals(dot(x, y, length), portable.dot(x, y, length));
    });
  }, inMachineCode);

  itHolds("sum and max", ({ sum, max }) => {
    forEachPlace((length, side, [px]) => {
      const x = px.floats(side, eighths(length, 3));
      assertEquals(sum(x, length), portable.sum(x, length));
      assertEquals(max(x, length), portable.max(x, length));
    });
  }, inMachineCode);

  itHolds("axpy", ({ axpy }) => {
    forEachPlace((length, side, [px, py]) => {
      const expected = eighths(length, 2);
      portable.axpy(0.5, eighths(length, 1), expected, length);
      const [x, y] = [px.floats(side, eighths(length, 1)), py.floats(side, eighths(length, 2))];
      axpy(0.5, x, y, length);
      assertEquals(y, expected);
      assert(py.isIntactBeside(side, y.byteLength));
    });
  }, inMachineCode);

  itHolds(
    "exp",
    (kernels) => checkMap(kernels, ({ exp }, x, out, length) => exp(x, out, length)),
    inMachineCode,
  );

  itHolds(
    "gelu",
    (kernels) => checkMap(kernels, ({ gelu }, x, out, length) => gelu(x, out, length)),
    inMachineCode,
  );

  itHolds("softmax", (kernels) => {
    checkMap(kernels, ({ softmax }, x, out, length) => softmax(x, out, 1, length));
    checkMap(kernels, ({ softmax }, x, out, length) => {
      const columns = length % 3 === 0 ? length / 3 : length;
      softmax(x, out, length / columns, columns);
    });
  }, inMachineCode);

  itHolds("layerNorm", (kernels) => {
    const pages = [new GuardedPage(), new GuardedPage()];
    checkMap(kernels, ({ layerNorm }, x, out, length) => {
      const columns = length % 3 === 0 ? length / 3 : length;
      const [gamma, beta] = pages.map((page, i) => page.floats("end", eighths(columns, i)));
      layerNorm(x, out, gamma, beta, length / columns, columns, 0.5);
    });
  }, inMachineCode);

  itHolds("above", ({ above }) => {
    forEachPlace((length, side, [px]) => {
      const scores = px.floats(side, eighths(length, 4));
      for (const [from, threshold] of [[0, 1], [length >> 1, 1], [0, -100], [0, 100], [length - 1, -100]]) {
        const [actual, expected] = [above, portable.above].map((above) => {
          const indices = new Uint32Array(length);
          return indices.subarray(0, above(scores, from, length, threshold, indices));
        });
        assertEquals(actual, expected);
      }
    });
  }, inMachineCode);

  itHolds("bf16ToF32 and f16ToF32", (kernels) => {
    forEachPlace((length, side, [px, pout]) => {
      for (const convert of ["bf16ToF32", "f16ToF32"] as const) {
        const x = px.words(side, Uint16Array.from({ length }, (_, i) => i * 7919));
        const out = pout.floats(side, new Float32Array(length));
        const expected = new Float32Array(length);
        kernels[convert](x, out, length);
        portable[convert](x, expected, length);
        assertEquals(new Uint32Array(out.slice().buffer), new Uint32Array(expected.buffer));
        assert(pout.isIntactBeside(side, out.byteLength));
      }
    });
  }, inMachineCode);

  itHolds("dotInt8", ({ dotInt8 }) => {
    forEachPlace((length, side, [px, py]) => {
      const [x, y] = [px.bytes(side, bytes(length, 1)), py.bytes("end", bytes(length, 2))];
      assertEquals(dotInt8(x, y, length), portable.dotInt8(x, y, length));
    });
  }, [...inMachineCode, ...withVnni]);
});

describe("a guarded page", () => {
  const skip = skipping(vectorLevel() === "portable" && "no machine code runs here");

  it("ends the process that reads one element too many", { skip }, () => {
    const { code } = runChild(`
      import { GuardedPage } from ${JSON.stringify(moduleUrl("tests/vector/guarded.ts"))};
      const x = new GuardedPage().floats("end", Float32Array.of(1, 2, 3));
      const { implementation } = await import(${JSON.stringify(moduleUrl("lib/vector/implementation.ts"))});
      implementation().kernels.sum(x, 4);
    `);
    assert(code === "SIGSEGV" || code === 139, `it ended with ${code}`);
  });
});
