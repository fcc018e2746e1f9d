/**
 * Claim: a checked call costs at most 1.3 times the host's own bare call.
 *
 * The host's own is our `unchecked: true` form, which is the very function object that `Deno.dlopen`,
 * `bun:ffi` or `node:ffi` gives, with nothing of ours before it. Each contender makes 1,000 calls in a loop
 * of its own over a function that is a module's constant: V8 makes a fast call only where it knows the
 * target. Arguments vary, or the checks would be folded away; results are checked.
 *
 * @module
 */
import { cString, dlopen, pointerTo, word } from "../ffi/mod.ts";
import { compare, type Contender, equals, timed } from "./compare.ts";

const CALLS = 1000;
const HOST = "host's own, unchecked";
const CHECKED = "checked";
const CHECKED_BIGINT = "checked, 64 bits given as a bigint";

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

const ABS_SUM = 250_000;

function absOfHost(): number {
  let sum = 0;
  for (let i = -CALLS / 2; i < CALLS / 2; i++) sum += absRaw(i);
  return sum;
}

function absChecked(): number {
  let sum = 0;
  for (let i = -CALLS / 2; i < CALLS / 2; i++) sum += abs(i);
  return sum;
}

const LENGTH = 64;
const LAST = 7;
const from = new Uint8Array(LENGTH);
const to = new Uint8Array(LENGTH);
const source = pointerTo(from);
const target = pointerTo(to);
const numbers = [LENGTH - 1, LENGTH];
const bigints = numbers.map(BigInt);
const words = numbers.map(word);

/** Also keeps the bytes alive: their addresses do not. */
function beforeCopying(): void {
  from.fill(LAST);
  to.fill(0);
}

function memcpyOfHost(): number {
  beforeCopying();
  for (let i = 0; i < CALLS; i++) memcpyRaw(target, source, words[i & 1]);
  return to[LENGTH - 1];
}

function memcpyChecked(): number {
  beforeCopying();
  for (let i = 0; i < CALLS; i++) memcpy(target, source, numbers[i & 1]);
  return to[LENGTH - 1];
}

function memcpyCheckedBigint(): number {
  beforeCopying();
  for (let i = 0; i < CALLS; i++) memcpy(target, source, bigints[i & 1]);
  return to[LENGTH - 1];
}

const texts = [cString("7"), cString("8")];
const ATOI_SUM = 7500;

function atoiOfHost(): number {
  let sum = 0;
  for (let i = 0; i < CALLS; i++) sum += atoiRaw(texts[i & 1]);
  return sum;
}

function atoiChecked(): number {
  let sum = 0;
  for (let i = 0; i < CALLS; i++) sum += atoi(texts[i & 1]);
  return sum;
}

const SQRT_SUM = CALLS * (CALLS - 1) / 2;

function sqrtOfHost(): number {
  let sum = 0;
  for (let i = 0; i < CALLS; i++) sum += sqrtRaw(i * i);
  return sum;
}

function sqrtChecked(): number {
  let sum = 0;
  for (let i = 0; i < CALLS; i++) sum += sqrt(i * i);
  return sum;
}

const WIDEST = 2 ** 40 + 1;
const wideNumbers = [-1, -WIDEST];
const wideBigints = wideNumbers.map(BigInt);
const wideWords = wideNumbers.map(word);

function llabsOfHost(): bigint {
  let last = 0n;
  for (let i = 0; i < CALLS; i++) last = llabsRaw(wideWords[i & 1]);
  return last;
}

function llabsChecked(): bigint {
  let last = 0n;
  for (let i = 0; i < CALLS; i++) last = llabs(wideNumbers[i & 1]);
  return last;
}

function llabsCheckedBigint(): bigint {
  let last = 0n;
  for (let i = 0; i < CALLS; i++) last = llabs(wideBigints[i & 1]);
  return last;
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  function calls<T>(name: string, run: () => T, expected: T): Contender {
    return timed({ name, quick, run, check: equals(name, expected), figure: (ns) => ns / CALLS });
  }
  async function table(title: string, ...contenders: Contender[]): Promise<void> {
    const targets = [{ name: CHECKED, atMost: 1.3 }, { name: CHECKED_BIGINT, atMost: 1.3 }];
    await compare({ title, units: ["ns a call"], baseline: HOST, contenders, quick, targets });
  }
  await table(
    "abs(i32) → i32",
    calls(HOST, absOfHost, ABS_SUM),
    calls(CHECKED, absChecked, ABS_SUM),
  );
  await table(
    `memcpy(pointer, pointer, usize) of ${LENGTH} bytes`,
    calls(HOST, memcpyOfHost, LAST),
    calls(CHECKED, memcpyChecked, LAST),
    calls(CHECKED_BIGINT, memcpyCheckedBigint, LAST),
  );
  await table(
    "atoi(buffer) → i32",
    calls(HOST, atoiOfHost, ATOI_SUM),
    calls(CHECKED, atoiChecked, ATOI_SUM),
  );
  await table(
    "sqrt(f64) → f64",
    calls(HOST, sqrtOfHost, SQRT_SUM),
    calls(CHECKED, sqrtChecked, SQRT_SUM),
  );
  await table(
    "llabs(i64) → i64",
    calls(HOST, llabsOfHost, BigInt(WIDEST)),
    calls(CHECKED, llabsChecked, BigInt(WIDEST)),
    calls(CHECKED_BIGINT, llabsCheckedBigint, BigInt(WIDEST)),
  );
}
