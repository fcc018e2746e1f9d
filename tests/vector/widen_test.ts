import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import { itHolds } from "./implementations.ts";

const every = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

/** The value of bits by the formula of IEEE 754, with so many bits of fraction below those of the exponent. */
function valueOf(bits: number, fractionBits: number): number {
  const exponentBits = 15 - fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits >>> 15 === 0 ? 1 : -1;
  const exponent = bits >>> fractionBits & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

describe("bf16ToF32", () => {
  itHolds("is exact for every number, and keeps NaN's bits", ({ bf16ToF32 }) => {
    const out = new Float32Array(every.length);
    bf16ToF32(every, out, every.length);
    assertEquals(Array.from(out), Array.from(every, (bits) => valueOf(bits, 7)));
    assertEquals(new Uint32Array(out.buffer), Uint32Array.from(every, (bits) => bits * 2 ** 16));
  });
});

describe("f16ToF32", () => {
  itHolds("is exact for every number", ({ f16ToF32 }) => {
    const out = new Float32Array(every.length);
    f16ToF32(every, out, every.length);
    assertEquals(Array.from(out), Array.from(every, (bits) => valueOf(bits, 10)));
  });

  itHolds("makes NaN quiet, and keeps the rest of it", ({ f16ToF32 }) => {
    const x = Uint16Array.of(0x7c01, 0xfc01, 0x7e00, 0xffff);
    for (const repeats of [1, 9]) {
      const all = new Uint16Array(x.length * repeats);
      for (let i = 0; i < all.length; i++) all[i] = x[i % x.length];
      const out = new Float32Array(all.length);
      f16ToF32(all, out, all.length);
      const bits = [0x7fc02000, 0xffc02000, 0x7fc00000, 0xffffe000];
      assertEquals(new Uint32Array(out.buffer), Uint32Array.from(all, (_, i) => bits[i % 4]));
    }
  });
});
