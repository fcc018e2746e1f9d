import { dlopen, hostName } from "../../ffi/mod.ts";
import { compare, type Contender, median } from "../compare.ts";

/** Functions of math.h, each there as `double f(double)` and as `float ff(float)`. */
const names = [
  ...["acos", "acosh", "asin", "asinh", "atan", "cbrt", "ceil", "cos", "cosh", "erf", "erfc", "exp"],
  ...[
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "log",
    "log10",
    "log1p",
    "log2",
    "rint",
    "sin",
    "sinh",
    "sqrt",
    "tan",
  ],
];
const SYMBOLS = 2 * names.length;
const LIBRARY = "libm.so.6";
const HOST = "host's own, all bound at once";
const OXBOW = "Oxbow";

/** A library that is open, and the sum of what its functions give when each is called once. */
interface Opened {
  call(): number;
  close(): void;
}

/** A table of the 50 functions, each made by `signature`. */
function tableOf<T>(signature: (type: "f64" | "f32") => T): Record<string, T> {
  return Object.fromEntries(
    names.flatMap((name) => [[name, signature("f64")], [`${name}f`, signature("f32")]]),
  );
}

const table = tableOf((type) => ({ parameters: [type], result: type }));

/** In the table's order: Deno gives its symbols in another at each opening, and a sum depends on it. */
function sum(symbols: object): number {
  let total = 0;
  for (const name of Object.keys(table)) total += Reflect.get(symbols, name)(1);
  return total;
}

function openByOxbow(): Opened {
  const library = dlopen([LIBRARY], table);
  return {
    call: () => sum(library.symbols),
    close: () => library.close(),
  };
}

/** `bun:ffi` or `node:ffi`, neither of which has types under the other host's. */
interface HostFfi {
  dlopen(path: string, table: Record<string, object>): {
    symbols?: object;
    functions?: object;
    lib?: { close(): void };
    close?(): void;
  };
}

function isHostFfi(module: object | undefined): module is HostFfi {
  return module !== undefined && "dlopen" in module;
}

const hostTable = tableOf((type) => ({ args: [type], returns: type, arguments: [type], return: type }));

function openByHost(): Opened {
  if (hostName === "deno") {
    const library = Deno.dlopen(LIBRARY, table);
    return { call: () => sum(library.symbols), close: () => library.close() };
  }
  const ffi = process.getBuiltinModule(`${hostName}:ffi`);
  if (!isHostFfi(ffi)) throw new Error(`${hostName} has no FFI`);
  const { symbols, functions, lib, close } = ffi.dlopen(LIBRARY, hostTable);
  return {
    call: () => sum(symbols ?? functions ?? {}),
    close: () => lib === undefined ? close?.() : lib.close(),
  };
}

/** Milliseconds to open, for each symbol's first use, and for both in all. */
function sampleOf(open: () => Opened, expected: number, times: number): number[] {
  const figures: [opening: number[], firstUse: number[], all: number[]] = [[], [], []];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    const opened = open();
    const isOpen = performance.now();
    const total = opened.call();
    const end = performance.now();
    opened.close();
    if (total !== expected) throw new Error(`the functions gave ${total}, and ${expected} is right`);
    figures[0].push(isOpen - start);
    figures[1].push((end - isOpen) / SYMBOLS);
    figures[2].push(end - start);
  }
  return figures.map(median);
}

/** Prints what it costs to open a library and to use each of its symbols for the first time. */
export async function compareOpening(quick: boolean): Promise<void> {
  const first = openByOxbow();
  const expected = first.call();
  first.close();
  function contender(name: string, open: () => Opened): Contender {
    return { name, sample: () => Promise.resolve(sampleOf(open, expected, quick ? 3 : 20)) };
  }
  await compare({
    title: `${SYMBOLS} symbols of ${LIBRARY}`,
    units: ["ms to open", "ms a first use", "ms in all"],
    baseline: HOST,
    contenders: [contender(HOST, openByHost), contender(OXBOW, openByOxbow)],
    quick,
    targets: [{ name: OXBOW, figuresAtMost: [0.5, hostName === "bun" ? 0.05 : 0.3] }],
  });
}
