/**
 * C from TypeScript, on Deno, Bun and Node alike: typed symbol tables, checked calls, callbacks, addresses,
 * struct layouts, errno.
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
export { type Callback, callback } from "./callback.ts";
export { dlopen, type Library } from "./dlopen.ts";
export { find, type Finding } from "./find.ts";
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
  unsafeCopy,
  unsafeStringAt,
} from "./pointer.ts";
export { symbolPointer } from "./symbol_pointer.ts";
export { errno } from "./errno.ts";
export { check, type SyscallContext, SystemError } from "./system_error.ts";
export type {
  AddressType,
  Bindable,
  CallbackFunction,
  CallbackParameterType,
  CallbackResultType,
  CallbackSignature,
  NativeFunction,
  NativeFunctions,
  ParameterType,
  PassedType,
  Pointer,
  ResultType,
  Signature,
  SignatureFault,
  SmallInteger,
  StructByValue,
  SymbolTable,
  WideInteger,
  Word,
} from "./types.ts";
export { NativeUnavailableError } from "./unavailable.ts";
export { libc } from "./libc.ts";
export { array, type ArrayView, type ElementType, type PointerList } from "./layout/array.ts";
export type { Fields, Layout, ScalarType, StructView } from "./layout/field.ts";
export {
  epoll_event,
  iovec,
  itimerspec,
  msghdr,
  pthread_cond_t,
  pthread_mutex_t,
  sem_t,
  type SharedObjects,
  sigaction,
  signalfd_siginfo,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_un,
  stat,
  timespec,
} from "./layout/linux.ts";
export { type Struct, struct, type StructOptions } from "./layout/struct.ts";
