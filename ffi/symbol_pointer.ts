import { dlopenQuietly, type Library } from "./dlopen.ts";
import { LIBC } from "./soname.ts";
import type { NativeFunctions, Pointer, SymbolTable } from "./types.ts";

const RTLD_NOW = 0x2;
const RTLD_NOLOAD = 0x4;

const table = {
  // dlfcn.h
  dlopen: { parameters: [/* const char *filename */ "cstring", /* int flags */ "i32"], result: "pointer" },
  dlsym: {
    parameters: [/* void *handle */ "pointer!", /* const char *symbol */ "cstring"],
    result: "pointer",
  },
  dlclose: { parameters: [/* void *handle */ "pointer!"], result: "i32" },
} as const satisfies SymbolTable;

let symbols: NativeFunctions<typeof table> | undefined;

function libc(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}

/**
 * Where the library has a symbol: a variable, or a function that another one is to call. `null`
 * where there is none. It is good until the library is closed: dlsym(3).
 *
 * @throws {Error} where the library was closed.
 *
 * @example
 * ```ts
 * import { dlopen, symbolPointer, unsafeCopy } from "@oxbow/oxbow/ffi";
 *
 * using libc = dlopen(["libc.so.6"], {});
 * const loopback = symbolPointer(libc, "in6addr_loopback"); // const struct in6_addr *
 * if (loopback !== null) console.log(unsafeCopy(loopback, 16)); // 0 and so on, and 1
 * ```
 */
export function symbolPointer(library: Library<SymbolTable>, name: string): Pointer | null {
  const what = `point to ${name}`;
  if (library.closed) throw new Error(`cannot ${what}: ${library.path} was closed`);
  const { dlclose, dlopen, dlsym } = libc();
  const handle = dlopen(library.path, RTLD_NOW | RTLD_NOLOAD);
  if (handle === null) throw new Error(`cannot ${what}: ${library.path} is not loaded`);
  try {
    return dlsym(handle, name);
  } finally {
    dlclose(handle);
  }
}
