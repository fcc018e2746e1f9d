import type { Host, RawFunction, RawLibrary } from "./host.ts";
import { LIBC } from "./soname.ts";
import type { PassedType, PlainSignature, ResultType } from "./types.ts";

interface BunFfi {
  dlopen(
    path: string,
    symbols: Record<string, { args: string[]; returns: string }>,
  ): { symbols: Record<string, RawFunction>; close(): void };
  ptr(view: ArrayBufferView): number;
  CString: new (pointer: number) => object;
  JSCallback: new (fn: RawFunction, signature: { args: string[]; returns: string }) => {
    readonly ptr: number;
    close(): void;
  };
  toArrayBuffer(
    pointer: number,
    byteOffset: number,
    byteLength: number,
    context?: number,
    deallocator?: number,
  ): ArrayBuffer;
}

/** `usize` is no type of Bun's; `u64` and `ptr` take a number in 4 to 6 ns. */
function parameterOf(type: PassedType): string {
  switch (type) {
    case "pointer":
    case "function":
    case "buffer":
    case "cstring":
      return "ptr";
    case "isize":
      return "i64";
    case "usize":
      return "u64";
    default:
      return type;
  }
}

function resultOf(type: ResultType): string {
  switch (type) {
    case "isize":
      return "i64";
    case "usize":
      return "u64";
    case "pointer":
    case "cstring":
      return "ptr";
    default:
      return type;
  }
}

/** The dynamic loader itself: Bun opens no library without a symbol, and hides which of the two failed. */
interface Loader {
  dlopen(path: Uint8Array, flags: number): number | null;
  dlerror(): number;
  dlclose(handle: number): number;
}

const RTLD_NOW = 2;

function openLoader(ffi: BunFfi): Loader {
  const failures: unknown[] = [];
  for (const name of LIBC) {
    try {
      const { symbols } = ffi.dlopen(name, {
        dlopen: { args: ["ptr", "i32"], returns: "ptr" },
        dlerror: { args: [], returns: "ptr" },
        dlclose: { args: ["ptr"], returns: "i32" },
      });
      return symbols as unknown as Loader;
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

class BunLibrary implements RawLibrary {
  #ffi: BunFfi;
  #path: string;
  #loader: Loader;
  #handle: number;
  #bound: { close(): void }[] = [];

  constructor(ffi: BunFfi, loader: Loader, path: string) {
    this.#ffi = ffi;
    this.#path = path;
    this.#loader = loader;
    const handle = loader.dlopen(new TextEncoder().encode(`${path}\0`), RTLD_NOW);
    if (handle === null) throw new Error(String(new ffi.CString(loader.dlerror())));
    this.#handle = handle;
  }

  bind(symbol: string, signature: PlainSignature): RawFunction {
    const bound = this.#ffi.dlopen(this.#path, {
      [symbol]: { args: signature.parameters.map(parameterOf), returns: resultOf(signature.result) },
    });
    this.#bound.push(bound);
    return bound.symbols[symbol];
  }

  close(): void {
    for (const bound of this.#bound) bound.close();
    this.#bound.length = 0;
    this.#loader.dlclose(this.#handle);
  }
}

/** Bun ≥ 1.4: `bun:ffi`. */
export function bunHost(): Host {
  const ffi = process.getBuiltinModule("bun:ffi") as unknown as BunFfi;
  let loader: Loader | undefined;
  return {
    name: "bun",
    encoding: "number",
    open: (path) => new BunLibrary(ffi, loader ??= openLoader(ffi), path),
    addressOf: (view) => BigInt(ffi.ptr(view)),
    bufferAt: (address, length) => ffi.toArrayBuffer(Number(address), 0, length),
    lenderByFunction: (release) => {
      const deallocator = Number(release);
      return (address, length, count) =>
        ffi.toArrayBuffer(Number(address), 0, length, Number(count), deallocator);
    },
    stringAt: (pointer) => String(new ffi.CString(pointer as unknown as number)),
    callback({ parameters, result }, fn) {
      const raw = new ffi.JSCallback(fn, { args: parameters.map(resultOf), returns: resultOf(result) });
      return { address: BigInt(raw.ptr), close: () => raw.close() };
    },
  };
}
