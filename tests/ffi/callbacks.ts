/** The C functions that the tests of callbacks hand theirs to, and what they have in common. */
import { after } from "node:test";
import { type Callback, callback, dlopen, type Pointer, unsafeBufferAt } from "../../ffi/mod.ts";
import { buildLibrary, withoutGcc } from "./c_library.ts";

export const built = withoutGcc === false ? buildLibrary() : undefined;
after(() => built?.[Symbol.dispose]());

export const takes = {
  take_i8: { parameters: ["function"], result: "i8" },
  take_u8: { parameters: ["function"], result: "u8" },
  take_i16: { parameters: ["function"], result: "i16" },
  take_u16: { parameters: ["function"], result: "u16" },
  take_i32: { parameters: ["function"], result: "i32" },
  take_u32: { parameters: ["function"], result: "u32" },
  take_i64: { parameters: ["function"], result: "i64" },
  take_u64: { parameters: ["function"], result: "u64" },
  take_f32: { parameters: ["function"], result: "f32" },
  take_f64: { parameters: ["function"], result: "f64" },
  take_bool: { parameters: ["function"], result: "bool" },
  take_pointer: { parameters: ["function"], result: "pointer" },
} as const;

/** Opened only where a test runs: without gcc there is none. */
export function open() {
  return dlopen([built?.path ?? ""], {
    ...takes,
    call_once: { parameters: ["function", "i32"], result: "i32" },
    call_twice: { parameters: ["function", "i32"], result: "i32" },
    call_unchecked: { symbol: "call_once", parameters: ["function", "i32"], result: "i32", unchecked: true },
    give_all: { parameters: ["function", "bool"], result: "i32" },
    late_address: { parameters: [], result: "pointer" },
    sum_after: { parameters: ["function", "buffer", "usize"], result: "i64" },
    sum_of_text: { symbol: "sum_after", parameters: ["function", "cstring", "usize"], result: "i64" },
  }).symbols;
}

export const { symbols: libc } = dlopen(["libc.so.6"], {
  qsort: {
    parameters: [
      /* void *base */ "buffer",
      /* size_t nmemb */ "usize",
      /* size_t size */ "usize",
      /* int (*compar)(const void *, const void *) */ "function",
    ],
    result: "void",
  },
  nftw: {
    parameters: [
      /* const char *dirpath */ "cstring",
      /* int (*fn)(const char *fpath, const struct stat *sb, int typeflag, struct FTW *ftwbuf) */ "function",
      /* int nopenfd */ "i32",
      /* int flags */ "i32",
    ],
    result: "i32",
  },
  abs: { parameters: [/* int j */ "i32"], result: "i32" },
});

export const COMPARE = { parameters: ["pointer", "pointer"], result: "i32" } as const;

export const INT_TO_INT = { parameters: ["i32"], result: "i32" } as const;

export function double(at: Pointer | null): number {
  return at === null ? NaN : new Float64Array(unsafeBufferAt(at, 8))[0];
}

/** A callback of whatever signature, as plain JavaScript may make it. */
export function untyped(signature: unknown, fn: unknown): Callback {
  return Reflect.apply(callback, undefined, [signature, fn]);
}

/** Runs `use` with a callback, which is disposed afterwards. */
export function given<T>(made: Callback, use: (pointer: Pointer) => T): T {
  using held = made;
  return use(held.pointer);
}
