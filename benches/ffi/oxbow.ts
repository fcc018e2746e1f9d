/**
 * Our loops, and the host's own: our `unchecked: true` form is the very function object that `Deno.dlopen`,
 * `bun:ffi` or `node:ffi` gives, with nothing of ours before it. Each is over a function that is a module's
 * constant, for V8 makes a fast call only where it knows the target.
 *
 * @module
 */
import { dlopen, pointerTo, word } from "../../ffi/mod.ts";
import { CALLS, type Case, from, LAST_COPIED, lengths, type Loop, texts, to } from "./cases.ts";

type Loops = Readonly<Record<Exclude<Case, "eight">, Loop>>;

const { symbols: { abs, absRaw, memcpy, memcpyRaw, atoi, atoiRaw, llabs, llabsRaw } } = dlopen(
  ["libc.so.6"],
  {
    abs: { parameters: [/* int j */ "i32"], result: "i32" },
    absRaw: { symbol: "abs", unchecked: true, parameters: [/* int j */ "i32"], result: "i32" },
    memcpy: {
      parameters: [/* void *dest */ "pointer", /* const void *src */ "pointer", /* size_t n */ "usize"],
      result: "void", // It returns dest.
    },
    memcpyRaw: {
      symbol: "memcpy",
      unchecked: true,
      parameters: [/* void *dest */ "pointer", /* const void *src */ "pointer", /* size_t n */ "usize"],
      result: "void",
    },
    atoi: { parameters: [/* const char *nptr */ "buffer"], result: "i32" },
    atoiRaw: {
      symbol: "atoi",
      unchecked: true,
      parameters: [/* const char *nptr */ "buffer"],
      result: "i32",
    },
    llabs: { parameters: [/* long long j */ "i64"], result: "i64" },
    llabsRaw: { symbol: "llabs", unchecked: true, parameters: [/* long long j */ "i64"], result: "i64" },
  },
);

const { symbols: { sqrt, sqrtRaw } } = dlopen(["libm.so.6"], {
  sqrt: { parameters: [/* double x */ "f64"], result: "f64" },
  sqrtRaw: { symbol: "sqrt", unchecked: true, parameters: [/* double x */ "f64"], result: "f64" },
});

const source = pointerTo(from);
const target = pointerTo(to);
const words = lengths.map(word);

/** With the host's own functions. */
export const host: Loops = {
  abs() {
    let sum = 0;
    for (let i = -CALLS / 2; i < CALLS / 2; i++) sum += absRaw(i);
    return sum;
  },
  memcpy() {
    to.fill(0);
    for (let i = 0; i < CALLS; i++) memcpyRaw(target, source, words[i & 1]);
    return to[LAST_COPIED];
  },
  sqrt() {
    let sum = 0;
    for (let i = 0; i < CALLS; i++) sum += sqrtRaw(i * i);
    return sum;
  },
  atoi() {
    let sum = 0;
    for (let i = 0; i < CALLS; i++) sum += atoiRaw(texts[i & 1]);
    return sum;
  },
};

/** With ours. */
export const checked: Loops = {
  abs() {
    let sum = 0;
    for (let i = -CALLS / 2; i < CALLS / 2; i++) sum += abs(i);
    return sum;
  },
  memcpy() {
    to.fill(0);
    for (let i = 0; i < CALLS; i++) memcpy(target, source, lengths[i & 1]);
    return to[LAST_COPIED];
  },
  sqrt() {
    let sum = 0;
    for (let i = 0; i < CALLS; i++) sum += sqrt(i * i);
    return sum;
  },
  atoi() {
    let sum = 0;
    for (let i = 0; i < CALLS; i++) sum += atoi(texts[i & 1]);
    return sum;
  },
};

const bigLengths = lengths.map(BigInt);

/** memcpy with ours, the length given as a bigint. */
export function memcpyByBigint(): number {
  to.fill(0);
  for (let i = 0; i < CALLS; i++) memcpy(target, source, bigLengths[i & 1]);
  return to[LAST_COPIED];
}

/** What llabs gives last. */
export const WIDEST = 2 ** 40 + 1;
const wide = [-1, -WIDEST];
const wideWords = wide.map(word);
const wideBigints = wide.map(BigInt);

/** llabs, with the host's own. */
export function llabsOfHost(): bigint {
  let last = 0n;
  for (let i = 0; i < CALLS; i++) last = llabsRaw(wideWords[i & 1]);
  return last;
}

/** llabs with ours, of numbers. */
export function llabsChecked(): bigint {
  let last = 0n;
  for (let i = 0; i < CALLS; i++) last = llabs(wide[i & 1]);
  return last;
}

/** llabs with ours, of bigints. */
export function llabsByBigint(): bigint {
  let last = 0n;
  for (let i = 0; i < CALLS; i++) last = llabs(wideBigints[i & 1]);
  return last;
}
