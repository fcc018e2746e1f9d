/** The two things that must be settled before a library loads: what it finds loaded, and its environment. */
import { dlopen } from "./dlopen.ts";
import { cString } from "./pointer.ts";
import type { NativeFunctions, SymbolTable } from "./types.ts";

const RTLD_NOW = 0x2;
const RTLD_GLOBAL = 0x100;

const table = {
  // dlfcn.h
  dlopen: { parameters: [/* const char *filename */ "buffer", /* int flags */ "i32"], result: "pointer" },

  // stdlib.h
  getenv: { parameters: [/* const char *name */ "buffer"], result: "pointer" },
  setenv: {
    parameters: [
      /* const char *name */ "buffer",
      /* const char *value */ "buffer",
      /* int overwrite */ "i32",
    ],
    result: "i32",
  },
  unsetenv: { parameters: [/* const char *name */ "buffer"], result: "i32" },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

function libc(): NativeFunctions<typeof table> {
  return symbols ??= dlopen(["libc.so.6"], table).symbols;
}

/**
 * Opens a library so that those opened later find its symbols, which the hosts' own `dlopen` does not. It
 * is never closed. Returns whether it loaded.
 */
export function openGlobally(name: string): boolean {
  return libc().dlopen(cString(name), RTLD_NOW | RTLD_GLOBAL) !== null;
}

/**
 * Runs `load` with an environment variable as C reads it set to `value`; unless it is set already, which
 * is left alone. A library reads it while it loads; children do not inherit it.
 */
export function withEnvironment<T>(variable: string, value: string, load: () => T): T {
  const name = cString(variable);
  if (libc().getenv(name) !== null) return load();
  libc().setenv(name, cString(value), 0);
  try {
    return load();
  } finally {
    libc().unsetenv(name);
  }
}
