/**
 * C from TypeScript, on Deno, Bun and Node alike: typed symbol tables, checked calls, addresses, errno.
 *
 * Importing this module is the word `unsafe`. A call is checked for its arity and its arguments' types and
 * ranges, but nothing can check a signature against the library: a wrong one, an address that is no longer
 * mapped, or a buffer shorter than C believes ends the process. Everything above this module is safe.
 *
 * @example
 * ```ts
 * import { dlopen } from "@oxbow/oxbow/ffi";
 *
 * using libc = dlopen(["libc.so.6"], {
 *   getppid: { parameters: [], result: "i32" },
 * });
 * console.log(libc.symbols.getppid() >= 0); // true
 * ```
 *
 * @module
 */
export { dlopen, type Library } from "./dlopen.ts";
export { type HostName, hostName, word } from "./host.ts";
export {
  addressOf,
  cString,
  NULL,
  offset,
  type PointerArray,
  pointerArray,
  pointerAt,
  pointerTo,
  unsafeBufferAt,
  unsafeStringAt,
} from "./pointer.ts";
export { errno } from "./errno.ts";
export { check, type SyscallContext, SystemError } from "./system_error.ts";
export type {
  NativeFunction,
  NativeFunctions,
  ParameterType,
  Pointer,
  ResultType,
  Signature,
  SmallInteger,
  SymbolTable,
  WideInteger,
  Word,
} from "./types.ts";
export { libc } from "./libc.ts";
