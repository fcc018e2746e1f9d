/**
 * What a host must do for `ffi/`, and the choice of the one that we are on. Nothing above this folder
 * can see which it is. Importing asks for no permission and opens nothing.
 *
 * @module
 */
import { bunHost } from "./bun.ts";
import { denoHost } from "./deno.ts";
import { nodeHost } from "./node.ts";
import type { Pointer, Signature, Word } from "./types.ts";

/** The runtimes that Oxbow runs on. */
export type HostName = "deno" | "bun" | "node";

/** A function as the host gives it: it takes and returns the host's own encodings. */
export type RawFunction = (...args: unknown[]) => unknown;

/** An opened shared library. */
export interface RawLibrary {
  /** Throws the loader's message where there is no such symbol. */
  bind(symbol: string, signature: Signature): RawFunction;
  close(): void;
}

/** A runtime's FFI, in one encoding of its own: see `Pointer` and `Word`. */
export interface Host {
  readonly name: HostName;
  /** The runtime type of `Pointer` and `Word`, which checked calls convert to. */
  readonly encoding: "bigint" | "number";
  /** Throws the loader's message where the library does not load, or why FFI is denied. */
  open(path: string): RawLibrary;
  /** The address of the view's first byte; the view has at least one. */
  addressOf(view: ArrayBufferView<ArrayBuffer>): bigint;
  /** A buffer over memory that is not the host's; `length` is at least 1. */
  bufferAt(address: bigint, length: number): ArrayBuffer;
  /** Why native calls cannot be made here, as a sentence that says what to do; `undefined` where they can. */
  denied(): string | undefined;
}

function choose(): Host {
  if (Reflect.has(globalThis, "Deno")) return denoHost();
  if (Reflect.has(globalThis, "Bun")) return bunHost();
  return nodeHost();
}

/** The host that we run on. */
export const host: Host = choose();

/** The runtime's name. */
export const hostName: HostName = host.name;

/** An address in this host's encoding. */
export const toPointer: (address: bigint) => Pointer = host.encoding === "bigint"
  ? (address) => address as unknown as Pointer
  : (address) => Number(address) as unknown as Pointer;

/** An encoded address as a bigint. */
export const fromPointer: (pointer: Pointer) => bigint = host.encoding === "bigint"
  ? (pointer) => pointer as unknown as bigint
  : (pointer) => BigInt(pointer as unknown as number);

const CACHED_WORDS = 65536;
const words: Word[] = [];

function bigWord(value: number | bigint): Word {
  if (typeof value === "number" && value >= 0 && value < CACHED_WORDS) {
    return words[value] ??= BigInt(value) as unknown as Word;
  }
  return BigInt(value) as unknown as Word;
}

/**
 * A 64-bit integer for `unchecked` calls. From 0 to 65,535 it allocates nothing after its first use.
 */
export const word: (value: number | bigint) => Word = host.encoding === "bigint"
  ? bigWord
  : (value) => Number(value) as unknown as Word;
