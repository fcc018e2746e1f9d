/**
 * What a host must do for `ffi/`, and the choice of the one that we are on. Nothing above this folder
 * can see which it is. Importing asks for no permission and opens nothing.
 *
 * @module
 */
import { bunHost } from "./bun.ts";
import { denoHost } from "./deno.ts";
import { nodeHost } from "./node.ts";
import type { CallbackSignature, PlainSignature, Pointer, Word } from "./types.ts";
import { absence, absentHost } from "./unavailable.ts";

/** The runtimes that Oxbow runs on. */
export type HostName = "deno" | "bun" | "node";

/** A function as the host gives it: it takes and returns the host's own encodings. */
export type RawFunction = (...args: unknown[]) => unknown;

/** An opened shared library. */
export interface RawLibrary {
  /** Throws the loader's message where there is no such symbol. */
  bind(symbol: string, signature: PlainSignature): RawFunction;
  close(): void;
}

/** A C function that the host has made of a TypeScript one. */
export interface RawCallback {
  readonly address: bigint;
  /** Not while it runs, and once. */
  close(): void;
}

/**
 * Makes a buffer over memory that is not the host's, and has one taken off the count at an address, in C, once
 * nobody has the buffer: neither a view, nor whom it was transferred to, nor a call of the host on another thread.
 */
export type RawLender = (address: bigint, length: number, count: bigint) => ArrayBuffer;

/** A runtime's FFI, in one encoding of its own: see `Pointer` and `Word`. */
export interface Host {
  readonly name: HostName;
  /** The runtime type of `Pointer` and `Word`, which checked calls convert to. */
  readonly encoding: "bigint" | "number";
  /** Throws the loader's message, or a `NativeUnavailableError` where C cannot be called. */
  open(path: string): RawLibrary;
  /** The address of the view's first byte; the view has at least one. */
  addressOf(view: ArrayBufferView): bigint;
  /** A buffer over memory that is not the host's; `length` is at least 1. */
  bufferAt(address: bigint, length: number): ArrayBuffer;
  /** A lender by a function of C, which is given a buffer's address and the count's; where the host calls one. */
  lenderByFunction?(release: bigint): RawLender;
  /**
   * A lender by a Node-API addon whose export makes a buffer of three numbers; where the host calls its finalizer when
   * the memory is nobody's, and not when the thread ends that made the buffer.
   */
  lenderByAddon?(path: string): RawLender;
  /** The text up to the NUL, from UTF-8 as a `TextDecoder` reads it; the pointer is not null. */
  stringAt(pointer: Pointer): string;
  /** `fn` takes and gives the host's encodings, and does not throw. */
  callback(signature: CallbackSignature, fn: RawFunction): RawCallback;
}

function choose(): Host {
  const chosen = Reflect.has(globalThis, "Deno")
    ? denoHost()
    : Reflect.has(globalThis, "Bun")
    ? bunHost()
    : nodeHost();
  const reason = absence(chosen.name);
  return reason === undefined ? chosen : absentHost(chosen, reason);
}

/** The host that we run on. */
export const host: Host = choose();

/** The runtime's name. */
export const hostName: HostName = host.name;

/** The highest address that every number up to it holds exactly. */
const LAST_NUMBER = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * An address in this host's encoding. What no number holds is a bigint on Bun too: no memory is there, but C
 * has constants, such as SQLITE_TRANSIENT.
 */
export const toPointer: (address: bigint) => Pointer = host.encoding === "bigint"
  ? (address) => address as unknown as Pointer
  : (address) => (address <= LAST_NUMBER ? Number(address) : address) as unknown as Pointer;

/** An encoded address as a bigint. */
export const fromPointer: (pointer: Pointer) => bigint = host.encoding === "bigint"
  ? (pointer) => pointer as unknown as bigint
  : (pointer) => BigInt(pointer as unknown as number | bigint);

/** Whether the value is an address that `toPointer` would leave a bigint on Bun. */
export function isFar(value: unknown): boolean {
  return typeof value === "bigint" && value > LAST_NUMBER && BigInt.asUintN(64, value) === value;
}

/** Whether the value is an address in this host's encoding. */
export const isPointer: (value: unknown) => boolean = host.encoding === "bigint"
  ? (value) => typeof value === "bigint" && BigInt.asUintN(64, value) === value
  : (value) => (Number.isSafeInteger(value) && Number(value) >= 0) || isFar(value);

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
