import type { Library } from "./dlopen.ts";
import { symbolIn } from "./loader.ts";
import type { Pointer, SymbolTable } from "./types.ts";

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
  const pointer = symbolIn(library.path, name);
  if (pointer === undefined) throw new Error(`cannot ${what}: ${library.path} is not loaded`);
  return pointer;
}
