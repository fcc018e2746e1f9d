import { checked } from "./checked.ts";
import { prepareErrno } from "./errno.ts";
import { host, type RawFunction, type RawLibrary } from "./host.ts";
import type { NativeFunctions, Signature, SymbolTable } from "./types.ts";

/** An opened library. A function is bound when it is first asked for. */
export interface Library<T extends SymbolTable> extends Disposable {
  /** The name or path that loaded. */
  readonly path: string;
  readonly symbols: NativeFunctions<T>;
  /** Whether the library has the symbol. */
  has(name: keyof T & string): boolean;
  /** Closes it: a call through `symbols` afterwards throws; a function taken out before must not be called. */
  close(): void;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function openFirst(names: readonly string[]): { path: string; raw: RawLibrary } {
  const failures: string[] = [];
  for (const path of names) {
    if (path.includes("\0")) throw new TypeError(`cannot open ${JSON.stringify(path)}: it holds a NUL`);
    try {
      const raw = host.open(path);
      prepareErrno();
      return { path, raw };
    } catch (error) {
      const reason = host.denied();
      if (reason !== undefined) throw new Error(`cannot open ${path}: ${reason}`, { cause: error });
      failures.push(`  ${path}: ${messageOf(error)}`);
    }
  }
  throw new Error(
    `cannot open a library: none of ${names.length} loads; install one, or name the file's path\n${
      failures.join("\n")
    }`,
  );
}

function bind(path: string, raw: RawLibrary, name: string, signature: Signature): RawFunction {
  const symbol = signature.symbol ?? name;
  let call: RawFunction;
  try {
    call = raw.bind(symbol, signature);
  } catch (error) {
    throw new Error(`cannot bind ${symbol} in ${path}: ${messageOf(error)}`, { cause: error });
  }
  return signature.unchecked ? call : checked(symbol, signature, call, host.name);
}

/**
 * Opens the first library of `names` that loads, by soname or path, and gives the functions of the table,
 * typed by it. Throws an error that lists each name tried and the loader's reason. A wrong signature
 * crashes whatever is checked.
 *
 * @example
 * ```ts
 * import { dlopen } from "@oxbow/oxbow/ffi";
 *
 * using libc = dlopen(["libc.so.6"], {
 *   abs: { parameters: ["i32"], result: "i32" },
 * });
 * console.log(libc.symbols.abs(-3)); // 3
 * ```
 */
export function dlopen<const T extends SymbolTable>(names: readonly string[], table: T): Library<T> {
  const { path, raw } = openFirst(names);
  let closed = false;
  const symbols: Record<string, unknown> = Object.create(null);
  for (const [name, signature] of Object.entries(table)) {
    Object.defineProperty(symbols, name, {
      configurable: true,
      enumerable: true,
      get(): RawFunction {
        const value = bind(path, raw, name, signature);
        Object.defineProperty(symbols, name, { value, configurable: true, enumerable: true });
        return value;
      },
    });
  }
  function close(): void {
    if (closed) return;
    closed = true;
    for (const name of Object.keys(table)) {
      Object.defineProperty(symbols, name, {
        get() {
          throw new Error(`cannot call ${name}: ${path} was closed`);
        },
      });
    }
    raw.close();
  }
  return {
    path,
    symbols: symbols as NativeFunctions<T>,
    has(name) {
      try {
        return symbols[name] !== undefined;
      } catch {
        return false;
      }
    },
    close,
    [Symbol.dispose]: close,
  };
}
