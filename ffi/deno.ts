import { addonAt } from "./addon.ts";
import type { Host, RawCallback, RawFunction, RawLender, RawLibrary } from "./host.ts";
import type { CallbackSignature, PassedType, PlainSignature, ResultType } from "./types.ts";
import { NativeUnavailableError } from "./unavailable.ts";

/** V8's fast calls take a bigint for `u64` in 6 ns and a pointer object in 8: addresses are bigints. */
function parameterOf(type: PassedType): Deno.NativeType {
  switch (type) {
    case "pointer":
    case "function":
      return "u64";
    case "cstring":
      return "buffer";
    default:
      return type;
  }
}

function resultOf<T extends ResultType>(type: T): Exclude<T, "pointer" | "cstring"> | "u64";
function resultOf(type: ResultType): Deno.NativeResultType {
  return type === "pointer" || type === "cstring" ? "u64" : type;
}

/** Where Debian and its kin, the Fedora family, Arch and Alpine keep their libraries. */
const FOLDERS = [
  "/lib/x86_64-linux-gnu",
  "/usr/lib/x86_64-linux-gnu",
  "/lib64",
  "/usr/lib64",
  "/lib",
  "/usr/lib",
];

function isGranted(path?: string): boolean {
  return Deno.permissions.querySync({ name: "ffi", path }).state === "granted";
}

/** The path as it may be opened: a name whose file alone is permitted becomes that file's path. */
function permitted(path: string): string {
  if (isGranted()) return path;
  const paths = path.includes("/") ? [path] : FOLDERS.map((folder) => `${folder}/${path}`);
  const found = paths.find((path) => isGranted(path));
  if (found !== undefined) return found;
  throw new NativeUnavailableError(
    `open ${path}`,
    "it is not permitted: run this again with --allow-ffi, or with --allow-ffi=FILE for that file alone",
  );
}

/** Deno asks for the flag without a list of paths here, and does not say so. */
function unlimited<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    const reason = "run it again with --allow-ffi, without a list of paths";
    throw new NativeUnavailableError(what, reason, { cause });
  }
}

class DenoLibrary implements RawLibrary {
  #path: string;
  #libraries: Deno.DynamicLibrary<Deno.ForeignLibraryInterface>[] = [];

  constructor(path: string) {
    this.#path = permitted(path);
    this.#libraries.push(Deno.dlopen(this.#path, {}));
  }

  bind(symbol: string, signature: PlainSignature): RawFunction {
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

function pointerObject(address: bigint): Deno.PointerObject {
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer === null) throw new TypeError("cannot read memory at the null address");
  return pointer;
}

function callback({ parameters, result }: CallbackSignature, fn: RawFunction): RawCallback {
  const definition: Deno.UnsafeCallbackDefinition = {
    parameters: parameters.map(resultOf),
    result: resultOf(result),
  };
  const raw = new Deno.UnsafeCallback(definition, fn as Deno.UnsafeCallbackFunction);
  return { address: BigInt(Deno.UnsafePointer.value(raw.pointer)), close: () => raw.close() };
}

/** Deno's own buffers over foreign memory tell nobody when they go; those of an addon do, as their memory goes. */
function lenderByAddon(path: string): RawLender {
  const make = addonAt(path) as (address: number, length: number, count: number) => ArrayBuffer | undefined;
  return (address, length, count) => {
    const buffer = make(Number(address), length, Number(count));
    if (buffer === undefined) throw new RangeError(`cannot view memory: ${length} bytes are too many`);
    return buffer;
  };
}

/** Deno ≥ 2.9: `Deno.dlopen`. */
export function denoHost(): Host {
  return {
    name: "deno",
    encoding: "bigint",
    open: (path) => new DenoLibrary(path),
    addressOf: (view) =>
      unlimited(
        "take an address",
        () => BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>))),
      ),
    bufferAt: (address, length) =>
      unlimited(
        "view memory",
        () => Deno.UnsafePointerView.getArrayBuffer(pointerObject(address), length),
      ),
    lenderByAddon,
    stringAt: (pointer) =>
      unlimited(
        "read memory",
        () => Deno.UnsafePointerView.getCString(pointerObject(pointer as unknown as bigint)),
      ),
    callback: (signature, fn) => unlimited("make a callback", () => callback(signature, fn)),
  };
}
