/**
 * What the compiler must take and what it must refuse: each `@ts-expect-error` is itself an error where the
 * line below it compiles. Checked by `deno check` and `tsc`, never run.
 */
import {
  type Callback,
  callback,
  type CallbackFunction,
  dlopen,
  type NativeFunction,
  type NativeFunctions,
  type ParameterType,
  type Pointer,
  pointerAt,
  pointerTo,
  type SignatureFault,
  type SymbolTable,
  type Word,
  word,
} from "../../ffi/mod.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

function expectType<A>(): { is<B>(same: Same<A, B>): void } {
  return { is() {} };
}

const { symbols } = dlopen(["libc.so.6"], {
  small: { parameters: ["i8", "u8", "i16", "u16", "i32", "u32"], result: "i32" },
  wide: { parameters: ["i64", "u64", "isize", "usize"], result: "u64" },
  real: { parameters: ["f32", "f64", "bool"], result: "bool" },
  memory: { parameters: ["pointer", "buffer", "function"], result: "pointer" },
  nothing: { parameters: [], result: "void" },
  raw: { parameters: ["u64", "pointer", "buffer"], result: "isize", unchecked: true },
});

expectType<typeof symbols.small>().is<
  (...args: [number, number, number, number, number, number]) => number
>(true);
expectType<typeof symbols.wide>().is<
  (...args: [number | bigint, number | bigint, number | bigint, number | bigint]) => bigint
>(true);
expectType<typeof symbols.real>().is<(...args: [number, number, boolean]) => boolean>(true);
expectType<typeof symbols.memory>().is<
  (...args: [Pointer | null, ArrayBufferView | null, Pointer | null]) => Pointer | null
>(true);
expectType<typeof symbols.nothing>().is<(...args: []) => void>(true);
expectType<typeof symbols.raw>().is<
  (...args: [Word, Pointer, ArrayBufferView]) => bigint
>(true);

symbols.small(1, 2, 3, 4, 5, 6);
// @ts-expect-error: too few arguments
symbols.small(1, 2, 3, 4, 5);
// @ts-expect-error: too many arguments
symbols.nothing(1);
// @ts-expect-error: a bigint where a number is asked for
symbols.small(1n, 2, 3, 4, 5, 6);
// @ts-expect-error: a string is no integer
symbols.wide("1", 2, 3, 4);
symbols.wide(1, 2n, 3, 4n);
// @ts-expect-error: a number is no bool
symbols.real(1, 2, 1);
symbols.memory(null, null, null);
symbols.memory(pointerAt(1n), new Float32Array(1), pointerTo(new Uint8Array(1)));
// @ts-expect-error: an address is no pointer
symbols.memory(1n, null, null);
// @ts-expect-error: a number is no pointer
symbols.memory(1, null, null);
// @ts-expect-error: a buffer is no view
symbols.memory(null, new ArrayBuffer(8), null);
symbols.memory(null, new Uint8Array(new SharedArrayBuffer(8)), null);
// @ts-expect-error: an unchecked call takes a word
symbols.raw(1, pointerAt(1n), new Uint8Array(1));
// @ts-expect-error: an unchecked call takes no null
symbols.raw(word(1), null, new Uint8Array(1));
// @ts-expect-error: no such function in the table
symbols.missing();
// @ts-expect-error: the table cannot be changed
symbols.nothing = () => {};
// @ts-expect-error: a result of 64 bits is a bigint
const wide: number = symbols.wide(1, 2, 3, 4);
// @ts-expect-error: a pointer may be null
const pointer: Pointer = symbols.memory(null, null, null);
// @ts-expect-error: a pointer is opaque
const address: bigint = pointerAt(1n);
// @ts-expect-error: a word is opaque
const number: number = word(1);
pointerTo(new Uint8Array(new SharedArrayBuffer(8)));

// @ts-expect-error: no such type
dlopen(["libc.so.6"], { abs: { parameters: ["int"], result: "i32" } });
// @ts-expect-error: a parameter is not void
dlopen(["libc.so.6"], { abs: { parameters: ["void"], result: "i32" } });
// @ts-expect-error: a result is no buffer
dlopen(["libc.so.6"], { abs: { parameters: ["i32"], result: "buffer" } });
// @ts-expect-error: a signature has a result
dlopen(["libc.so.6"], { abs: { parameters: ["i32"] } });
// @ts-expect-error: the names are a list
dlopen("libc.so.6", {});

expectType<ParameterType>().is<
  | ("i8" | "u8" | "i16" | "u16" | "i32" | "u32")
  | ("i64" | "u64" | "isize" | "usize" | "f32" | "f64")
  | ("bool" | "pointer" | "buffer" | "function" | "cstring")
  | ("pointer!" | "buffer!" | "function!" | "cstring!")
>(true);
expectType<NativeFunction<{ parameters: ["f64"]; result: "f64" }>>().is<(...args: [number]) => number>(true);

// cstring: a string or null, and back
const { symbols: text } = dlopen(["libc.so.6"], {
  getenv: { parameters: ["cstring"], result: "cstring" },
});
expectType<typeof text.getenv>().is<(...args: [string | null]) => string | null>(true);
// @ts-expect-error: bytes are a buffer
text.getenv(new Uint8Array(1));

// With ! there is no null
const { symbols: needed } = dlopen(["libc.so.6"], {
  all: { parameters: ["pointer!", "buffer!", "function!", "cstring!"], result: "void" },
  raw: { parameters: ["pointer!", "buffer!"], result: "void", unchecked: true },
});
expectType<typeof needed.all>().is<(...args: [Pointer, ArrayBufferView, Pointer, string]) => void>(true);
expectType<typeof needed.raw>().is<(...args: [Pointer, ArrayBufferView]) => void>(true);
// @ts-expect-error: null where a pointer is needed
needed.all(null, new Uint8Array(1), pointerAt(1n), "text");
// @ts-expect-error: an integer is no address
dlopen(["libc.so.6"], { abs: { parameters: ["i32!"], result: "i32" } });

// optional: the function, or undefined
const { symbols: maybe } = dlopen(["libc.so.6"], {
  there: { parameters: ["i32"], result: "i32", optional: true },
  always: { parameters: ["i32"], result: "i32" },
});
expectType<typeof maybe.there>().is<((...args: [number]) => number) | undefined>(true);
expectType<typeof maybe.always>().is<(...args: [number]) => number>(true);
maybe.there?.(1);
// @ts-expect-error: it may be undefined
maybe.there(1);

// A table that is written apart, and one that is known at run time alone
const table = { abs: { parameters: ["i32"], result: "i32" } } as const satisfies SymbolTable;
dlopen(["libc.so.6"], table).symbols.abs(1);
const loose: SymbolTable = table;
expectType<NativeFunctions<typeof loose>[string]>().is<((...args: never[]) => unknown) | undefined>(true);
// @ts-expect-error: nobody knows what it takes, or whether it is there
dlopen(["libc.so.6"], loose).symbols.abs(1);

// What is no part of a signature
// @ts-expect-error: a signature says parameters, result, unchecked, symbol, optional and variadic alone
dlopen(["libc.so.6"], { abs: { parameters: ["i32"], result: "i32", nonblocking: true } });
// @ts-expect-error: a signature says parameters, result, unchecked, symbol, optional and variadic alone
dlopen(["libc.so.6"], { abs: { parameters: ["i32"], result: "i32", optinal: true } });

// An unchecked function has no place where a string could become bytes.
// @ts-expect-error: an unchecked function takes and gives no cstring
dlopen(["libc.so.6"], { getenv: { parameters: ["cstring"], result: "pointer", unchecked: true } });
// @ts-expect-error: an unchecked function takes and gives no cstring
dlopen(["libc.so.6"], { getenv: { parameters: ["buffer"], result: "cstring", unchecked: true } });
// @ts-expect-error: an unchecked function takes and gives no cstring
dlopen(["libc.so.6"], { getenv: { parameters: ["cstring!"], result: "pointer", unchecked: true } });

// @ts-expect-error: no struct goes by value on every host
dlopen(["libc.so.6"], { div: { parameters: ["i32", "i32"], result: { struct: ["i32", "i32"] } } });
// @ts-expect-error: no struct goes by value on every host
dlopen(["libc.so.6"], { inet_ntoa: { parameters: [{ struct: ["u32"] }], result: "pointer" } });

// @ts-expect-error: a variadic function takes no f64 through a fixed signature
dlopen(["libc.so.6"], { printf: { parameters: ["cstring", "f64"], result: "i32", variadic: 1 } });
// @ts-expect-error: a variadic function takes no f32 through a fixed signature
dlopen(["libc.so.6"], { printf: { parameters: ["f32"], result: "i32", variadic: 1 } });
dlopen(["libc.so.6"], { printf: { parameters: ["cstring", "i32"], result: "i32", variadic: 1 } });

// The compiler says why.
expectType<SignatureFault<{ parameters: ["cstring"]; result: "void"; unchecked: true }>>().is<
  "an unchecked function takes and gives no cstring: pass cString(text) as a buffer"
>(true);
expectType<SignatureFault<{ parameters: []; result: { struct: ["i32"] } }>>().is<
  "no struct goes by value on every host: pass a pointer to it"
>(true);
expectType<SignatureFault<{ parameters: ["f64"]; result: "void"; variadic: 1 }>>().is<
  "a variadic function takes no f32 or f64 through a fixed signature"
>(true);
expectType<SignatureFault<{ parameters: ["cstring", "buffer"]; result: "cstring"; variadic: 1 }>>().is<never>(
  true,
);
declare const byValue: NativeFunction<{ parameters: [{ struct: ["u32"] }]; result: "void" }>;
// @ts-expect-error: not even the text is what it takes
byValue("no struct goes by value on every host: pass a pointer to it");

// callback: typed by its signature
using compare: Callback = callback({ parameters: ["pointer", "pointer"], result: "i32" }, (a, b) => {
  expectType<typeof a>().is<Pointer | null>(true);
  return a === b ? 0 : 1;
});
symbols.memory(null, null, compare.pointer);
callback({ parameters: ["i8", "u64", "f32", "bool", "cstring"], result: "void" }, (...args) => {
  expectType<typeof args>().is<[number, bigint, number, boolean, string | null]>(true);
});
callback({ parameters: [], result: "i64" }, () => 1);
callback({ parameters: [], result: "i64" }, () => 1n);
expectType<CallbackFunction<{ parameters: ["usize"]; result: "pointer" }>>().is<
  (...args: [bigint]) => Pointer | null
>(true);
// @ts-expect-error: a string is no i32
callback({ parameters: [], result: "i32" }, () => "1");
// @ts-expect-error: an async function is no i32
callback({ parameters: [], result: "i32" }, async () => await Promise.resolve(1));
// @ts-expect-error: C gives no third argument
callback({ parameters: ["i32", "i32"], result: "void" }, (_a, _b, _c: number) => {});
// @ts-expect-error: C gives a pointer, and not a buffer
callback({ parameters: ["buffer"], result: "void" }, () => {});
// @ts-expect-error: nobody would free the text
callback({ parameters: [], result: "cstring" }, () => "text");
// @ts-expect-error: C gives no struct
callback({ parameters: [{ struct: ["i32"] }], result: "void" }, () => {});
// @ts-expect-error: the callback is not its pointer
symbols.memory(null, null, compare);

export const seen: unknown[] = [wide, pointer, address, number];
