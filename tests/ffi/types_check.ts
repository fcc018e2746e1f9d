/**
 * What the compiler must take and what it must refuse: each `@ts-expect-error` is itself an error where the
 * line below it compiles. Checked by `deno check` and `tsc`, never run.
 */
import {
  dlopen,
  type NativeFunction,
  type ParameterType,
  type Pointer,
  pointerAt,
  pointerTo,
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
  (...args: [Pointer | null, ArrayBufferView<ArrayBuffer> | null, Pointer | null]) => Pointer | null
>(true);
expectType<typeof symbols.nothing>().is<(...args: []) => void>(true);
expectType<typeof symbols.raw>().is<
  (...args: [Word, Pointer, ArrayBufferView<ArrayBuffer>]) => bigint
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
// @ts-expect-error: shared memory may change under C
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
// @ts-expect-error: shared memory has no pointer
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
  | ("bool" | "pointer" | "buffer" | "function")
>(true);
expectType<NativeFunction<{ parameters: ["f64"]; result: "f64" }>>().is<(...args: [number]) => number>(true);
export const seen: unknown[] = [wide, pointer, address, number];
