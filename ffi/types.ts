/** What a symbol table may say, and the TypeScript types that follow from it. */

declare const pointerBrand: unique symbol;
declare const wordBrand: unique symbol;

/**
 * An address. Opaque: its form differs by host (a bigint on Deno and Node, a number on Bun), since no
 * one encoding is fast on all three. It keeps nothing alive.
 */
export interface Pointer {
  readonly [pointerBrand]: never;
}

/**
 * A 64-bit integer in the host's own fastest encoding, for calls that are bound `unchecked`. Made by
 * `word()`.
 */
export interface Word {
  readonly [wordBrand]: never;
}

/** Integers of at most 32 bits: a number in range. */
export type SmallInteger = "i8" | "u8" | "i16" | "u16" | "i32" | "u32";
/** Integers of 64 bits: a bigint or a safe integer goes in, a bigint comes out. */
export type WideInteger = "i64" | "u64" | "isize" | "usize";
/** What a C parameter may be. */
export type ParameterType =
  | SmallInteger
  | WideInteger
  | "f32"
  | "f64"
  | "bool"
  | "pointer"
  | "buffer"
  | "function";
/** What a C function may return. */
export type ResultType = SmallInteger | WideInteger | "f32" | "f64" | "bool" | "pointer" | "void";

/** One C function of a table. */
export interface Signature {
  readonly parameters: readonly ParameterType[];
  readonly result: ResultType;
  /** The host's own function, with no check before it: a wrong argument is undefined behaviour. */
  readonly unchecked?: true;
  /** The name in the library, where the table's differs (one C function bound in two forms). */
  readonly symbol?: string;
}

/** Functions by name, as `dlopen` takes them. */
export type SymbolTable = Readonly<Record<string, Signature>>;

type Checked<T extends ParameterType> = T extends SmallInteger | "f32" | "f64" ? number
  : T extends WideInteger ? number | bigint
  : T extends "bool" ? boolean
  : T extends "buffer" ? ArrayBufferView<ArrayBuffer> | null
  : Pointer | null;

type Unchecked<T extends ParameterType> = T extends SmallInteger | "f32" | "f64" ? number
  : T extends WideInteger ? Word
  : T extends "bool" ? boolean
  : T extends "buffer" ? ArrayBufferView<ArrayBuffer>
  : Pointer;

type Result<T extends ResultType> = T extends "void" ? void
  : T extends SmallInteger | "f32" | "f64" ? number
  : T extends WideInteger ? bigint
  : T extends "bool" ? boolean
  : Pointer | null;

type CheckedArguments<P extends readonly ParameterType[]> = {
  -readonly [I in keyof P]: Checked<P[I]>;
};

type UncheckedArguments<P extends readonly ParameterType[]> = {
  -readonly [I in keyof P]: Unchecked<P[I]>;
};

/** The TypeScript function of one signature. */
export type NativeFunction<S extends Signature> = S["unchecked"] extends true
  ? (...args: UncheckedArguments<S["parameters"]>) => Result<S["result"]>
  : (...args: CheckedArguments<S["parameters"]>) => Result<S["result"]>;

/** The TypeScript functions of a table. */
export type NativeFunctions<T extends SymbolTable> = {
  readonly [K in keyof T]: NativeFunction<T[K]>;
};
