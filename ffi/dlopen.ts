import { checked, type Owner, refuseClosed } from "./checked.ts";
import { prepareErrno } from "./errno.ts";
import { host, type RawFunction, type RawLibrary } from "./host.ts";
import { whenIdle } from "./pending.ts";
import { search } from "./search.ts";
import { inspect, type InspectedSignature } from "./signature.ts";
import { rememberTable } from "./tables.ts";
import type { Bindable, NativeFunctions, Signature, SymbolTable } from "./types.ts";
import { NativeUnavailableError } from "./unavailable.ts";

/** An opened library. A function is bound when it is first asked for. */
export interface Library<T extends SymbolTable> extends Disposable {
  /** The name or path that loaded. */
  readonly path: string;
  readonly symbols: NativeFunctions<T>;
  readonly closed: boolean;
  /** Whether the library has the symbol. */
  has(name: keyof T & string): boolean;
  /**
   * Closes it, or once the callback that runs is done. A call afterwards throws, through `symbols` or a
   * function taken out before; but an `unchecked` one taken out before must not be called.
   */
  close(): void;
}

/** The loader's words, for a list of them. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Throws a `TypeError` for what `dlopen` cannot take. */
export function requireNames(names: readonly string[]): void {
  if (!Array.isArray(names) || names.length === 0 || names.some((name) => typeof name !== "string")) {
    throw new TypeError(`cannot open ${JSON.stringify(names)}: names is no list of sonames or paths`);
  }
  const held = names.find((name) => name.includes("\0"));
  if (held !== undefined) throw new TypeError(`cannot open ${JSON.stringify(held)}: it holds a NUL`);
}

function openFirst(names: readonly string[]): { path: string; raw: RawLibrary } {
  requireNames(names);
  const failures: string[] = [];
  const denials: NativeUnavailableError[] = [];
  for (const { path } of search(names)) {
    try {
      const raw = host.open(path);
      prepareErrno();
      return { path, raw };
    } catch (error) {
      if (error instanceof NativeUnavailableError) denials.push(error);
      failures.push(`  ${path}: ${messageOf(error)}`);
    }
  }
  const what = `open ${names.join(" or ")}`;
  const [denial] = denials;
  if (denials.length === failures.length && denials.every(({ reason }) => reason === denial.reason)) {
    throw new NativeUnavailableError(what, denial.reason, { cause: denial });
  }
  const hint = "install the library, or name its file's path";
  throw new Error(`cannot ${what}: none of these loads; ${hint}\n${failures.join("\n")}`);
}

/** `undefined` where the symbol is optional, and the library lacks it. */
function bind(
  owner: Owner,
  raw: RawLibrary,
  name: string,
  signature: InspectedSignature,
): RawFunction | undefined {
  const symbol = signature.symbol ?? name;
  let call: RawFunction;
  try {
    call = raw.bind(symbol, signature);
  } catch (error) {
    if (signature.optional) return undefined;
    throw new Error(`cannot bind ${symbol} in ${owner.path}: ${messageOf(error)}`, { cause: error });
  }
  return signature.unchecked ? call : checked(symbol, signature, call, owner);
}

/**
 * Opens the first library of `names` that loads, by soname or path, and gives the functions of the table,
 * typed by it, each bound at its first use. A wrong signature crashes whatever is checked.
 *
 * The folders of `$OXBOW_LIBRARY_PATH` come first, then the names as the system's loader finds them; then
 * `$MKLROOT`, oneAPI (`$ONEAPI_ROOT`, or /opt/intel/oneapi), `$CONDA_PREFIX`, `$VIRTUAL_ENV` and Debian's
 * folders for each build of OpenBLAS and BLIS. There `libx.so` stands for `libx.so.2` too, the newest first.
 * `find` shows it. Deno is asked for nothing: a variable that may not be read counts as unset. Where
 * `--allow-ffi` names paths, a soname becomes the path that it names.
 *
 * @throws {Error} that lists each path tried, and the loader's reason.
 * @throws {NativeUnavailableError} where no C can be called.
 * @throws {TypeError | RangeError} where a signature cannot be bound on every host, before a library is opened.
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
export function dlopen<const T extends SymbolTable>(
  names: readonly string[],
  table: T & Bindable<T>,
): Library<T> {
  return openTable<T>(names, table, true);
}

/**
 * As `dlopen`, for Oxbow's own tables: their calls throw nothing that a callback has left, which is for the
 * caller of a library that calls back, and not for whoever closes a file meanwhile.
 */
export function dlopenQuietly<const T extends SymbolTable>(
  names: readonly string[],
  table: T & Bindable<T>,
): Library<T> {
  return openTable<T>(names, table, false);
}

/** As `dlopen` where it `settles`, and as `dlopenQuietly` where not. */
export function openTable<T extends SymbolTable>(
  names: readonly string[],
  table: T,
  settles: boolean,
): Library<T> {
  const signatures = new Map(
    Object.entries<Signature>(table).map(([name, signature]) => [name, inspect(name, signature)]),
  );
  const { path, raw } = openFirst(names);
  const owner = { path, closed: false, settles };
  const symbols: Record<string, unknown> = Object.create(null);
  rememberTable(symbols, signatures);
  for (const [name, signature] of signatures) {
    Object.defineProperty(symbols, name, {
      configurable: true,
      enumerable: true,
      get(): RawFunction | undefined {
        const value = bind(owner, raw, name, signature);
        Object.defineProperty(symbols, name, { value, configurable: true, enumerable: true });
        return value;
      },
    });
  }
  function close(): void {
    if (owner.closed) return;
    owner.closed = true;
    for (const [name, { symbol = name }] of signatures) {
      Object.defineProperty(symbols, name, { get: () => refuseClosed(symbol, path) });
    }
    // Not under the feet of a function that has called back, and is still on the stack.
    whenIdle(() => raw.close());
  }
  return {
    path,
    symbols: symbols as NativeFunctions<T>,
    get closed() {
      return owner.closed;
    },
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
