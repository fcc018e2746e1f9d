import type { Host, RawFunction, RawLibrary } from "./host.ts";
import type { PassedType, PlainSignature, ResultType } from "./types.ts";
import { NativeUnavailableError } from "./unavailable.ts";

interface NodeFfi {
  DynamicLibrary: new (path: string | null) => {
    getFunction(name: string, signature: { arguments: string[]; return: string }): RawFunction;
    registerCallback(signature: { arguments: string[]; return: string }, fn: RawFunction): bigint;
    unregisterCallback(pointer: bigint): void;
    close(): void;
  };
  getRawPointer(view: ArrayBufferView): bigint;
  toArrayBuffer(pointer: bigint, length: number, copy: boolean): ArrayBuffer;
  toString(pointer: bigint): string;
}

/** Addresses go as `u64`: a bigint, checked by Node itself. A checked view has become its address. */
function parameterOf(type: PassedType, unchecked: boolean): string {
  switch (type) {
    case "pointer":
    case "function":
    case "usize":
      return "u64";
    case "buffer":
      return unchecked ? "pointer" : "u64";
    case "cstring":
      return "pointer";
    case "isize":
      return "i64";
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
      return "pointer";
    default:
      return type;
  }
}

class NodeLibrary implements RawLibrary {
  #ffi: NodeFfi;
  #path: string;
  #libraries: InstanceType<NodeFfi["DynamicLibrary"]>[] = [];

  constructor(ffi: NodeFfi, path: string) {
    this.#ffi = ffi;
    this.#path = path;
    this.#libraries.push(new ffi.DynamicLibrary(path));
  }

  bind(symbol: string, signature: PlainSignature): RawFunction {
    // One library object refuses the same symbol under a second signature.
    const library = new this.#ffi.DynamicLibrary(this.#path);
    this.#libraries.push(library);
    const { parameters, result, unchecked = false } = signature;
    return library.getFunction(symbol, {
      arguments: parameters.map((type) => parameterOf(type, unchecked)),
      return: resultOf(result),
    });
  }

  close(): void {
    for (const library of this.#libraries) library.close();
    this.#libraries.length = 0;
  }
}

/** `node:ffi` announces on stderr that it is experimental: whoever imports this package knows. */
function loadQuietly(): NodeFfi | undefined {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:ffi") as unknown as NodeFfi | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * V8 compiles calls of a known C function into its callers, in a thread of its own. Node 26.10 frees what is
 * known of the function while that thread may read it still, where the thread that bound it ends, or the
 * process: one exit in ten was a SIGSEGV. So calls go the longer way, which is three times as long.
 */
function avoidFastCalls(): void {
  process.getBuiltinModule("node:v8").setFlagsFromString("--no-turbo-fast-api-calls");
}

function load(): NodeFfi {
  const ffi = loadQuietly();
  if (ffi !== undefined) {
    avoidFastCalls();
    return ffi;
  }
  throw new NativeUnavailableError(
    "call C",
    `node:ffi is missing in Node ${process.versions.node}: use Node 26.1 or newer, with --experimental-ffi ` +
      "where its version asks for the flag, and --allow-ffi under --permission",
  );
}

/** Node ≥ 26.1: `node:ffi`. */
export function nodeHost(): Host {
  let loaded: NodeFfi | undefined;
  let self: InstanceType<NodeFfi["DynamicLibrary"]> | undefined;
  function ffi(): NodeFfi {
    return loaded ??= load();
  }
  return {
    name: "node",
    encoding: "bigint",
    open: (path) => new NodeLibrary(ffi(), path),
    addressOf: (view) => ffi().getRawPointer(view),
    bufferAt: (address, length) => ffi().toArrayBuffer(address, length, false),
    stringAt: (pointer) => ffi().toString(pointer as unknown as bigint),
    callback({ parameters, result }, fn) {
      // A callback ends with its library: the process itself is one that is never closed.
      const library = self ??= new (ffi().DynamicLibrary)(null);
      const address = library.registerCallback({
        arguments: parameters.map(resultOf),
        return: resultOf(result),
      }, fn);
      return { address, close: () => library.unregisterCallback(address) };
    },
  };
}
