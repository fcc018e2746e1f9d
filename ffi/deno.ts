import type { Host, RawFunction, RawLibrary } from "./host.ts";
import type { ParameterType, ResultType, Signature } from "./types.ts";

/** V8's fast calls take a bigint for `u64` in 6 ns and a pointer object in 8: addresses are bigints. */
function parameterOf(type: ParameterType): Deno.NativeType {
  if (type === "pointer" || type === "function") return "u64";
  return type;
}

function resultOf(type: ResultType): Deno.NativeResultType {
  return type === "pointer" ? "u64" : type;
}

class DenoLibrary implements RawLibrary {
  #path: string;
  #libraries: Deno.DynamicLibrary<Deno.ForeignLibraryInterface>[] = [];

  constructor(path: string) {
    this.#path = path;
    this.#libraries.push(Deno.dlopen(path, {}));
  }

  bind(symbol: string, signature: Signature): RawFunction {
    // Deno binds a whole table at once, at 100 µs a symbol; opened again, one symbol comes alone.
    const library = Deno.dlopen(this.#path, {
      [symbol]: { parameters: signature.parameters.map(parameterOf), result: resultOf(signature.result) },
    });
    this.#libraries.push(library);
    return library.symbols[symbol] as unknown as RawFunction;
  }

  close(): void {
    for (const library of this.#libraries) library.close();
    this.#libraries.length = 0;
  }
}

function denied(): string | undefined {
  if (Deno.permissions.querySync({ name: "ffi" }).state === "granted") return undefined;
  return "this process may not call C: run it again with --allow-ffi";
}

/** Deno ≥ 2.9: `Deno.dlopen`. */
export function denoHost(): Host {
  return {
    name: "deno",
    encoding: "bigint",
    open: (path) => new DenoLibrary(path),
    addressOf: (view) =>
      BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>))),
    bufferAt(address, length) {
      const pointer = Deno.UnsafePointer.create(address);
      if (pointer === null) throw new TypeError("cannot view memory at the null address");
      return Deno.UnsafePointerView.getArrayBuffer(pointer, length);
    },
    denied,
  };
}
