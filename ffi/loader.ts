/** How a library loads where the hosts' own `dlopen` does not do: what it finds, what it sees, how long it stays. */
import { dlopenQuietly } from "./dlopen.ts";
import { pointerAt, unsafeStringAt } from "./pointer.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, Pointer, SymbolTable } from "./types.ts";

const RTLD_NOW = 0x2;
const RTLD_NOLOAD = 0x4;
const RTLD_GLOBAL = 0x100;
const RTLD_NODELETE = 0x1000;

const table = {
  // dlfcn.h
  dlopen: { parameters: [/* const char *filename */ "cstring", /* int flags */ "i32"], result: "pointer" },
  dlsym: {
    parameters: [/* void *handle */ "pointer!", /* const char *symbol */ "cstring"],
    result: "pointer",
  },
  dladdr: {
    parameters: [/* const void *addr */ "pointer!", /* Dl_info *info */ "buffer!"],
    result: "i32",
  },
  dlclose: { parameters: [/* void *handle */ "pointer!"], result: "i32" },

  // stdlib.h
  getenv: { parameters: [/* const char *name */ "cstring"], result: "pointer" },
  setenv: {
    parameters: [
      /* const char *name */ "cstring",
      /* const char *value */ "cstring",
      /* int overwrite */ "i32",
    ],
    result: "i32",
  },
  unsetenv: { parameters: [/* const char *name */ "cstring"], result: "i32" },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

function libc(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}

/**
 * Opens a library so that those opened later find its symbols, which the hosts' own `dlopen` does not. It
 * is never closed. Returns whether it loaded.
 */
export function openGlobally(name: string): boolean {
  return libc().dlopen(name, RTLD_NOW | RTLD_GLOBAL) !== null;
}

/**
 * Makes a library that is loaded stay so for as long as the process, whoever closes it: Deno and Node unload
 * what a worker opened when it ends. `name` is the path that it was opened by, or its DT_SONAME, of which it
 * is the first that was loaded. Returns whether it is loaded.
 */
export function keepLoaded(name: string): boolean {
  return libc().dlopen(name, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) !== null;
}

/** Where a library that is loaded has a symbol: `null` where it has none, `undefined` where it is not loaded. */
export function symbolIn(name: string, symbol: string): Pointer | null | undefined {
  const handle = libc().dlopen(name, RTLD_NOW | RTLD_NOLOAD);
  if (handle === null) return undefined;
  try {
    return libc().dlsym(handle, symbol);
  } finally {
    libc().dlclose(handle);
  }
}

/** The path that the library was loaded by which has the symbol. */
export function pathOf(symbol: Pointer): string {
  // `Dl_info` is the path, the library's address, the symbol's name and its address.
  const info = new BigUint64Array(4);
  if (libc().dladdr(symbol, info) === 0) {
    throw new Error("cannot find the library of a symbol: it is in none");
  }
  return unsafeStringAt(pointerAt(info[0]));
}

/**
 * Runs `load` with an environment variable as C reads it set to `value`; unless it is set already, which
 * is left alone. A library reads it while it loads; children do not inherit it.
 */
export function withEnvironment<T>(variable: string, value: string, load: () => T): T {
  if (libc().getenv(variable) !== null) return load();
  libc().setenv(variable, value, 0);
  try {
    return load();
  } finally {
    libc().unsetenv(variable);
  }
}
