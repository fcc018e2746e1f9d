/** What a symbol table may say, and the TypeScript types that follow from it. */

declare const pointerBrand: unique symbol;
declare const wordBrand: unique symbol;
declare const refusedBrand: unique symbol;

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
/** Parameters that are addresses to C. */
export type AddressType = "pointer" | "buffer" | "function" | "cstring";
/** What a host passes. */
export type PassedType = SmallInteger | WideInteger | "f32" | "f64" | "bool" | AddressType;
/** What a C parameter may be. With `!` null is refused, for a function that would follow it. */
export type ParameterType = PassedType | `${AddressType}!`;
/** What a C function may return. */
export type ResultType =
  | SmallInteger
  | WideInteger
  | "f32"
  | "f64"
  | "bool"
  | "pointer"
  | "cstring"
  | "void";

/** A struct by value, which Bun and Node do not pass: it can be written, so that the refusal can say why. */
export interface StructByValue {
  readonly struct: unknown;
}

/** One C function of a table. */
export interface Signature {
  readonly parameters: readonly (ParameterType | StructByValue)[];
  readonly result: ResultType | StructByValue;
  /** The host's own function, with no check before it: a wrong argument is undefined behaviour. */
  readonly unchecked?: true;
  /** The name in the library, where the table's differs (one C function bound in two forms). */
  readonly symbol?: string;
  /** Where the library lacks the symbol the function is `undefined`, and asking for it throws nothing. */
  readonly optional?: true;
  /**
   * How many parameters C declares before its `...`, where it does. No host passes such a function its
   * arguments as a C compiler would; but on x86-64 under System V's ABI integers and pointers go to the same
   * registers, and then to the same places of the stack, whether a parameter is declared or not, so that a
   * fixed signature is right for them. Two things differ. `al` tells the function how many vector registers
   * hold arguments, and nobody sets it here: what it holds makes the function save those registers or not,
   * and is harmless until it reads one as a `double`; so f32 and f64 are refused. And C promotes what is
   * smaller than an `int`, so past the fixed ones those types are refused as well. It is right on no other
   * ABI in general: Apple's on arm64 passes all variadic arguments on the stack.
   */
  readonly variadic?: number;
}

/** A signature that every host can bind: what is left of one after `inspect`. */
export interface PlainSignature extends Signature {
  readonly parameters: readonly PassedType[];
  readonly result: ResultType;
}

/** Functions by name, as `dlopen` takes them. */
export type SymbolTable = Readonly<Record<string, Signature>>;

type Refused<Message extends string> = Message & { readonly [refusedBrand]: never };

type NoStruct = "no struct goes by value on every host: pass a pointer to it";
type NoCstring = "an unchecked function takes and gives no cstring: pass cString(text) as a buffer";
type NoFloat = "a variadic function takes no f32 or f64 through a fixed signature";
type NoKey = "a signature says parameters, result, unchecked, symbol, optional and variadic alone";

type Types<S extends Signature> = S["parameters"][number] | S["result"];

type HasStruct<T> = StructByValue extends T ? false
  : [Extract<T, StructByValue>] extends [never] ? false
  : true;

/** Why a signature cannot be bound, as the text that the compiler shows; `never` where it can. */
export type SignatureFault<S extends Signature> = [Exclude<keyof S, keyof Signature>] extends [never]
  ? KnownFault<S>
  : NoKey;

type KnownFault<S extends Signature> = HasStruct<Types<S>> extends true ? NoStruct
  : S extends { readonly unchecked: true }
    ? [Extract<Types<S>, "cstring" | "cstring!">] extends [never] ? never : NoCstring
  : S extends { readonly variadic: number }
    ? [Extract<S["parameters"][number], "f32" | "f64">] extends [never] ? never : NoFloat
  : never;

/** What a table must be besides. Nothing is a `SignatureFault`: a signature that has one does not compile. */
export type Bindable<T extends SymbolTable> = {
  readonly [K in keyof T]: [SignatureFault<T[K]>] extends [never] ? unknown : Refused<SignatureFault<T[K]>>;
};

type Checked<T extends ParameterType | StructByValue> = T extends `${infer Type extends AddressType}!`
  ? Exclude<Checked<Type>, null>
  : T extends SmallInteger | "f32" | "f64" ? number
  : T extends WideInteger ? number | bigint
  : T extends "bool" ? boolean
  : T extends "buffer" ? ArrayBufferView | null
  : T extends "cstring" ? string | null
  : T extends StructByValue ? Refused<NoStruct>
  : Pointer | null;

type Unchecked<T extends ParameterType | StructByValue> = T extends SmallInteger | "f32" | "f64" ? number
  : T extends WideInteger ? Word
  : T extends "bool" ? boolean
  : T extends "buffer" | "buffer!" ? ArrayBufferView
  : T extends "cstring" | "cstring!" ? Refused<NoCstring>
  : T extends StructByValue ? Refused<NoStruct>
  : Pointer;

type Result<T extends ResultType | StructByValue> = T extends "void" ? void
  : T extends SmallInteger | "f32" | "f64" ? number
  : T extends WideInteger ? bigint
  : T extends "bool" ? boolean
  : T extends "cstring" ? string | null
  : T extends StructByValue ? Refused<NoStruct>
  : Pointer | null;

type CheckedArguments<P extends Signature["parameters"]> = {
  -readonly [I in keyof P]: Checked<P[I]>;
};

type UncheckedArguments<P extends Signature["parameters"]> = {
  -readonly [I in keyof P]: Unchecked<P[I]>;
};

/** Whether a flag's type has been widened to `true | undefined`, as that of a `Signature` is: nobody knows. */
type IsGuess<T> = [unknown] extends [T] ? false : [true | undefined] extends [T] ? true : false;

/** The TypeScript function of one signature. Of a signature that is known at run time alone, no argument is. */
export type NativeFunction<S extends Signature> = IsGuess<S["unchecked"]> extends true
  ? (...args: never[]) => unknown
  : S["unchecked"] extends true ? (...args: UncheckedArguments<S["parameters"]>) => Result<S["result"]>
  : (...args: CheckedArguments<S["parameters"]>) => Result<S["result"]>;

/** Whether a flag's type lets it be `true`. */
type MayBe<T> = [unknown] extends [T] ? false : [true] extends [T] ? true : false;

/** The TypeScript functions of a table; one that is `optional` may be `undefined`. */
export type NativeFunctions<T extends SymbolTable> = {
  readonly [K in keyof T]: MayBe<T[K]["optional"]> extends true ? NativeFunction<T[K]> | undefined
    : NativeFunction<T[K]>;
};

/** What C may give a callback. */
export type CallbackParameterType = Exclude<ResultType, "void">;
/** What a callback may give C. */
export type CallbackResultType = Exclude<ResultType, "cstring">;

/** A C function that is written in TypeScript. */
export interface CallbackSignature {
  readonly parameters: readonly CallbackParameterType[];
  readonly result: CallbackResultType;
}

type CallbackArguments<P extends readonly CallbackParameterType[]> = {
  -readonly [I in keyof P]: Result<P[I]>;
};

/** The TypeScript function behind a callback: it is given what a call gives, and gives what a call takes. */
export type CallbackFunction<S extends CallbackSignature> = (
  ...args: CallbackArguments<S["parameters"]>
) => S["result"] extends "void" ? void : Checked<Exclude<S["result"], "void">>;
