import { describe, it } from "node:test";
import process from "node:process";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { cpu } from "../../lib/jit/cpu.ts";
import { hostName, NativeUnavailableError } from "../../ffi/mod.ts";
import {
  axpy,
  bf16ToF32,
  dot,
  dotInt8,
  exp,
  f16ToF32,
  gelu,
  layerNorm,
  max,
  softmax,
  sum,
  topK,
  vectorLevel,
} from "../../lib/vector/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";

const x = Float32Array.of(1, 2, 3);
const y = Float32Array.of(4, 5, 6);

describe("the vector functions", () => {
  it("give what they should of small arrays", () => {
    assertStrictEquals(dot(x, y), 32);
    assertStrictEquals(sum(x), 6);
    assertStrictEquals(max(x), 3);
    assertStrictEquals(dotInt8(Int8Array.of(1, -2), Int8Array.of(3, 4)), -5);
    const z = y.slice();
    axpy(2, x, z);
    assertEquals(z, Float32Array.of(6, 9, 12));
    assertEquals(exp(Float32Array.of(0)), Float32Array.of(1));
    assertEquals(gelu(Float32Array.of(0, 100)), Float32Array.of(0, 100));
    assertEquals(softmax(new Float32Array(4), { columns: 2 }), new Float32Array(4).fill(0.5));
    const ones = Float32Array.of(1, 1);
    assertEquals(
      layerNorm(Float32Array.of(3, 5), { gamma: ones, beta: ones, epsilon: 0 }),
      Float32Array.of(0, 2),
    );
    assertEquals(bf16ToF32(Uint16Array.of(0x3f80)), Float32Array.of(1));
    assertEquals(f16ToF32(Uint16Array.of(0x3c00)), Float32Array.of(1));
    assertEquals(topK(y, 1).indices, Uint32Array.of(2));
  });

  it("give the neutral element of nothing", () => {
    const none = new Float32Array(0);
    assertStrictEquals(dot(none, none), 0);
    assertStrictEquals(sum(none), 0);
    assertStrictEquals(max(none), -Infinity);
    assertStrictEquals(dotInt8(new Int8Array(0), new Int8Array(0)), 0);
    axpy(1, none, none);
    const results = [exp(none), gelu(none), softmax(none), softmax(none, { columns: 3 })];
    results.push(layerNorm(none, { gamma: x, beta: y }), layerNorm(none, { gamma: none, beta: none }));
    results.push(bf16ToF32(new Uint16Array(0)), f16ToF32(new Uint16Array(0)), topK(none, 3).values);
    for (const result of results) assertEquals(result.length, 0);
  });

  it("take alpha as a float32", () => {
    const z = new Float32Array(1);
    axpy(0.1, Float32Array.of(3), z);
    assertStrictEquals(z[0], Math.fround(Math.fround(0.1) * 3));
    axpy(1e-60, Float32Array.of(3e38), z);
    assertStrictEquals(z[0], Math.fround(Math.fround(0.1) * 3));
  });

  it("write to out and leave x as it is, and return where they wrote", () => {
    const out = new Float32Array(3);
    for (const write of [exp, gelu]) {
      const before = x.slice();
      assertStrictEquals(write(x, out), out);
      assertEquals(x, before);
      const inPlace = x.slice();
      assertStrictEquals(write(inPlace), inPlace);
      assertEquals(inPlace, out);
    }
    const one = Float32Array.of(1, 1, 1);
    assertStrictEquals(softmax(x, { out }), out);
    assertStrictEquals(layerNorm(x, { gamma: one, beta: one, out }), out);
    const halves = Uint16Array.of(0x3c00, 0, 0);
    assertStrictEquals(f16ToF32(halves, out), out);
    assertStrictEquals(bf16ToF32(halves, out), out);
    assertEquals(x, Float32Array.of(1, 2, 3));
  });

  it("take memory that workers share", () => {
    const shared = new Float32Array(new SharedArrayBuffer(400));
    shared.fill(2);
    assertStrictEquals(sum(shared), 200);
    assertStrictEquals(dot(shared, shared), 400);
    assertStrictEquals(exp(shared)[99], Math.fround(Math.exp(2)));
  });
});

describe("a wrong argument", () => {
  const buffer = new ArrayBuffer(64);
  const [low, high] = [new Float32Array(buffer, 0, 8), new Float32Array(buffer, 4, 8)];
  const three = new Float32Array(3);
  const four = new Float32Array(4);
  const options = { gamma: three, beta: new Float32Array(3) };

  const refusals: readonly [what: string, call: () => unknown, error: typeof Error, message: string][] = [
    ["dot: lengths", () => dot(three, four), RangeError, "dot: y has 4 elements, and x 3"],
    ["axpy: lengths", () => axpy(1, four, three), RangeError, "axpy: y has 3 elements, and x 4"],
    ["dotInt8: lengths", () => dotInt8(new Int8Array(1), new Int8Array(2)), RangeError, "dotInt8: y has 2"],
    ["exp: lengths", () => exp(three, four), RangeError, "exp: out has 4 elements, and x 3"],
    ["gelu: lengths", () => gelu(three, four), RangeError, "gelu: out has 4 elements, and x 3"],
    ["softmax: lengths", () => softmax(three, { out: four }), RangeError, "softmax: out has 4 elements"],
    [
      "layerNorm: lengths",
      () => layerNorm(three, { ...options, out: four }),
      RangeError,
      "layerNorm: out has 4",
    ],
    ["bf16ToF32: lengths", () => bf16ToF32(new Uint16Array(2), three), RangeError, "bf16ToF32: out has 3"],
    ["f16ToF32: lengths", () => f16ToF32(new Uint16Array(2), three), RangeError, "f16ToF32: out has 3"],
    [
      "exp: overlap",
      () => exp(low, high),
      RangeError,
      "exp: out shares memory with x without being the same",
    ],
    ["gelu: overlap", () => gelu(high, low), RangeError, "gelu: out shares memory with x"],
    ["softmax: overlap", () => softmax(high, { out: low }), RangeError, "softmax: out shares memory with x"],
    ["axpy: overlap", () => axpy(1, low, high), RangeError, "axpy: y shares memory with x"],
    [
      "layerNorm: overlap with gamma",
      () => layerNorm(three, { gamma: three, beta: options.beta }),
      RangeError,
      "layerNorm: out shares memory with gamma",
    ],
    [
      "layerNorm: overlap with beta",
      () => layerNorm(three, { gamma: options.beta, beta: three }),
      RangeError,
      "layerNorm: out shares memory with beta",
    ],
    [
      "bf16ToF32: overlap",
      () => bf16ToF32(new Uint16Array(buffer, 0, 8), low),
      RangeError,
      "bf16ToF32: out shares memory with x",
    ],
    [
      "softmax: columns",
      () => softmax(four, { columns: 3 }),
      RangeError,
      "columns is 3, which does not divide",
    ],
    ["softmax: no columns", () => softmax(four, { columns: 0 }), RangeError, "columns is 0, which does not"],
    ["softmax: part of a column", () => softmax(four, { columns: 0.5 }), RangeError, "columns is 0.5"],
    ["softmax: columns below 0", () => softmax(four, { columns: -2 }), RangeError, "columns is -2"],
    [
      "layerNorm: columns",
      () => layerNorm(four, options),
      RangeError,
      "gamma has 3 elements, which do not divide",
    ],
    [
      "layerNorm: no columns",
      () => layerNorm(four, { gamma: new Float32Array(0), beta: new Float32Array(0) }),
      RangeError,
      "gamma has 0 elements, which do not divide",
    ],
    [
      "layerNorm: beta",
      () => layerNorm(three, { ...options, beta: four }),
      RangeError,
      "beta has 4 elements, and gamma 3",
    ],
    [
      "layerNorm: epsilon below 0",
      () => layerNorm(x, { ...options, epsilon: -1 }),
      RangeError,
      "epsilon is -1",
    ],
    [
      "layerNorm: epsilon NaN",
      () => layerNorm(x, { ...options, epsilon: NaN }),
      RangeError,
      "epsilon is NaN",
    ],
  ];
  for (const [what, call, error, message] of refusals) {
    it(`is refused by name: ${what}`, () => {
      assertThrows(call, error, message);
    });
  }

  it("is refused by name where the compiler was silenced", () => {
    const wrong: readonly [call: CallableFunction, args: readonly unknown[], message: string][] = [
      [sum, [[1, 2]], "sum: x is no Float32Array"],
      [max, [new Float64Array(1)], "max: x is no Float32Array"],
      [dot, [three, new Int32Array(3)], "dot: y is no Float32Array"],
      [exp, [], "exp: x is no Float32Array"],
      [gelu, [three, null], "gelu: out is no Float32Array"],
      [dotInt8, [new Uint8Array(1), new Int8Array(1)], "dotInt8: x is no Int8Array"],
      [f16ToF32, [new Int16Array(1)], "f16ToF32: x is no Uint16Array"],
      [bf16ToF32, [undefined], "bf16ToF32: x is no Uint16Array"],
      [axpy, ["1", three, three], "axpy: alpha is 1, not a number"],
      [softmax, [four, { columns: "2" }], "softmax: columns is 2, not a number"],
      [layerNorm, [x, { ...options, epsilon: "1" }], "layerNorm: epsilon is 1, not a number"],
      [layerNorm, [x, { gamma: three }], "layerNorm: beta is no Float32Array"],
    ];
    for (const [call, args, message] of wrong) {
      assertThrows(() => Reflect.apply(call, undefined, args), TypeError, message);
    }
  });

  it("is refused before anything is written", () => {
    const before = low.slice();
    assertThrows(() => exp(low, high), RangeError);
    assertThrows(() => layerNorm(low, { gamma: low, beta: low }), RangeError);
    assertEquals(low, before);
  });

  it("cannot lie about its length or type", () => {
    class Long extends Float32Array {
      override get length(): number {
        return 1 << 30;
      }
    }
    assertStrictEquals(sum(new Long([1, 2])), 3);
    assertThrows(() => dot(new Long([1, 2]), three), RangeError, "dot: y has 3 elements, and x 2");
    const bytes = new Int8Array(3);
    Object.setPrototypeOf(bytes, Float32Array.prototype);
    assertThrows(() => Reflect.apply(sum, undefined, [bytes]), TypeError, "sum: x is no Float32Array");
  });

  it("is empty where it was detached", () => {
    const detached = new Float32Array(4);
    detached.buffer.transfer();
    assertStrictEquals(sum(detached), 0);
    assertThrows(() => dot(three, detached), RangeError, "dot: y has 0 elements, and x 3");
  });
});

/** What the functions give of the same arguments: numbers on which all implementations agree, but for roundings. */
const program = `
  import { axpy, bf16ToF32, dot, dotInt8, exp, f16ToF32, gelu, layerNorm, max, softmax, sum, topK, vectorLevel }
    from ${JSON.stringify(moduleUrl("lib/vector/mod.ts"))};
  const x = Float32Array.from({ length: 1003 }, (_, i) => (i * 37 % 61 - 30) / 8);
  const y = x.map((value) => 1 - value);
  const bytes = Int8Array.from({ length: 1003 }, (_, i) => i * 91);
  const halves = Uint16Array.from({ length: 1003 }, (_, i) => i * 7);
  axpy(0.5, x, y);
  const gamma = x.slice(0, 17), beta = y.slice(0, 17);
  const arrays = [
    y,
    exp(x.slice()),
    gelu(x.slice()),
    softmax(x.slice(), { columns: 17 }),
    layerNorm(x.slice(), { gamma, beta }),
    bf16ToF32(halves),
    f16ToF32(halves),
    topK(x, 9).indices,
  ];
  const total = (array) => Number(array.reduce((total, value) => total + Math.abs(value), 0));
  console.log(vectorLevel(), dot(x, y), sum(x), max(x), dotInt8(bytes, bytes), ...arrays.map(total));
`;

function run(variables: string, permissions?: readonly string[]): { level: string; results: number[] } {
  const [level, ...results] = outputOf(program, { before: variables, permissions }).split(" ");
  return { level, results: results.map(Number) };
}

function assertClose(actual: readonly number[], expected: readonly number[]): void {
  assertStrictEquals(actual.length, expected.length);
  actual.forEach((value, i) =>
    assert(Math.abs(value / expected[i] - 1) < 1e-5, `result ${i} is ${value}, not ${expected[i]}`)
  );
}

/** How the CPU's level, and so what may be asked for, ends. */
function levelsHere(): readonly string[] {
  try {
    const { level } = cpu();
    return { sse2: [], avx2: ["avx2"], avx512: ["avx2", "avx512"] }[level];
  } catch (error) {
    if (error instanceof NativeUnavailableError) return [];
    throw error;
  }
}

describe("the level", () => {
  const levels = levelsHere();

  it("is the CPU's highest that there are kernels for", () => {
    assertStrictEquals(vectorLevel(), levels.at(-1) ?? "portable");
  });

  it("is lowered by the environment, and the results are the same", () => {
    const expected = run("export OXBOW_NATIVE=0").results;
    const cases: readonly [level: string, variables: string][] = [
      ["portable", "export OXBOW_NATIVE=0"],
      ["portable", "export OXBOW_CPU=sse2"],
      ...levels.map((level): [string, string] => [level, `export OXBOW_CPU=${level}`]),
    ];
    for (const [level, variables] of process.env.OXBOW_NATIVE === "0" ? cases.slice(0, 1) : cases) {
      const { level: found, results } = run(variables);
      assertStrictEquals(found, level);
      assertClose(results, expected);
    }
  });

  const skip = skipping(hostName !== "deno" && "permissions are Deno's");
  it("is portable without the permission to call C, and no permission is asked for", { skip }, () => {
    const { level, results } = run(":", [`--allow-read=${new URL("../..", import.meta.url).pathname}`]);
    assertStrictEquals(level, "portable");
    assertClose(results, run(":").results);
  });
});
