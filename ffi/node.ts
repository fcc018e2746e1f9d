import type { Host, RawFunction, RawLibrary } from "./host.ts";
import type { ParameterType, ResultType, Signature } from "./types.ts";

interface NodeFfi {
  DynamicLibrary: new (path: string) => {
    getFunction(name: string, signature: { arguments: string[]; return: string }): RawFunction;
    close(): void;
  };
  getRawPointer(view: ArrayBufferView): bigint;
  toArrayBuffer(pointer: bigint, length: number, copy: boolean): ArrayBuffer;
}

/** Addresses go as `u64`: a bigint, checked by Node itself. */
function parameterOf(type: ParameterType): string {
  switch (type) {
    case "pointer":
    case "function":
    case "usize":
      return "u64";
    case "buffer":
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

  bind(symbol: string, signature: Signature): RawFunction {
    // One library object refuses the same symbol under a second signature.
    const library = new this.#ffi.DynamicLibrary(this.#path);
    this.#libraries.push(library);
    return library.getFunction(symbol, {
      arguments: signature.parameters.map(parameterOf),
      return: resultOf(signature.result),
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

function denied(): string | undefined {
  if (process.getBuiltinModule("node:ffi") !== undefined) return undefined;
  return `node:ffi is missing in Node ${process.versions.node}: use Node 26.1 or newer, with --experimental-ffi ` +
    "where its version asks for the flag, and --allow-ffi under --permission";
}

/** Node ≥ 26.1: `node:ffi`. */
export function nodeHost(): Host {
  let loaded: NodeFfi | undefined;
  function ffi(): NodeFfi {
    loaded ??= loadQuietly();
    if (loaded === undefined) throw new Error(denied());
    return loaded;
  }
  return {
    name: "node",
    encoding: "bigint",
    open: (path) => new NodeLibrary(ffi(), path),
    addressOf: (view) => ffi().getRawPointer(view),
    bufferAt: (address, length) => ffi().toArrayBuffer(address, length, false),
    denied,
  };
}
